"""Shared state of a schedule's actors: facts to book, published results, clock, and the operator's knowledge."""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from amply.kernel.money import Money
from amply.modules import ledger
from tests.simulation.outside import Outside, hold
from tests.simulation.plan import Plan

ORGANIZATIONS: Final = tuple(f"org_{letter * 26}" for letter in "abc")
_BEGINNING: Final = datetime(2026, 11, 21, 9, 0, 30, tzinfo=UTC)
_STEP: Final = timedelta(milliseconds=50)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something the processor knows to have happened; several may look the same but for their key."""

    key: str
    organization_id: str
    minor_units: int
    is_fee: bool
    happened_at: datetime

    def entry(self) -> ledger.NewEntry:
        """How it is booked."""
        amount = Money(minor_units=self.minor_units, currency="EUR")
        booked = ledger.processor_fee if self.is_fee else ledger.donation_succeeded
        return ledger.NewEntry(
            kind="processor.fee" if self.is_fee else "donation.succeeded",
            organization_id=self.organization_id,
            idempotency_key=self.key,
            transfers=booked(organization_id=self.organization_id, amount=amount),
            event_at=self.happened_at,
            reference=None,
            personal={"reference": f"stripe:payment_intent:{self.key}"},
        )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Facts a writer books in one transaction; `changes_mind`: it breaks the transaction off once."""

    facts: tuple[Fact, ...]
    changes_mind: bool
    due: int
    """The step of the schedule at which it arrives."""


@dataclass(kw_only=True)
class Booked:
    """An acknowledgement: the entry, and at which step of the schedule its writer knew."""

    entry_id: str
    ended: int


@dataclass(kw_only=True)
class World:
    """One schedule's state outside the database."""

    plan: Plan
    outside: Outside
    secrets: ledger.CommitmentSecrets
    facts: list[Fact]
    waiting: deque[Delivery]
    in_hand: dict[str, Delivery] = field(default_factory=dict)
    changed_minds: set[Delivery] = field(default_factory=set)
    began: dict[str, int] = field(default_factory=dict)
    """At which step a fact was first in a writer's hands."""
    booked: dict[str, Booked] = field(default_factory=dict)
    known: dict[str, Fact] = field(default_factory=dict)
    step: int = 0
    clock_offset: timedelta = timedelta()
    refusal: str | None = None
    stuck_at: str | None = None
    awaits_comparison: bool = False
    """After a loss, until the publisher has compared, or an operator has brought back what is public."""
    leaves_of_before: int = 0
    entries_of_before: int = 0
    questions_of_before: int = 0

    def clock(self) -> datetime:
        """What a process sees on its wall; it may have been stepped."""
        return _BEGINNING + self.step * _STEP + self.clock_offset

    def elapsed(self) -> float:
        """Seconds as no wall clock counts them: long ones, so that how soon somebody acts is for the schedule to say."""
        return self.step * 60.0

    def take(self, writer: str) -> Delivery | None:
        """The delivery a writer works at: the one its predecessor died with, or the next."""
        if writer not in self.in_hand and self.waiting and self.waiting[0].due <= self.step:
            self.in_hand[writer] = self.waiting.popleft()
            for fact in self.in_hand[writer].facts:
                self.known[fact.key] = fact
                self.began.setdefault(fact.key, self.step)
        return self.in_hand.get(writer)

    def acknowledge(self, writer: str, entry_ids: Iterable[str], *, life: int) -> None:
        """Its transaction is committed, and it knows; nothing, when the database was put back meanwhile."""
        if life != self.outside.life:
            return
        delivery = self.in_hand.pop(writer)
        for fact, entry_id in zip(delivery.facts, entry_ids, strict=True):
            before = self.booked.setdefault(fact.key, Booked(entry_id=entry_id, ended=self.step))
            hold(before.entry_id == entry_id, "a fact that is delivered again is the same entry")

    def all_is_booked(self) -> bool:
        return not self.waiting and not self.in_hand and len(self.booked) == len(self.facts)

    def deliver_again(self) -> None:
        """The database was put back: what the processor has told so far, it tells again."""
        told = {fact.key: fact for delivery in self.in_hand.values() for fact in delivery.facts}
        again = [fact for key, fact in self.known.items() if key not in told]
        self.waiting.extendleft(Delivery(facts=(fact,), changes_mind=False, due=self.step) for fact in again)
        self.booked.clear()
        self.outside.life += 1


def new_world(plan: Plan, chance: random.Random, outside: Outside) -> World:
    """The facts of a plan, some delivered twice, in an order of chance."""
    facts = [
        Fact(
            key=f"pi_{number}",
            organization_id=chance.choice(ORGANIZATIONS[: chance.randint(1, 3)]),
            minor_units=chance.choice((500, 2_500)),
            is_fee=chance.random() < 0.25,
            happened_at=_BEGINNING + timedelta(minutes=chance.randint(0, 1)),
        )
        for number in range(plan.facts)
    ]
    told = facts + chance.sample(facts, len(facts) // 4)
    chance.shuffle(told)
    batches: list[tuple[Fact, ...]] = []
    while told:
        size = min(len(told), chance.choice((1, 1, 1, 2, 3)))
        # The same fact twice in one transaction would be one statement after the other: nothing to see.
        batches.append(tuple({fact.key: fact for fact in told[:size]}.values()))
        del told[:size]
    arrivals = sorted(chance.randrange(plan.steps * 3 // 4) for _ in batches)
    deliveries = deque(
        Delivery(facts=batch, changes_mind=chance.random() < 0.1, due=due)
        for batch, due in zip(batches, arrivals, strict=True)
    )
    secrets = ledger.CommitmentSecrets(key=bytes(32), random=random.Random(plan.facts).randbytes)  # noqa: S311 -- replayable
    return World(plan=plan, outside=outside, secrets=secrets, facts=facts, waiting=deliveries)
