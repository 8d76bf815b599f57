"""An entry's index in the log, and its inclusion proof."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression, column, exists, func, select, table, text
from sqlalchemy.orm import Session

from amply.infra.vault import keyring_of
from amply.kernel.errors import NotFound
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.openings import read
from amply.modules.ledger.tree import tile_reader
from ledger_format.receipts import Receipt, encode_receipt
from ledger_format.tiles import inclusion_proof

_LEAF: Final = table("leaf", column("entry_id"), column("idx"))
_CHECKPOINT: Final = table("checkpoint", column("size"), column("published_at"))

_LOCATION: Final = text("""
    SELECT idx, leaf_hash
    FROM leaf
    WHERE entry_id = :entry_id
      AND idx < (SELECT max(size) FROM checkpoint WHERE published_at IS NOT NULL)
""")

_INCLUSION: Final = text("""
    SELECT leaf.idx, covering.size
    FROM leaf
    CROSS JOIN LATERAL (
        SELECT size FROM checkpoint
        WHERE size > leaf.idx AND published_at IS NOT NULL
        ORDER BY size LIMIT 1
    ) AS covering
    WHERE leaf.entry_id = :entry_id
""")

_PROVABLE: Final = text("""
    SELECT leaf.idx, leaf.bytes, newest.size, newest.note
    FROM leaf
    CROSS JOIN (
        SELECT size, note FROM checkpoint WHERE published_at IS NOT NULL ORDER BY size DESC LIMIT 1
    ) AS newest
    WHERE leaf.entry_id = :entry_id AND leaf.idx < newest.size
""")

_OLDEST_UNPUBLISHED: Final = text("SELECT oldest_unpublished()")

_OPENINGS: Final = text("SELECT sealed FROM opening WHERE entry_id = :entry_id")


class EntryNotFound(NotFound):
    """No entry of this id is in the published log, or not yet."""

    code = "entry_not_found"

    def __init__(self, *, entry_id: str) -> None:
        super().__init__(f"There is no entry {entry_id} in the log; a new one appears within seconds.")
        self.entry_id = entry_id


@dataclass(frozen=True, kw_only=True)
class EntryLocation:
    """A published entry's index in the log, and its leaf hash (32 bytes)."""

    entry_id: str
    index: int
    leaf_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """A published entry: its index, and the smallest published checkpoint that covers it."""

    index: int
    checkpoint_size: int


def entry_location(session: Session, *, entry_id: str) -> EntryLocation | None:
    """An entry's location in the log; None if it is not published or does not exist."""
    row = session.execute(_LOCATION, {"entry_id": entry_id}).one_or_none()
    if row is None:
        return None
    return EntryLocation(entry_id=entry_id, index=row.idx, leaf_hash=bytes(row.leaf_hash))


def inclusion(session: Session, *, entry_id: str) -> Inclusion | None:
    """The checkpoint since which an entry is public, or None."""
    row = session.execute(_INCLUSION, {"entry_id": entry_id}).one_or_none()
    return None if row is None else Inclusion(index=row.idx, checkpoint_size=row.size)


def is_published(entry_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Condition for other modules' statements: a published checkpoint covers the entry in that column."""
    newest = (
        select(func.max(_CHECKPOINT.c.size)).where(_CHECKPOINT.c.published_at.is_not(None)).scalar_subquery()
    )
    return exists().where(_LEAF.c.entry_id == entry_id, _LEAF.c.idx < newest)


def oldest_unpublished_age(session: Session, *, now: datetime) -> timedelta:
    """Age of the oldest unpublished entry; zero if there is none."""
    oldest = session.scalar(_OLDEST_UNPUBLISHED)
    return timedelta() if oldest is None else max(now - oldest, timedelta())


def published_size(session: Session) -> int:
    """The size of the newest published checkpoint; 0 before the first."""
    newest = select(func.max(_CHECKPOINT.c.size)).where(_CHECKPOINT.c.published_at.is_not(None))
    return session.scalar(newest) or 0


def published_sizes(session: Session) -> list[int]:
    """The sizes of all published checkpoints, oldest first."""
    return list(
        session.scalars(
            select(_CHECKPOINT.c.size)
            .where(_CHECKPOINT.c.published_at.is_not(None))
            .order_by(_CHECKPOINT.c.size)
        )
    )


def receipt(session: Session, *, entry_id: str, secrets: CommitmentSecrets, opens: bool = True) -> str | None:
    """A `c2sp.org/tlog-proof@v1` file for the newest published checkpoint, or None.

    It opens every commitment whose opening was not erased; none where it is for somebody who must not know whose gift it is.
    """
    row = session.execute(_PROVABLE, {"entry_id": entry_id}).one_or_none()
    if row is None:
        return None
    sealed = session.scalar(_OPENINGS, {"entry_id": entry_id}) if opens else None
    openings = (
        {} if sealed is None else read(keyring_of(session), bytes(sealed), entry_id=entry_id, secrets=secrets)
    )
    proof = inclusion_proof(row.idx, row.size, tile_reader(session))
    return encode_receipt(
        Receipt(
            leaf=bytes(row.bytes),
            openings=openings,
            index=row.idx,
            proof=tuple(proof),
            checkpoint_note=row.note,
        )
    ).decode()
