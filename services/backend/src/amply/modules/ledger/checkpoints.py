"""Rows of `checkpoint`: the tree heads that this log has committed to, each completed step by step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.modules.ledger.tree import tree_size

_HEAD: Final = text("""
    SELECT size, root, note, published_at IS NOT NULL AS published FROM checkpoint ORDER BY size DESC LIMIT 1
""")

_PUBLISHED_SIZE: Final = text("""
    SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL
""")

_CLAIM: Final = text("""
    INSERT INTO checkpoint (size, previous_size, root, created_at) VALUES (:size, :previous_size, :root, :now)
""")

_KEEP_NOTE: Final = text("""
    UPDATE checkpoint SET note = :note WHERE size = :size AND note IS NULL RETURNING size
""")

_IS_CLAIMED: Final = text("SELECT EXISTS (SELECT FROM checkpoint WHERE size = :size)")

_EXTEND_NOTE: Final = text("""
    UPDATE checkpoint SET note = :longer WHERE size = :size AND note = :seen RETURNING size
""")

_MARK_PUBLISHED: Final = text("""
    UPDATE checkpoint SET published_at = :now WHERE size = :size AND published_at IS NULL RETURNING size
""")


class CheckpointTaken(Exception):
    """Another publisher was first, or this is not the database that decided on the checkpoint."""


@dataclass(frozen=True, kw_only=True)
class CheckpointRow:
    """A checkpoint of `size` leaves. `note` is None until it is signed."""

    size: int
    root: bytes
    note: str | None
    published: bool


@dataclass(frozen=True, kw_only=True)
class LogProgress:
    """Progress of the log: sequenced leaves, newest checkpoint row, and newest published size (or 0)."""

    tree_size: int
    head: CheckpointRow | None
    published_size: int

    @property
    def is_complete(self) -> bool:
        """Whether everything sequenced is published."""
        if self.head is None:
            return self.tree_size == 0
        return self.head.published and self.head.size == self.tree_size


def read_progress(session: Session) -> LogProgress:
    """Read the progress of the log and its checkpoints."""
    row = session.execute(_HEAD).mappings().one_or_none()
    head = None
    if row is not None:
        head = CheckpointRow(
            size=row["size"], root=bytes(row["root"]), note=row["note"], published=row["published"]
        )
    return LogProgress(
        tree_size=tree_size(session), head=head, published_size=session.scalars(_PUBLISHED_SIZE).one()
    )


def claim(session: Session, *, size: int, previous_size: int | None, root: bytes, now: datetime) -> None:
    """Insert the row of a checkpoint that extends `previous_size` (None: the first one).

    Raises:
        CheckpointTaken: Another row extends it already.
    """
    row = {"size": size, "previous_size": previous_size, "root": root, "now": now}
    try:
        session.execute(_CLAIM, row)
    except IntegrityError as error:
        if isinstance(error.orig, errors.UniqueViolation):
            raise CheckpointTaken(f"the checkpoint after {previous_size} exists") from error
        raise


def keep_note(session: Session, *, size: int, note: str) -> None:
    """Store the signed note. Signing again gives the same: Ed25519 is deterministic (RFC 8032 §5.1.6).

    Raises:
        CheckpointTaken: No such tree was decided on here: the database was put back to an older state since. Whoever
            holds the signature must not show it to a witness.
    """
    kept = session.execute(_KEEP_NOTE, {"size": size, "note": note}).one_or_none()
    if kept is None and not session.scalars(_IS_CLAIMED, {"size": size}).one():
        raise CheckpointTaken(f"this database knows nothing of a tree of {size} entries")


def extend_note(session: Session, *, size: int, seen: str, longer: str) -> None:
    """Add signature lines to a stored note. The table refuses to lose or change one.

    Raises:
        CheckpointTaken: The note is not the one that was seen: another publisher is at work.
    """
    row = {"size": size, "seen": seen, "longer": longer}
    if session.execute(_EXTEND_NOTE, row).one_or_none() is None:
        raise CheckpointTaken(f"the note of {size} entries has changed")


def mark_published(session: Session, *, size: int, now: datetime) -> bool:
    """Mark a checkpoint as published; False if it was already."""
    return session.execute(_MARK_PUBLISHED, {"size": size, "now": now}).one_or_none() is not None
