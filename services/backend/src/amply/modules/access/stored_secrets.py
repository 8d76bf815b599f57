"""Shared storage of API keys and directory tokens: list, look up, revoke."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import LargeBinary, TextClause, select, update
from sqlalchemy import Row as Found
from sqlalchemy.orm import Mapped, Session, mapped_column

from amply.infra.database import Database
from amply.infra.orm import Record
from amply.kernel.checked_secret import CheckedSecret
from amply.modules.access.domain import NotAllowed
from amply.modules.access.grants import Access

_USE_NOTED_EVERY: Final = timedelta(minutes=1)


class RevocableRow(Record):
    """Base of secrets' rows. `digest` is write-only: database functions look it up."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    last_four: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


Row = TypeVar("Row", bound=RevocableRow)


def newest_first(session: Session, access: Access, kind: type[Row], *, most: int) -> Sequence[Row]:
    """Active secrets, newest first, then revoked ones."""
    return session.scalars(
        select(kind)
        .where(access.covers(kind.organization_id))
        .order_by(kind.revoked_at.is_not(None), kind.id.desc())
        .limit(most)
    ).all()


def just_made(session: Session, access: Access, kind: type[Row], *, row_id: str) -> Row:
    """The secret just created, as its creator sees it.

    Raises:
        NotAllowed: They may not see it any more.
    """
    row = _one(session, access, kind, row_id=row_id)
    if row is None:
        raise NotAllowed("Your role has changed meanwhile: look at the members again.")
    return row


def revoked(session: Session, access: Access, kind: type[Row], *, row_id: str) -> tuple[Row | None, bool]:
    """Revoke a secret, effective at commit.

    Returns:
        The row, None where the organisation has no such; and whether it was this that revoked it.
    """
    ended = session.scalars(
        update(kind)
        .where(kind.id == row_id, kind.revoked_at.is_(None), access.covers(kind.organization_id))
        .values(revoked_at=access.now)
        .returning(kind.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.expire_all()
    return _one(session, access, kind, row_id=row_id), ended is not None


def row_of_secret(database: Database, secret: CheckedSecret, *, find: TextClause) -> Found[Any] | None:
    """The row of a sent secret; None if it is unknown or revoked. Nothing is cached between requests.

    `find`: the function of the database that is asked by `:digest`.
    """
    with database.transaction() as session:
        row = session.execute(find, {"digest": secret.digest}).one_or_none()
    is_theirs = hmac.compare_digest(bytes(row.digest) if row else bytes(32), secret.digest)
    return row if row is not None and is_theirs and row.revoked_at is None else None


def note_use(database: Database, row: Found[Any], *, note: TextClause, now: datetime) -> None:
    """Record the last use, to the minute, before the request is handled. `note`: a database function, by `:id`."""
    if row.last_used_at is None or row.last_used_at <= now - _USE_NOTED_EVERY:
        with database.transaction() as session:
            session.execute(note, {"id": row.id, "now": now})


def _one(session: Session, access: Access, kind: type[Row], *, row_id: str) -> Row | None:
    return session.scalars(
        select(kind).where(kind.id == row_id, access.covers(kind.organization_id))
    ).one_or_none()
