"""Simulates a card tester among donors: real gate, gifts, events and database; simulated processor, time and network.

Every attempt is a card that the tester wants an answer for. He opens a gift from the next of his addresses, tries cards on
it until it is ended, and opens another. A patient one solves what he is asked, a hasty one does not. Donors give meanwhile:
some mistype a card first, some stand in a network that he uses too, a few behind the very same address.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.counters import ProcessCounters
from amply.infra.database import Database
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import Money
from amply.modules import defence, ledger, payments, webhooks
from amply.modules.defence import ProofOfWork
from amply.modules.donations import (
    EventDependencies,
    SplitGiftDependencies,
    end_exhausted,
    handle_provider_event,
    handle_setup_event,
    keeps_event,
)
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.service import donate
from amply.modules.donations.split_domain import NewSplitGift
from amply.modules.donations.splits import give_to_many
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.world import FakeClock, FakeProcessor, ready_organization, setup_failed

EVENT_LAG: Final = timedelta(seconds=3)
"""From a decline until its event is handled: Stripe's delivery, the relay and the worker."""
SECRETS: Final = ledger.CommitmentSecrets(key=bytes(32))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """How large it is. `networks` times `addresses` are what the tester has; rates are a second.

    `shares`: he tries his cards where one is entered for a gift to several organisations, and so on SetupIntents.
    """

    attempts: int
    donors: int
    networks: int
    addresses: int
    rate: float
    is_patient: bool
    shares: bool = False
    seed: int = 1


@dataclass(kw_only=True)
class Told:
    """What came of it.

    Attributes:
        reached: Attempts that the processor saw, and so got an answer.
        digests: What the tester's challenges cost him, in SHA-256.
        attacked_after: Attempts that the processor had seen when the organisation was found to be under attack.
        challenged: Donors who were asked for a proof of work.
        refused: Donors who were refused at least once.
        beside: Donors in a network that the tester used too.
        lost: Donors whose gift did not arrive in the end, in three tries.
        lost_apart: Those among them who were in no network of his.
        elsewhere_challenged: Those among the challenged who gave to an organisation that was not attacked.
        closed_after: Attempts that the processor had seen when the organisation's form was closed.
        came_back: Donors who found it closed, and gave when it was open again.
        elsewhere_closed: Donors of the other organisation who found its form closed.
    """

    attempts: int = 0
    reached: int = 0
    digests: int = 0
    attacked_after: int | None = None
    donors: int = 0
    challenged: int = 0
    refused: int = 0
    beside: int = 0
    lost: int = 0
    lost_apart: int = 0
    elsewhere_challenged: int = 0
    closed_after: int | None = None
    came_back: int = 0
    elsewhere_closed: int = 0


class Tried(FakeProcessor):
    """A processor that cards are tried at: an ended intent takes none."""

    def try_card(self, remote_id: str, card: str, *, now: Any, works: bool) -> bool | None:
        """None: the intent was ended, and nothing is learnt of the card."""
        if remote_id in self.canceled:
            return None
        if not works:
            there = self.declined.setdefault(remote_id, [])
            there.append(
                payments.RemoteDecline(remote_id=f"ch_{remote_id}_{len(there)}", card=card, declined_at=now)
            )
        return works


class EasyWork(ProofOfWork):
    """Challenges as hard as they are, noted; posed with one bit, so that this takes minutes and not days."""

    def __init__(self, keys: defence.DailyKeys) -> None:
        super().__init__(keys.of)
        self.asked = 0

    def pose(self, about: defence.About, *, bits: int, now: Any) -> Mapping[str, Any]:
        self.asked = 16 << bits
        return super().pose(about, bits=1, now=now)


