"""A donation form under card testing, for tests."""

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import defence, ledger, payments, webhooks
from amply.modules.donations import (
    EventDependencies,
    end_abandoned,
    end_exhausted,
    handle_provider_event,
    handle_setup_event,
    keeps_event,
)
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.service import donate
from tests.backend.api_world import Api
from tests.backend.card_testing import EasyWork
from tests.backend.world import setup_failed

STRANGER = "198.51.100.7"
SECRETS = ledger.CommitmentSecrets(key=bytes(32))


class Form(Api):
    """A donation form that cards are tried on."""

    def __init__(self, database: Database, *, operator: Database) -> None:
        super().__init__(database, operator=operator)
        self.operator = operator
        self.handling = EventDependencies(database=operator, processor=self.processor, secrets=SECRETS)
        self.keys = 0
        self.gifts_of_attack, self.gifts_through = 10, 30

    def open(
        self,
        *,
        address: str = STRANGER,
        minor_units: int = 2500,
        solution: str | None = None,
        headers: dict[str, str] | None = None,
        domain: str = "example.org",
    ) -> Any:
        """A gift by a donor of its own, from this address."""
        self.keys += 1
        return self.give(
            key=f"key-{self.keys}",
            headers={
                "X-Amply-Client": address,
                **({"Amply-Challenge": solution} if solution else {}),
                **(headers or {}),
            },
            amount={"minor_units": str(minor_units), "currency": "EUR"},
            donor={"name": "Ada", "email": f"ada-{self.keys}@{domain}"},
        )

    def open_by_program(self) -> str:
        """A gift that an organisation's own program takes, by its key; returns its id."""
        self.keys += 1
        gift = Gift(
            organization_id=self.organization_id,
            amount=Money(minor_units=2500, currency="EUR"),
            donor=Donor(name="Ada", email="ada@example.org"),
            message=None,
        )
        taken = donate(
            self.operator,
            self.processor,
            gift=gift,
            key=f"key-{self.keys}",
            request={"key": self.keys},
            clock=self.clock,
            marks=defence.Fingerprints.of_program(gift.amount),
        )
        return str(taken.body["id"])

    def decline(self, donation_id: str, *, card: str | None, charge: str | None = None) -> None:
        """The processor tells of a card that was declined for this gift."""
        with self.operator.transaction() as session:
            payment = payments.for_donation(session, donation_id=donation_id)
        self.keys += 1
        there = self.processor.declined.setdefault(payment.remote_id or "", [])
        name = charge or f"ch_{self.keys}"
        if name not in {each.remote_id for each in there}:
            there.append(payments.RemoteDecline(remote_id=name, card=card, declined_at=self.clock()))
        self.tell(donation_id, "payment_intent.payment_failed")

    def decline_setup(self, setup_id: str, card: str) -> None:
        """The processor tells of a card that a setup on the platform did not take."""
        self.keys += 1
        there = self.processor.declined.setdefault(setup_id, [])
        name = f"setatt_{self.keys}"
        there.append(payments.RemoteDecline(remote_id=name, card=card, declined_at=self.clock()))
        told = setup_failed(f"evt_{self.keys}", setup_id, account_id=None, now=self.clock())
        with self.operator.transaction() as session:
            webhooks.ingest(session, event=told, livemode=False, keeps=keeps_event, now=self.clock())
        handle_setup_event(self.handling, event_id=told.id, now=self.clock())

    def tell(self, donation_id: str, event_type: str) -> None:
        """The processor tells of a gift's payment."""
        with self.operator.transaction() as session:
            payment = payments.for_donation(session, donation_id=donation_id)
        self.keys += 1
        told = webhooks.ProviderEvent(
            id=f"evt_{self.keys}",
            type=event_type,
            account_id=payment.account_id,
            livemode=False,
            occurred_at=self.clock(),
            object={
                "id": payment.remote_id,
                "object": "payment_intent",
                "metadata": {"amply_payment_id": payment.id},
            },
        )
        with self.operator.transaction() as session:
            webhooks.ingest(session, event=told, livemode=False, keeps=keeps_event, now=self.clock())
        handle_provider_event(self.handling, event_id=told.id, now=self.clock())

    def rows(self, table: str) -> list[Any]:
        with self.operator.transaction() as session:
            return list(session.execute(text(f"SELECT * FROM {table}")))  # noqa: S608 -- the test's own table names

    def close(self) -> int:
        ended = end_exhausted(self.operator, self.processor, clock=self.clock)
        return ended + end_abandoned(self.operator, self.processor, clock=self.clock)

    def attack(self) -> None:
        """Gifts from all over the world, two cards declined for each."""
        for number in range(self.gifts_of_attack):
            opened = self.open(address=f"203.{number}.113.7").json()["id"]
            for card in (f"card-{number}a", f"card-{number}b"):
                self.decline(opened, card=card)

    def make_challenges_easy(self) -> None:
        """What they cost is not what is looked at."""
        gate: defence.Gate = self.app.state.gate
        self.app.state.gate = replace(gate, challenge=EasyWork(gate.keys))

    def open_solving(self, *, address: str) -> Any:
        """A gift for which a challenge is solved, where one is asked for."""
        opened = self.open(address=address)
        if opened.status_code != 403:
            return opened
        self.keys -= 1
        return self.open(address=address, solution=defence.solve(opened.json()["challenge"]))

    def push_through(self, *, gifts: int | None = None) -> None:
        """From a network each, with the challenge solved: two cards declined for each."""
        for number in range(self.gifts_through if gifts is None else gifts):
            opened = self.open_solving(address=f"198.18.{number}.9").json()["id"]
            for card in ("a", "b"):
                self.decline(opened, card=f"bought-{number}{card}")

    def besiege(self) -> None:
        """An attack that the challenge has not stopped for ten minutes, and that goes on."""
        self.make_challenges_easy()
        self.attack()
        self.clock.advance(minutes=10, seconds=1)
        self.push_through()
