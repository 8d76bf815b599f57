"""SQL conditions that limit a statement to what the caller's membership or key allows.

The database decides once more by row-level security (ADR 0106): a unit of work is bound to organisation and caller, and what
is an organisation's own is shown to its members and keys alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, DateTime, Text, cast, column, exists, or_, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from amply.infra.database import Database
from amply.modules.access.domain import KeyCaller, PersonCaller, Role
from amply.modules.access.policy import POLICY, Permission

_MEMBER: Final = table(
    "member",
    column("organization_id", Text),
    column("person_id", Text),
    column("role", Text),
    column("holds_until", DateTime(timezone=True)),
).alias("acting_member")
_KEY: Final = table(
    "api_key",
    column("id", Text),
    column("organization_id", Text),
    column("scopes", ARRAY(Text)),
    column("revoked_at", DateTime(timezone=True)),
    column("expires_at", DateTime(timezone=True)),
).alias("acting_key")

_HOLD: Final = text("SELECT FROM organization WHERE id = :organization_id FOR NO KEY UPDATE")
_STANDING: Final = text("SELECT role, holds_until, by_provider_alone FROM own_standing()")

Column = ColumnElement[str] | InstrumentedAttribute[str]


@dataclass(frozen=True, kw_only=True)
class Access:
    """An authorised caller: one permission in one organisation. Made by `allowed`; queries require it.

    Attributes:
        role: What the person is there, as it was when they were let in; None for a key.
        now: When that was (UTC).
    """

    caller: PersonCaller | KeyCaller
    organization_id: str
    permission: Permission
    role: Role | None
    now: datetime
    database: Database = field(repr=False)

    @property
    def person_id(self) -> str | None:
        """The caller's person id, if it is a person."""
        return self.caller.person_id if isinstance(self.caller, PersonCaller) else None

    @property
    def key_id(self) -> str | None:
        """The caller's API key id, if it is one."""
        return self.caller.key_id if isinstance(self.caller, KeyCaller) else None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction bound to the organisation and the caller (row-level security)."""
        with self.database.transaction(
            organization_id=self.organization_id, person_id=self.person_id, key_id=self.key_id
        ) as session:
            yield session

    def covers(self, organization_id: Column, permission: Permission | None = None) -> ColumnElement[bool]:
        """Condition: the row is of this organisation, and the caller still has the permission.

        Args:
            organization_id: The row's.
            permission: Another one than the route's, such as for a part of what is shown.
        """
        rule = POLICY[permission or self.permission]
        if isinstance(self.caller, PersonCaller):
            is_in: Any = select(_MEMBER.c.person_id).where(
                _MEMBER.c.organization_id == organization_id,
                _MEMBER.c.person_id == self.caller.person_id,
                _MEMBER.c.role.in_(sorted(rule.roles)),
                or_(_MEMBER.c.holds_until.is_(None), _MEMBER.c.holds_until > self.now),
            )
        else:
            expires_at = _KEY.c.expires_at
            is_in = select(_KEY.c.id).where(
                _KEY.c.organization_id == organization_id,
                _KEY.c.id == self.caller.key_id,
                _KEY.c.revoked_at.is_(None),
                or_(expires_at.is_(None), expires_at > self.now),
                _KEY.c.scopes.overlap(cast(sorted(rule.scopes), ARRAY(Text))),
            )
        return (organization_id == self.organization_id) & exists(is_in.correlate_except(_MEMBER, _KEY))


def hold_organization(session: Session, organization_id: str) -> None:
    """Lock an organisation until the end of this transaction, so that what was counted stays true."""
    session.execute(_HOLD, {"organization_id": organization_id})


@dataclass(frozen=True, kw_only=True)
class PersonAccess:
    """A signed-in person's access to their own data. Made by `signed_in`; queries require it."""

    caller: PersonCaller
    permission: Permission
    now: datetime
    database: Database = field(repr=False)

    @property
    def person_id(self) -> str:
        """The person's id."""
        return self.caller.person_id

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction bound to the person (row-level security)."""
        with self.database.transaction(person_id=self.person_id) as session:
            yield session


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A person's role in an organisation.

    Attributes:
        holds_until: How long that counts, where the organisation's provider says it; None where it is said here.
        by_provider_alone: Whether whoever acts here has to have come by that provider.
    """

    role: Role
    holds_until: datetime | None
    by_provider_alone: bool


def standing_of(database: Database, *, organization_id: str, person_id: str) -> Standing | None:
    """A person's role in an organisation; None if they have none, or it does not exist."""
    with database.transaction(organization_id=organization_id, person_id=person_id) as session:
        found = session.execute(_STANDING).one_or_none()
    if found is None:
        return None
    return Standing(
        role=Role(found.role), holds_until=found.holds_until, by_provider_alone=found.by_provider_alone
    )
