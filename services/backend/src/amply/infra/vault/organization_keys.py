"""Rows encrypted under their organisation's own key, which is fetched before the transaction that needs it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, and_, func, literal, literal_column, select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.vault.format import FORMAT, PREFIX_BYTES
from amply.infra.vault.models import DataKeyRow
from amply.infra.vault.records import SealedRecord, keyring_of
from amply.infra.vault.reencryption import SealedRows
from amply.infra.vault.resealing import in_the_clear, reseal_chosen, sealed_before
from amply.infra.vault.scopes import OF_ORGANIZATION, KeyNotAtHand, Scope

_ORGANIZATIONS_MAX: Final = 20
"""Organisations in one turn: each may need a call to the key service."""


def hold_key_of(database: Database, organization_id: str, *, to_seal: bool = False) -> None:
    """Load the key of an organisation. Outside transactions.

    `to_seal`: it is made where there is none yet. Without, what is not sealed is read without one.

    Raises:
        KeyNotAtHand: The key service does not answer, and it is not at hand already.
    """
    if database.keyring is None:
        return
    scope = _scope(organization_id)
    try:
        database.keyring.newest(scope)
    except KeyNotAtHand:
        database.keyring.hold(scope, makes=to_seal)


def of_organizations(kind: type[SealedRecord]) -> SealedRows:
    """`SealedRows` of a table with `organization_id`, encrypted under each organisation's key."""
    turns = _Turns(kind)
    return SealedRows(
        name=kind.fields.table,
        prepare=turns.prepare,
        reseal=turns.reseal,
        columns={OF_ORGANIZATION: (kind.sealed,)},
    )


def _scope(organization_id: str) -> Scope:
    return f"{OF_ORGANIZATION}{organization_id}"


@dataclass
class _Turns:
    """Two-step re-encryption: finds organisations with outdated rows and fetches their keys, then re-encrypts."""

    kind: type[SealedRecord]
    held: list[str] = field(default_factory=list)

    @property
    def _of(self) -> ColumnElement[str]:
        found: ColumnElement[str] = self.kind.__table__.c.organization_id
        return found

    def prepare(self, database: Database) -> None:
        keyring = database.keyring
        self.held = []
        if keyring is None:
            return
        with database.transaction() as session:
            unsealed = select(self._of).where(in_the_clear(self.kind)).distinct().limit(_ORGANIZATIONS_MAX)
            waiting = {*session.scalars(unsealed), *self._outdated(session)}
        for organization_id in sorted(waiting):
            hold_key_of(database, organization_id, to_seal=True)
            if keyring.seals(_scope(organization_id), is_later=self.kind.fields.is_later):
                self.held.append(organization_id)

    def reseal(self, session: Session, limit: int) -> int:
        keyring = keyring_of(session)
        if keyring is None or not self.held:
            return 0
        choices: list[ColumnElement[bool]] = [and_(in_the_clear(self.kind), self._of.in_(self.held))]
        for organization_id in self.held:
            begins = keyring.begins(_scope(organization_id))
            choices.append(and_(sealed_before(self.kind, begins), self._of == organization_id))
        return reseal_chosen(session, self.kind, choices, limit=limit)

    def _outdated(self, session: Session) -> Sequence[str]:
        """Organisations with a row that is not sealed by the newest version that seals. Whose rows are done make room for others."""
        newest = (
            select(DataKeyRow.scope, func.max(DataKeyRow.version).label("version"))
            .where(
                DataKeyRow.scope.startswith(OF_ORGANIZATION),
                DataKeyRow.wrapped.is_not(None),
                DataKeyRow.seals_from <= func.now(),
            )
            .group_by(DataKeyRow.scope)
            .having(func.count() > 1)
            .subquery()
        )
        head = func.substring(self.kind.sealed, literal_column("1"), literal_column(str(PREFIX_BYTES)))
        return session.scalars(
            select(self._of)
            .join(newest, newest.c.scope == literal(OF_ORGANIZATION).concat(self._of))
            .where(
                self.kind.sealed.is_not(None), head < literal(FORMAT).concat(func.int4send(newest.c.version))
            )
            .distinct()
            .limit(_ORGANIZATIONS_MAX)
        ).all()
