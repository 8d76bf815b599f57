"""Key rotation: re-encrypts rows in the background, and destroys key versions that no row uses any more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, exists, func, literal, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from amply.infra.database import Database
from amply.infra.vault import format as sealed_format
from amply.infra.vault.format import Head
from amply.infra.vault.keyring import COMING
from amply.infra.vault.models import DataKeyRow
from amply.infra.vault.records import SealedRecord
from amply.infra.vault.resealing import move, reseal
from amply.infra.vault.scopes import DONOR_INDEX, OF_ORGANIZATION, Scope

_ROWS: Final = 200
"""Rows in one transaction, so that none is locked for long."""
_BATCHES: Final = 25
QUIET: Final = COMING + timedelta(hours=1)
"""How long a newer version has been in use before an older one may be destroyed: no older transaction is still running."""

REENCRYPTED: Final = "personal_data_tended"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class SealedRows:
    """Rows of one kind that key rotation re-encrypts. `columns` holds their encrypted columns by scope.

    `reseal` seals some rows of those that are not as the newest version would have them, and returns how many. `prepare` is
    called before, outside transactions. The columns of all organisations' own keys stand under `OF_ORGANIZATION`.
    `move` seals anew some of those that stand under a leaf, by another one: what is sealed under leaves needs it.
    """

    name: str
    reseal: Callable[[Session, int], int]
    columns: Mapping[Scope, Sequence[InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None]]]
    move: Callable[[Session, Head, int], int] | None = None
    prepare: Callable[[Database], None] = lambda _database: None


def of_records(kind: type[SealedRecord]) -> SealedRows:
    """`SealedRows` of a table with one encrypted column, and its blind index if there is one."""
    return SealedRows(
        name=kind.fields.table,
        reseal=lambda session, limit: reseal(session, kind, limit=limit),
        columns={kind.fields.scope: kind.sealed_columns(), **_index_of(kind)},
        move=lambda session, head, limit: move(session, kind, head=head, limit=limit),
    )


def _index_of(kind: type[SealedRecord]) -> dict[Scope, tuple[InstrumentedAttribute[bytes | None]]]:
    return {} if kind.fields.indexed is None else {DONOR_INDEX: (getattr(kind, kind.fields.index_column),)}


@dataclass(frozen=True, kw_only=True)
class Version:
    """A key version, and how many values use it. `state`: coming, sealing, read or destroyed."""

    scope: Scope
    version: int
    state: str
    values: int
    seals_from: datetime


def reencrypt(database: Database, kinds: Sequence[SealedRows], *, now: datetime) -> int:
    """Re-encrypt up to some thousand outdated rows; once none is left, destroy unused key versions. Returns the number
    of rows.

    Killed anywhere it goes on from there: what is done is found by its version.
    """
    if database.keyring is None:
        return 0
    done = 0
    for kind in kinds:
        for _ in range(_BATCHES):
            kind.prepare(database)
            with database.transaction() as session:
                sealed = kind.reseal(session, _ROWS)
            done += sealed
            if sealed < _ROWS:
                break
    if done:
        _log.info(REENCRYPTED, rows=done)
        return done
    with database.transaction() as session:
        _destroy_unused(session, kinds, now=now)
    return 0


def versions(session: Session, kinds: Sequence[SealedRows], *, now: datetime) -> list[Version]:
    """All key versions with the number of values that use each: a rotation's progress. Reads every value's header."""
    counts = _counts(session, kinds)
    rows = session.scalars(select(DataKeyRow).order_by(DataKeyRow.scope, DataKeyRow.version)).all()
    newest = {row.scope: row.version for row in rows if row.seals_from <= now and row.wrapped is not None}
    return [
        Version(
            scope=row.scope,
            version=row.version,
            state=_state(row, sealing=newest.get(row.scope), now=now),
            values=counts.get((row.scope, row.version), 0),
            seals_from=row.seals_from,
        )
        for row in rows
    ]


def _state(row: DataKeyRow, *, sealing: int | None, now: datetime) -> str:
    if row.wrapped is None:
        return "destroyed"
    if row.seals_from > now:
        return "coming"
    return "sealing" if row.version == sealing else "read"


def _destroy_unused(session: Session, kinds: Sequence[SealedRows], *, now: datetime) -> None:
    """Versions before one that has sealed for a while, of which no value is left: nobody seals by them any more.

    Every value's head is read only where there is such a version.
    """
    if not _may_be_unused(session, now=now):
        return
    found = versions(session, kinds, now=now)
    known = {scope for kind in kinds for scope in kind.columns}
    settled = {each.scope: each.version for each in found if each.seals_from + QUIET <= now}
    for each in found:
        is_known = each.scope in known or (
            OF_ORGANIZATION in known and each.scope.startswith(OF_ORGANIZATION)
        )
        is_old = is_known and each.version < settled.get(each.scope, 0)
        if is_old and each.values == 0 and each.state != "destroyed":
            session.execute(
                update(DataKeyRow)
                .where(DataKeyRow.scope == each.scope, DataKeyRow.version == each.version)
                .values(wrapped=None, destroyed_at=now)
            )
            _log.info("data_key_destroyed", scope=each.scope, version=each.version)


def _may_be_unused(session: Session, *, now: datetime) -> bool:
    """Whether a version that is there has another one behind it that has sealed for a while."""
    settled = aliased(DataKeyRow)
    return bool(
        session.scalar(
            select(
                exists().where(
                    DataKeyRow.wrapped.is_not(None),
                    settled.scope == DataKeyRow.scope,
                    settled.version > DataKeyRow.version,
                    settled.seals_from <= now - QUIET,
                )
            )
        )
    )


def _scope_in(
    scope: Scope, column: InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None]
) -> ColumnElement[str]:
    """Whose key a value of a column is sealed by."""
    return literal(scope) + column.class_.organization_id if scope == OF_ORGANIZATION else literal(scope)


def _counts(session: Session, kinds: Sequence[SealedRows]) -> dict[tuple[Scope, int], int]:
    length = sealed_format.PREFIX_BYTES
    asked = [
        select(
            _scope_in(scope, column).label("scope"), func.substring(column, 1, length).label("head")
        ).where(column.is_not(None))
        for kind in kinds
        for scope, columns in kind.columns.items()
        for column in columns
    ]
    heads = union_all(*asked).subquery()
    rows = session.execute(
        select(heads.c.scope, heads.c.head, func.count().label("values")).group_by(
            heads.c.scope, heads.c.head
        )
    )
    counts: dict[tuple[Scope, int], int] = {}
    for row in rows:
        version = sealed_format.version_in(bytes(row.head))
        if version is not None:
            counts[row.scope, version] = counts.get((row.scope, version), 0) + row.values
    return counts
