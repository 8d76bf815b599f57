"""The platform's processes as actors of the simulation: the real loops, with users and operators."""

import itertools
from collections.abc import Callable
from contextlib import closing
from typing import Protocol, TypeVar

from sqlalchemy.exc import DBAPIError

from amply.entrypoints import publisher, sequencer
from amply.entrypoints.leader import Turn, lead
from amply.infra.database import Database
from amply.infra.roles import OWNER
from amply.infra.settings import DatabaseSettings
from amply.kernel.errors import InvariantViolation
from amply.modules import ledger
from tests.backend.ledger_world import ORIGIN
from tests.simulation.baton import Actor
from tests.simulation.cluster import MASTER
from tests.simulation.outside import hold
from tests.simulation.seams import Parking, Port, SeamedDatabase
from tests.simulation.witnesses import Asked
from tests.simulation.world import Delivery, World

IDLE = "is idle"
DOUBT = "Witnesses have seen another log"
"""A liar and somebody who is silent may be a quorum: the log waits until the other says what it has seen."""

Made = TypeVar("Made")
Settings = Callable[[str], DatabaseSettings]


class ChangesMind(Exception):
    """A writer's own error, after it has posted: its transaction is rolled back."""


class Hands(Protocol):
    """What an operator can do to the platform."""

    def stop_log(self) -> None:
        """Let no sequencer and no publisher run."""
        ...

    def start_log(self) -> None:
        """Let them run again."""
        ...

    def restore_again(self) -> None:
        """Put the database back once more."""
        ...


def writer(world: World, settings: Settings) -> Callable[[Actor], None]:
    """A worker that books what it is told, each delivery until it is committed."""

    def work(actor: Actor) -> None:
        with closing(SeamedDatabase(actor, settings("amply_app"))) as database:
            while True:
                delivery = world.take(actor.name)
                if delivery is None:
                    actor.reach(IDLE)
                    continue
                life = world.outside.life
                try:
                    ids = _book(database, world, delivery)
                except ledger.BookingsPaused:
                    actor.reach(IDLE)
                    continue
                except (DBAPIError, ChangesMind):
                    actor.reach("tries again")
                    continue
                world.acknowledge(actor.name, ids, life=life)

    return work


def _book(database: Database, world: World, delivery: Delivery) -> list[str]:
    with database.transaction() as session:
        posted = [
            ledger.post(session, entry=fact.entry(), now=world.clock(), secrets=world.secrets)
            for fact in delivery.facts
        ]
        if delivery.changes_mind and delivery not in world.changed_minds:
            world.changed_minds.add(delivery)
            raise ChangesMind
    return [entry.id for entry in posted]


def sequencing(world: World, settings: Settings) -> Callable[[Actor], None]:
    """The sequencer's process."""

    def work(actor: Actor) -> None:
        with closing(SeamedDatabase(actor, settings("amply_sequencer"))) as database:
            lead(
                database,
                lock=ledger.SEQUENCER_LOCK,
                start=lambda: _noting(
                    world,
                    lambda: sequencer.turns(
                        database, origin=ORIGIN, clock=world.clock, batch_max=world.plan.batch_max
                    ),
                ),
                heartbeat_path="",
                stopping=Parking(actor),
            )

    return work


def publishing(world: World, settings: Settings) -> Callable[[Actor], None]:
    """The publisher's process."""

    def work(actor: Actor) -> None:
        with closing(SeamedDatabase(actor, settings("amply_sequencer"))) as database:
            lead(
                database,
                lock=ledger.PUBLISHER_LOCK,
                start=lambda: _noting(world, lambda: _publisher_turns(actor, world, database)),
                heartbeat_path="",
                stopping=Parking(actor),
            )

    return work


def _publisher_turns(actor: Actor, world: World, database: Database) -> Turn:
    outside = publisher.PublisherDependencies(
        signer=Port(actor, "signer", world.outside.signer),
        public_log=Port(actor, "public log", world.outside.public_log),
        archive=Port(actor, "archive", world.outside.archive),
        witnesses=Asked(actor, world.outside.witnesses),
    )
    return publisher.turns(database, origin=ORIGIN, outside=outside, clock=world.clock, elapsed=world.elapsed)


def _noting(world: World, start: Callable[[], Turn]) -> Turn:
    """The operator reads the log lines of refusals."""

    def note(act: Callable[[], Made]) -> Made:
        try:
            return act()
        except ledger.ForkRefused as refusal:
            is_doubt = refusal.reason.startswith(DOUBT) and world.plan.has_liar
            hold(
                world.plan.fails_over or is_doubt,
                f"nobody refuses before anything is lost: {refusal.reason}",
            )
            world.refusal = refusal.reason if world.plan.fails_over else None
            raise
        except ledger.AlreadyDifferent as refusal:
            hold(world.plan.fails_over, f"nothing else stands at {refusal.path} before anything is lost")
            world.stuck_at = refusal.path
            raise
        except InvariantViolation as violation:
            # A database that is put back under a working process breaks what that process may rely on.
            hold(world.plan.fails_over, str(violation))
            raise

    turn = note(start)
    return lambda: note(turn)


def donor(world: World, settings: Settings) -> Callable[[Actor], None]:
    """Asks for the receipts of what was booked, one after the other."""

    def work(actor: Actor) -> None:
        with closing(SeamedDatabase(actor, settings("amply_app"))) as database:
            for asked in itertools.count():
                actor.reach(IDLE)
                entries = list(world.booked.values())
                if not entries:
                    continue
                try:
                    receipt = _receipt(database, world, entries[asked % len(entries)].entry_id)
                except DBAPIError:
                    continue
                if receipt is not None:
                    world.outside.keep_receipt(receipt)

    return work


def _receipt(database: Database, world: World, entry_id: str) -> str | None:
    with database.transaction() as session:
        return ledger.receipt(session, entry_id=entry_id, secrets=world.secrets)


def operator(world: World, settings: Settings, hands: Hands) -> Callable[[Actor], None]:
    """Does what docs/runbooks/ledger-fork.md says when the publisher refuses."""

    def work(actor: Actor) -> None:
        with closing(SeamedDatabase(actor, settings(MASTER))) as database:
            while True:
                if world.refusal is None and world.stuck_at is None:
                    actor.reach(IDLE)
                else:
                    _follow_the_runbook(actor, database, world, hands)

    return work


def _follow_the_runbook(actor: Actor, database: Database, world: World, hands: Hands) -> None:
    hands.stop_log()
    note = world.outside.newest_note(asks_partners=(world.refusal or "").startswith(DOUBT))
    if world.refusal is not None and not _restore(actor, database, world, hands, note):
        return
    if world.stuck_at is not None:
        hold(bool(world.outside.public_log.forget_unsigned()), f"{world.stuck_at} was never signed")
    world.refusal = world.stuck_at = None
    world.awaits_comparison = False
    hands.start_log()


def _restore(actor: Actor, database: Database, world: World, hands: Hands, note: str) -> bool:
    """Whether the database now has all that is public."""
    try:
        restored = ledger.restore_log(
            database,
            key=world.outside.key,
            read=lambda path: world.outside.copy_of_the_log(path, note),
            facts=[fact.entry() for fact in world.known.values()],
            now=world.clock(),
            owner=OWNER,
        )
    except DBAPIError:
        actor.reach("tries again")
        return False
    except ledger.CannotRestore:
        hands.restore_again()
        return False
    hold(restored.keyless == (), "every published entry is one of the facts the processor knows")
    return True
