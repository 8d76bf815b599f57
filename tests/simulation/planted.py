"""Bugs that other ledgers had, planted into the real code: what the simulation must find, to be worth anything."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final
from unittest import mock

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.modules import ledger
from amply.modules.ledger.ports import PublicLog, StoredCheckpoint
from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.checkpoints import Checkpoint
from ledger_format.tiles import tree_root

_SEQUENCING: Final = "amply.modules.ledger.sequencing"
_PUBLISHING: Final = "amply.modules.ledger.publishing"

_COLUMNS: Final = "id, xid, kind, organization_id, event_at, reference, reverses, commitments"

# 1,129 of 164,141 committed rows were never covered in a trial of this.
_BY_WATERMARK: Final = text(f"""
    SELECT {_COLUMNS} FROM entry
    WHERE number > (
        SELECT coalesce(max(taken.number), 0) FROM leaf JOIN entry AS taken ON taken.id = leaf.entry_id
    ) AND CAST(:scan_from AS xid8) IS NOT NULL
    ORDER BY number LIMIT :batch_max
""")  # noqa: S608 -- the columns above

_WITHOUT_HORIZON: Final = text(f"""
    SELECT {_COLUMNS} FROM entry
    WHERE xid >= CAST(:scan_from AS xid8) AND (SELECT true FROM leaf WHERE leaf.entry_id = entry.id) IS NULL
    ORDER BY xid, number LIMIT :batch_max
""")  # noqa: S608 -- the columns above


@contextmanager
def watermark() -> Iterator[None]:
    """The sequencer remembers the last number it took, and nobody looks for what was overlooked."""
    with (
        mock.patch(f"{_SEQUENCING}._WAITING", _BY_WATERMARK),
        mock.patch(f"{_SEQUENCING}._walk", return_value=(0, None)),
    ):
        yield


def no_horizon() -> AbstractContextManager[object]:
    """The sequencer takes what is committed, though an older transaction is still open."""
    return mock.patch(f"{_SEQUENCING}._WAITING", _WITHOUT_HORIZON)


def shown_before_compared() -> AbstractContextManager[object]:
    """The publisher replaces whatever checkpoint is public."""

    def show(note: str, _seen: StoredCheckpoint | None, public_log: PublicLog) -> None:
        standing = public_log.checkpoint()
        public_log.replace_checkpoint(note, replaces=standing.version if standing else None)

    return mock.patch(f"{_PUBLISHING}._show", show)


def no_fork_check() -> AbstractContextManager[object]:
    """The publisher signs the database's tree, whatever the public has seen."""

    def trust(session: Session, *, public: Checkpoint | None, published_size: int, size: int) -> bytes:
        del public, published_size
        return tree_root(min(size, tree_size(session)), tile_reader(session))

    return mock.patch(f"{_PUBLISHING}.refuse_fork", trust)


def no_clearance() -> AbstractContextManager[object]:
    """The sequencer does not wait for the publisher."""
    return mock.patch.object(ledger.Clearance, "is_given", return_value=True)


BUGS: Final = {
    "watermark": watermark,
    "no-horizon": no_horizon,
    "shown-before-compared": shown_before_compared,
    "no-fork-check": no_fork_check,
    "no-clearance": no_clearance,
}
