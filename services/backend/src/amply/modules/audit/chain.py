"""Reads and verifies the hash chain of audit records, a thousand records in each transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules.audit.domain import GENESIS, linked

_BATCH: Final = 1_000

_LINKS = text("""
    SELECT link.position, link.record_id, link.hash, record.content
    FROM audit_link link
    LEFT JOIN audit_record record ON record.id = link.record_id
    WHERE link.position BETWEEN :first AND :last
    ORDER BY link.position
""")
_HEAD = text("SELECT position, hash FROM audit_link ORDER BY position DESC LIMIT 1")
_LOOSE = text("""
    SELECT record.id
    FROM audit_record record
    WHERE NOT EXISTS (SELECT FROM audit_link link WHERE link.record_id = record.id)
    ORDER BY record.id
    LIMIT 1
""")


@dataclass(frozen=True, kw_only=True)
class Head:
    """Length of the chain, and the hash of its last record."""

    position: int
    hash: bytes


@dataclass(frozen=True, kw_only=True)
class Link:
    """A place in the chain. `content` is None where its record is gone."""

    position: int
    record_id: str
    hash: bytes
    content: str | None


class ChainBroken(Exception):
    """The audit log was altered: a record does not match the chain."""

    def __init__(self, reason: str, *, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


def head_of(session: Session) -> Head:
    """The current head of the chain."""
    row = session.execute(_HEAD).one_or_none()
    return Head(position=row.position, hash=row.hash) if row else Head(position=0, hash=GENESIS)


def links_between(session: Session, *, first: int, last: int) -> Sequence[Link]:
    """Records of these positions, inclusive."""
    rows = session.execute(_LINKS, {"first": first, "last": last})
    return [
        Link(position=row.position, record_id=row.record_id, hash=row.hash, content=row.content)
        for row in rows
    ]


def walk(database: Database, *, until: Head) -> Iterator[Head]:
    """Recompute the chain up to `until`, yielding the head after each record.

    Raises:
        ChainBroken: A record or a link was changed, removed, inserted or moved.
    """
    before = Head(position=0, hash=GENESIS)
    while before.position < until.position:
        last = min(before.position + _BATCH, until.position)
        with database.transaction() as session:
            links = links_between(session, first=before.position + 1, last=last)
        for link in links:
            before = _next(before, link)
            yield before
        if before.position < last:
            raise ChainBroken(f"The chain has no record {before.position + 1}.", position=before.position + 1)
    if before.hash != until.hash:
        raise ChainBroken("The head is not the hash of the last record.", position=until.position)


def refuse_loose(database: Database) -> None:
    """Raises ChainBroken if a record is in no chain: it was inserted past the database's rules."""
    with database.transaction() as session:
        loose = session.scalar(_LOOSE)
    if loose is not None:
        raise ChainBroken(f"{loose} stands in no chain.")


def _next(before: Head, link: Link) -> Head:
    if link.position != before.position + 1:
        raise ChainBroken(f"The chain has no record {before.position + 1}.", position=before.position + 1)
    if link.content is None:
        raise ChainBroken(f"Record {link.position}, {link.record_id}, was removed.", position=link.position)
    computed = linked(before.hash, link.content.encode())
    if computed != link.hash:
        raise ChainBroken(
            f"Record {link.position}, {link.record_id}, is not what its hash was made of.",
            position=link.position,
        )
    return Head(position=link.position, hash=computed)
