"""Runs seeds in sequence in one process and cluster, reproducibly."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final
from unittest import mock

import structlog
from sqlalchemy import text
from structlog.typing import EventDict

from amply.infra.database import Database, connect
from amply.modules import ledger
from tests.backend.ledger_world import LedgerWorld
from tests.simulation.cluster import Cluster, Snapshot
from tests.simulation.outside import Broken, Outside, Remembered
from tests.simulation.plan import BASES, Plan, draw
from tests.simulation.schedule import Schedule
from tests.simulation.witnesses import LIAR, AtOnce
from tests.simulation.world import new_world


class SeedFailed(Exception):
    """A seed showed something wrong. The message says what, where, and how to see it again."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """A log that was published before a schedule begins."""

    database: Snapshot
    outside: Remembered


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a seed did."""

    plan: Plan
    trace: list[str]


class Simulation:
    """A cluster, and the bases that schedules begin from."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._bases: Final = _make_bases(cluster)

    def run(self, seed: int, *, plans: Callable[[Plan], Plan] = lambda plan: plan) -> Outcome:
        """Run a seed's schedule; `plans` may change what the seed means.

        Raises:
            SeedFailed: A promise did not hold, or something failed that no fault explains.
        """
        chance = random.Random(seed)  # noqa: S311 -- a seed that can be named, not a secret
        plan = plans(draw(chance))
        outside, base = Outside(self._cluster.has_checkpoint), self._bases[plan.base]
        self._cluster.put_back(base.database)
        base.outside.put(outside)
        outside.witnesses[LIAR].lies = plan.has_liar
        world = new_world(plan, chance, outside)
        with _surroundings(seed, plan) as logs:
            schedule = Schedule(cluster=self._cluster, plan=plan, world=world, chance=chance, logs=logs)
            try:
                schedule.run()
            except (Exception, Broken) as error:
                raise SeedFailed(_story(seed, plan, schedule.trace, error)) from error
        return Outcome(plan=plan, trace=schedule.trace)


class _Chance:
    """Stands for `secrets` where ids are made: a seed gives the same entries, and with them the same log."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"ids of {seed}")  # noqa: S311 -- replayable on purpose

    def randbits(self, bits: int) -> int:
        return self._random.getrandbits(bits)


@contextmanager
def _surroundings(seed: int, plan: Plan) -> Iterator[list[EventDict]]:
    with (
        mock.patch("amply.kernel.ids.secrets", _Chance(seed)),
        mock.patch("amply.modules.ledger.publishing.ENTRIES_MAX", plan.entries_max),
        nullcontext() if plan.locks_hold else mock.patch.object(ledger.Leadership, "held", _always_lead),
        structlog.testing.capture_logs() as logs,
    ):
        yield logs


def _always_lead(leadership: ledger.Leadership) -> bool:
    """As if each had a lock of its own; a lost connection is noticed as ever."""
    leadership._connection.execute(text("SELECT 1"))
    return True


def _make_bases(cluster: Cluster) -> dict[int, Base]:
    app, sequencer = _open(cluster, "amply_app"), _open(cluster, "amply_sequencer")
    outside = Outside(cluster.has_checkpoint)
    books = LedgerWorld(
        app=app,
        sequencer=sequencer,
        signer=outside.signer,
        public_log=outside.public_log,
        archive=outside.archive,
        witnesses=AtOnce(outside.witnesses),
    )
    bases = {}
    with mock.patch("amply.kernel.ids.secrets", _Chance(0)), structlog.testing.capture_logs():
        books.clear()
        for before, size in zip((0, *BASES), BASES, strict=False):
            if size:
                books.post_many(size - before)
                books.sequence()
                books.publish()
            bases[size] = Base(database=cluster.take(), outside=Remembered.of(outside))
    app.close()
    sequencer.close()
    return bases


def _open(cluster: Cluster, user: str) -> Database:
    return connect(cluster.settings(user), application="base", pool_size=1)


def _story(seed: int, plan: Plan, trace: list[str], error: BaseException) -> str:
    told = f"{type(error).__name__}: {error}"
    return "\n".join(
        (
            f"Seed {seed} fails: {told}",
            f"The plan: {plan}",
            "The schedule:",
            *trace,
            f"Seed {seed} fails: {told}",
            f"See it again: make simulate SEED={seed}",
        )
    )
