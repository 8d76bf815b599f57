"""Bugs of other ledgers, injected into the real code: the simulation must find each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from unittest import mock

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.ledger.ports import CheckpointMoved, PublicLog, StoredCheckpoint
from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.checkpoints import Checkpoint
from ledger_format.tiles import tree_root
from tests.simulation.cluster import Cluster
from tests.simulation.plan import Plan

_SEQUENCING: Final = "amply.modules.ledger.sequencing"
_PUBLISHING: Final = "amply.modules.ledger.publishing"

_COLUMNS: Final = (
    "id, xid, kind, organization_id, event_at, reference, reverses, supersedes, matches, reason, commitments"
)

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
    """The publisher replaces whatever checkpoint is public, and tries again until it has."""

    def show(note: str, _seen: StoredCheckpoint | None, public_log: PublicLog) -> None:
        while True:
            standing = public_log.checkpoint()
            with suppress(CheckpointMoved):
                return public_log.replace_checkpoint(note, replaces=standing.version if standing else None)

    return mock.patch(f"{_PUBLISHING}._show", show)


@contextmanager
def no_fork_check() -> Iterator[None]:
    """The publisher signs the database's tree, whatever the public and the witnesses have seen."""

    def trust(session: Session, *, public: Checkpoint | None, published_size: int, size: int) -> bytes:
        del public, published_size
        return tree_root(min(size, tree_size(session)), tile_reader(session))

    with (
        mock.patch(f"{_PUBLISHING}.refuse_fork", trust),
        mock.patch.object(ledger.Witnesses, "refuse_fork"),
    ):
        yield


def no_clearance() -> AbstractContextManager[object]:
    """The sequencer does not wait for the publisher."""
    return mock.patch.object(ledger.Clearance, "is_given", return_value=True)


def without_quorum() -> AbstractContextManager[object]:
    """The publisher shows what it has signed, whoever cosigns."""

    def trust(database: Database, target: object, note: str, **_: object) -> tuple[str, int]:
        del database, target
        return note, 0

    return mock.patch(f"{_PUBLISHING}._have_witnessed", trust)


def cleared_apart() -> AbstractContextManager[object]:
    """The sequencer asks for its clearance in one transaction and gives places away in the next."""
    step = ledger.Sequencer.step

    def apart(
        sequencer: ledger.Sequencer, database: Database, *, now: datetime, clearance: ledger.Clearance
    ) -> int | None:
        with database.transaction() as session:
            if not clearance.is_given(session):
                return None
        return step(sequencer, database, now=now)

    return mock.patch.object(ledger.Sequencer, "step", apart)


def no_gate() -> AbstractContextManager[object]:
    """What the publisher said of a database counts for whatever is restored in its place."""
    return mock.patch.object(Cluster, "begin_another_life")


@dataclass(frozen=True, kw_only=True)
class Bug:
    """How it is planted, and in which of the plans it can show at all."""

    plant: Callable[[], AbstractContextManager[object]]
    plans: Callable[[Plan], Plan]
    first: int = 0
    """Where the tests begin to look: seeds before it were seen to pass, and would only take time."""


def _keeps_its_database(plan: Plan) -> Plan:
    return replace(
        plan, backup_at=0, fails_over_at=0, writers=4, facts=20, batch_max=1, stalls=0.03, kills=0.0
    )


def _loses_its_database(plan: Plan) -> Plan:
    return replace(plan, base=3, backup_at=150, fails_over_at=380, steps=600, facts=16, kills=0.0, cuts=0.0)


def _loses_it_between_two_transactions(plan: Plan) -> Plan:
    return replace(_loses_its_database(plan), fails_over_between=True, sequencers=1)


def _has_two_publishers(plan: Plan) -> Plan:
    calm = replace(_keeps_its_database(plan), cuts=0.0, port_failures=0.0, lost_answers=0.0, has_liar=False)
    return replace(calm, publishers=2, sequencers=1, locks_hold=False, hesitations=0.3)


BUGS: Final = {
    "watermark": Bug(plant=watermark, plans=_keeps_its_database),
    "no-horizon": Bug(plant=no_horizon, plans=_keeps_its_database, first=23),
    "shown-before-compared": Bug(plant=shown_before_compared, plans=_has_two_publishers, first=25),
    "no-fork-check": Bug(plant=no_fork_check, plans=_loses_its_database),
    "without-quorum": Bug(plant=without_quorum, plans=_keeps_its_database),
    "cleared-apart": Bug(plant=cleared_apart, plans=_loses_it_between_two_transactions, first=11),
    "no-gate": Bug(plant=no_gate, plans=_loses_its_database, first=12),
    "no-clearance": Bug(plant=no_clearance, plans=_loses_its_database),
}