@dataclass
class Simulation:
    """Plays one scene on a database; every draw comes from its seed."""

    database: Database
    scene: Scene
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.scene.seed)  # noqa: S311 -- a scene is to be played again, not to be secret
        self.clock = FakeClock()
        self.processor = Tried()
        self.attacked = ready_organization(self.database, self.processor)
        self.other = ready_organization(self.database, self.processor, slug="hill-trust")
        keys = defence.DailyKeys(self.database)
        self.work = EasyWork(keys)
        self.gate = defence.Gate(
            database=self.database,
            counters=ProcessCounters(sees_all=True),
            keys=keys,
            challenge=self.work,
        )
        self.handling = EventDependencies(database=self.database, processor=self.processor, secrets=SECRETS)
        self._due: list[tuple[Any, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._names = itertools.count(1)
        self._intent: str | None = None

    def play(self) -> Told:
        """Until nobody does anything more."""
        lasts = self.scene.attempts / self.scene.rate
        for number in range(self.scene.attempts):
            self._at(number / self.scene.rate, self._try_next_card)
        for number in range(self.scene.donors):
            self._at(self.draw.uniform(0, lasts), lambda number=number: self._give(number))  # type: ignore[misc] # a default binds the number
        while self._due:
            self.clock.now, _, act = heapq.heappop(self._due)
            act()
        return self.told

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.clock.now + timedelta(seconds=seconds), next(self._order), act))

    # ---- the tester ------------------------------------------------------------------------------------------------

    def _try_next_card(self) -> None:
        self.told.attempts += 1
        if self._intent is None:
            self._intent = self._open_as_tester()
        if self._intent is None:
            return
        card = f"stolen-{self.told.attempts}"
        if self._try(self._intent, card) is None:
            self._intent = None  # and this card waits for another day
        else:
            self.told.reached += 1

    def _open_as_tester(self) -> str | None:
        address = self._tester_address()

        def solves() -> bool:
            if self.scene.is_patient:
                self.told.digests += self.work.asked
            return self.scene.is_patient

        minor_units = self.draw.choice((100, 100, 200, 500))
        try:
            return self._open(
                self.attacked, address, minor_units, "Mozilla/5.0 (bot)", solves, shares=self.scene.shares
            )
        except (TooManyRequests, defence.FormClosed):
            return None

    def _tester_address(self) -> str:
        network = self.draw.randrange(self.scene.networks)
        return f"81.{network // 250}.{network % 250}.{self.draw.randrange(self.scene.addresses) + 1}"

    # ---- donors ----------------------------------------------------------------------------------------------------

    def _give(self, number: int) -> None:
        """One in twenty stands in a network that the tester has too, one in two hundred behind one of his addresses."""
        self.told.donors += 1
        address = f"92.{self.draw.randrange(200)}.{self.draw.randrange(250)}.{self.draw.randrange(250) + 1}"
        if number % 20 == 0:
            self.told.beside += 1
            address = self._tester_address()
            if number % 200:
                address = f"{address.rpartition('.')[0]}.{200 + number % 50}"
        self._give_from(address, organization=self.other if number % 4 == 3 else self.attacked, tries=3)

    def _give_from(self, address: str, *, organization: str, tries: int) -> None:
        seen: list[bool] = []

        def solves() -> bool:
            seen.append(True)
            return True

        def try_later(*, after: float) -> None:
            if tries == 1:
                self.told.lost += 1
                self.told.lost_apart += address.startswith("92.")
            else:
                self._at(after, lambda: self._give_from(address, organization=organization, tries=tries - 1))

        minor_units = self.draw.choice((500, 1000, 2500, 5000))
        agent = f"Mozilla/5.0 ({self.draw.randrange(40)})"
        try:
            intent = self._open(organization, address, minor_units, agent, solves)
        except TooManyRequests:
            self.told.refused += tries == 3
            try_later(after=90)
            return
        except defence.FormClosed as closed:
            self._come_back(address, organization=organization, closed=closed, tries=tries)
            return
        finally:
            self.told.challenged += bool(seen) and tries == 3
            self.told.elsewhere_challenged += bool(seen) and tries == 3 and organization == self.other
        assert intent is not None
        card = f"own-{next(self._names)}"
        if self.draw.random() < 0.06:
            self._at(20, lambda: self._pay_in_the_end(intent, card, try_later))
            self._try(intent, f"mistyped-{card}")
        else:
            self._pay_in_the_end(intent, card, try_later)

    def _come_back(self, address: str, *, organization: str, closed: defence.FormClosed, tries: int) -> None:
        """When the sentence says; that is no try."""
        self.told.came_back += 1
        self.told.elsewhere_closed += organization == self.other
        after = (closed.opens_at - self.clock()).total_seconds() + self.draw.uniform(1, 600)
        self._at(after, lambda: self._give_from(address, organization=organization, tries=tries))

    def _pay_in_the_end(self, intent: str, card: str, try_later: Callable[..., None]) -> None:
        if self.processor.try_card(intent, card, now=self.clock(), works=True) is None:
            try_later(after=5)

    # ---- what both do ----------------------------------------------------------------------------------------------

    def _open(
        self,
        organization: str,
        address: str,
        minor_units: int,
        agent: str,
        solves: Callable[[], bool],
        *,
        shares: bool = False,
    ) -> str | None:
        """The intent of a gift that was opened; None where a challenge stays unsolved.

        `shares`: of one to the other organisation too, the setup where its card is entered.
        """
        key = f"key-{next(self._names)}"
        attempt = defence.Attempt(
            client=defence.Client(address=address, device=agent),
            organization_id=organization,
            mail=f"{key}@example.org",
            amount=Money(minor_units=minor_units, currency="EUR"),
            idempotency_key=key,
        )
        try:
            marks = self.gate.admit(attempt, solution=None, now=self.clock())
        except defence.ChallengeRequired as required:
            if not solves():
                return None
            solution = defence.solve(required.members["challenge"])
            marks = self.gate.admit(attempt, solution=solution, now=self.clock())
        gift = Gift(
            organization_id=organization,
            amount=attempt.amount,
            donor=Donor(name="Ada", email=attempt.mail),
            message=None,
        )
        if shares:
            return self._share(gift, key=key, marks=marks)
        answer = donate(
            self.database,
            self.processor,
            gift=gift,
            key=key,
            request={"key": key},
            clock=self.clock,
            marks=marks,
        )
        secret: str = answer.body["payment"]["client_secret"]
        return secret.partition("_secret_")[0]

    def _share(self, gift: Gift, *, key: str, marks: defence.Fingerprints) -> str:
        answer = give_to_many(
            SplitGiftDependencies(
                database=self.database,
                processor=self.processor,
                method_cloning=FakeMethodCloning(),
                clock=self.clock,
            ),
            split=NewSplitGift(gifts=(gift, replace(gift, organization_id=self.other))),
            key=key,
            request={"key": key},
            marks=marks,
        )
        secret: str = answer.body["setup"]["client_secret"]
        return secret.partition("_secret_")[0]

    def _try(self, intent: str, card: str) -> bool | None:
        """A card that is declined; its event is handled a little later, and what must end is ended then."""
        answer = self.processor.try_card(intent, card, now=self.clock(), works=False)
        if answer is not None:
            self._at(EVENT_LAG.total_seconds(), lambda: self._hear_of(intent))
        return answer

    def _hear_of(self, intent: str) -> None:
        event_id = f"evt_{next(self._names)}"
        with self.database.transaction() as session:
            event = self._failed(session, event_id, intent)
            webhooks.ingest(session, event=event, livemode=False, keeps=keeps_event, now=self.clock())
        handle = handle_setup_event if event.type in webhooks.SETUP_TYPES else handle_provider_event
        handle(self.handling, event_id=event_id, now=self.clock())
        topics: list[str] = []
        outbox.relay_batch(self.database, publish=lambda fact: topics.append(fact.topic), now=self.clock())
        if defence.TOPIC_EXHAUSTED in topics:
            end_exhausted(self.database, self.processor, clock=self.clock)
        if self.told.attacked_after is None or self.told.closed_after is None:
            self._look()

    def _failed(self, session: Session, event_id: str, intent: str) -> webhooks.ProviderEvent:
        if intent not in self.processor.payment_of:
            return setup_failed(event_id, intent, account_id=None, now=self.clock())
        payment = payments.get(session, payment_id=self.processor.payment_of[intent])
        return webhooks.ProviderEvent(
            id=event_id,
            type="payment_intent.payment_failed",
            account_id=payment.account_id,
            livemode=False,
            occurred_at=self.clock(),
            object={"id": intent, "object": "payment_intent"},
        )

    def _look(self) -> None:
        with self.database.transaction() as session:
            if self.told.attacked_after is None and defence.count_attacks(session, now=self.clock()):
                self.told.attacked_after = self.told.reached
            if self.told.closed_after is None and defence.latest_closings(session):
                self.told.closed_after = self.told.reached
