"""A donor of split gifts, for tests."""

from datetime import datetime
from typing import Any, Final

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import payments, webhooks
from amply.modules.donations import (
    EventDependencies,
    SplitGiftDependencies,
    complete_splits,
    end_abandoned,
    end_exhausted,
    handle_provider_event,
    handle_setup_event,
    keeps_event,
)
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.service import Answer
from amply.modules.donations.split_domain import NewSplitGift
from amply.modules.donations.split_rows import get
from amply.modules.donations.splits import give_to_many, pay_parts
from amply.modules.payments import Paid
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.sealed_rows import rows_in
from tests.backend.world import NOW, FakeClock, FakeProcessor, ready_organization, setup_failed

AMOUNTS: Final = (2000, 1500, 1500)
CARD: Final = "pm_card"


class Giver:
    """Somebody who gives to three organisations at once, always in the same words."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.processor = FakeProcessor()
        self.method_cloning = FakeMethodCloning()
        self.clock = FakeClock()
        self.organizations = [
            ready_organization(database, self.processor, slug=f"trust-{number}") for number in range(3)
        ]
        self.parts = SplitGiftDependencies(
            database=database, processor=self.processor, method_cloning=self.method_cloning, clock=self.clock
        )
        self._events = 0

    def give(self, *, key: str = "key-1") -> Answer:
        gifts = tuple(
            Gift(
                organization_id=organization_id,
                amount=Money(minor_units=amount, currency="EUR"),
                donor=Donor(name="Ada", email="ada@example.org"),
                message=None,
            )
            for organization_id, amount in zip(self.organizations, AMOUNTS, strict=True)
        )
        return give_to_many(
            self.parts, split=NewSplitGift(gifts=gifts), key=key, request={"amounts": AMOUNTS}
        )

    def give_with(self, card: str = CARD) -> str:
        """A gift whose donor has entered a card."""
        split_id: str = self.give().body["id"]
        self.enter(split_id, card)
        return split_id

    def enter(self, split_id: str, card: str, *, number: int = 1) -> None:
        self.method_cloning.entered[f"seti_{split_id}_{number}"] = card

    def pay(self, split_id: str) -> list[Paid | None]:
        split = pay_parts(self.parts, split_id=split_id)
        return [part.outcome.paid if part.outcome is not None else None for part in split.parts]

    def hear(self, *, declined: str | None = None) -> None:
        """What the processor says of each intent arrives as events, and is booked. `declined`: the card that was, of those unpaid."""
        handling = EventDependencies(database=self.database, processor=self.processor, secrets=SECRETS)
        for payment in self.rows("payment"):
            paid = self.method_cloning.standing.get(payment.remote_id) is Paid.PAID
            self._events += 1
            if not paid and payment.remote_id is not None:
                name = f"ch_{self._events}"
                self.processor.tell_attempt(payment.remote_id, "failed", name)
                if declined is not None:
                    told = payments.RemoteDecline(remote_id=name, card=declined, declined_at=self.clock())
                    self.processor.declined.setdefault(payment.remote_id, []).append(told)
            event = webhooks.ProviderEvent(
                id=f"evt_{self._events}",
                type="payment_intent.succeeded" if paid else "payment_intent.payment_failed",
                account_id=payment.account_id,
                livemode=False,
                occurred_at=NOW,
                object={"id": payment.remote_id, "metadata": {"amply_payment_id": payment.id}},
            )
            self.processor.gross = Money(minor_units=payment.minor_units, currency="EUR")
            self.processor.fee = None
            with self.database.transaction() as session:
                webhooks.ingest(session, event=event, livemode=False, keeps=keeps_event, now=NOW)
            handle_provider_event(handling, event_id=event.id, now=self.clock())

    def decline_card(self, split_id: str, card: str, *, number: int = 1, at: datetime | None = None) -> None:
        """The setup does not take a card, and the processor tells of it."""
        self._events += 1
        setup_id = f"seti_{split_id}_{number}"
        there = self.processor.declined.setdefault(setup_id, [])
        name = f"setatt_{self._events}"
        there.append(payments.RemoteDecline(remote_id=name, card=card, declined_at=at or self.clock()))
        told = setup_failed(f"evt_{self._events}", setup_id, account_id=None, now=self.clock())
        with self.database.transaction() as session:
            webhooks.ingest(session, event=told, livemode=False, keeps=keeps_event, now=self.clock())
        handling = EventDependencies(database=self.database, processor=self.processor, secrets=SECRETS)
        handle_setup_event(handling, event_id=told.id, now=self.clock())

    def end_what_must(self) -> int:
        ended = end_exhausted(self.database, self.processor, clock=self.clock)
        return ended + end_abandoned(self.database, self.processor, clock=self.clock)

    def status(self, split_id: str) -> str:
        with self.database.transaction() as session:
            return get(session, split_id=split_id).status

    def complete(self, *, minutes: float) -> int:
        self.clock.advance(minutes=minutes)
        return complete_splits(self.parts)

    def rows(self, table: str) -> list[Any]:
        with self.database.transaction() as session:
            return rows_in(session, table, order="1")

    def charged(self) -> list[str]:
        return sorted(remote_id for remote_id, _ in self.method_cloning.charged)
