"""Recurring plans over a real database, with a scripted processor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from amply.infra.database import Database, forbid_transaction
from amply.kernel.money import Money
from amply.modules import donations, ledger, mail, payments, recurring, webhooks
from amply.modules.donations import Answer, Donor, EventDependencies, Gift
from amply.modules.payments import Attempt, Charged, Decline, PaymentStatus
from amply.modules.recurring import starting
from amply.modules.recurring.cards import Cards
from amply.modules.recurring.due_dates import Interval, Schedule
from tests.backend.sealed_rows import rows_in
from tests.backend.world import (
    Died,
    FakeClock,
    FakeMailer,
    FakeProcessor,
    ready_organization,
    setup_failed,
)

SECRETS = ledger.CommitmentSecrets(key=bytes(32))
KEY = recurring.LinkKey(b"k" * 43)
EMAIL = "ada@example.org"
ADA = mail.address_digest(EMAIL)
CARD = payments.SavedMethod(id="pm_1", kind="card", last4="4242", mandate_id=None)
ACCOUNT = payments.SavedMethod(id="pm_iban", kind="sepa_debit", last4="3201", mandate_id="mandate_1")


@dataclass
class FakeSavedMethods:
    """Kept cards in memory. `answers` are given to the next charges, otherwise they succeed; a key is answered once. `stored` is
    what every setup has stored, `stored_by` what one has.

    `taken` counts what was really paid. `dies_after_charge` ends the process once the money is taken. `meanwhile` happens
    once, between a charge and its answer. `refuses_looks` is how often it would not say what an intent was paid with, and
    `cancels_unheard` how often it does not answer to a cancellation.
    """

    method: payments.SavedMethod | None = CARD
    answers: list[Charged | Exception] = field(default_factory=list)
    stored: payments.SavedMethod | None = None
    stored_by: dict[str, payments.SavedMethod] = field(default_factory=dict)
    setups: int = 0
    begun: dict[str, payments.Intent] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    attempts: list[tuple[str, str]] = field(default_factory=list)
    stands: dict[str, Charged] = field(default_factory=dict)
    known: dict[str, Charged] = field(default_factory=dict)
    canceled: list[str] = field(default_factory=list)
    dies_before_customer: bool = False
    dies_after_charge: bool = False
    meanwhile: Callable[[], object] | None = None
    refuses_looks: int = 0
    cancels_unheard: int = 0

    def create_customer(self, *, plan_id: str, account_id: str) -> str:
        forbid_transaction("create customer")
        if self.dies_before_customer:
            raise Died
        return f"cus_{plan_id}"

    def intent(self, *, remote_id: str, account_id: str) -> payments.Intent:
        forbid_transaction("intent")
        return payments.Intent(remote_id=remote_id, client_secret=f"{remote_id}_secret_x")

    def charge(self, *, remote_id: str, account_id: str, method_id: str, idempotency_key: str) -> Charged:
        forbid_transaction("charge")
        self.attempts.append((remote_id, method_id))
        if idempotency_key in self.known:
            return self.known[idempotency_key]
        if remote_id in self.taken:
            return Charged(status=PaymentStatus.SUCCEEDED)
        answer = self.answers.pop(0) if self.answers else Charged(status=PaymentStatus.SUCCEEDED)
        if isinstance(answer, Exception):
            raise answer
        self.known[idempotency_key] = self.stands[remote_id] = answer
        if answer.status is PaymentStatus.SUCCEEDED:
            self.taken[remote_id] = 1
        if self.dies_after_charge:
            raise Died
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return answer

    def standing(self, *, remote_id: str, account_id: str) -> Charged:
        forbid_transaction("standing")
        return self.stands[remote_id]

    def cancel(self, *, remote_id: str, account_id: str) -> PaymentStatus:
        forbid_transaction("cancel")
        if self.cancels_unheard > 0:
            self.cancels_unheard -= 1
            raise payments.ProcessorUnavailable("away")
        if remote_id in self.taken:
            return PaymentStatus.SUCCEEDED
        stands = self.stands.get(remote_id)
        if stands is not None and stands.status is PaymentStatus.PROCESSING:
            return PaymentStatus.PROCESSING
        self.canceled.append(remote_id)
        return PaymentStatus.CANCELED

    def method_of_intent(self, *, remote_id: str, account_id: str) -> payments.SavedMethod | None:
        forbid_transaction("method of intent")
        if self.refuses_looks > 0:
            self.refuses_looks -= 1
            raise payments.ProcessorRefused("not now")
        return self.method

    def begin_setup(self, *, customer_id: str, account_id: str, idempotency_key: str) -> payments.Intent:
        forbid_transaction("begin setup")
        if idempotency_key not in self.begun:
            self.setups += 1
            name = f"seti_{self.setups}"
            self.begun[idempotency_key] = payments.Intent(remote_id=name, client_secret=f"{name}_secret_x")
        return self.begun[idempotency_key]

    def method_of_setup(self, *, remote_id: str, account_id: str) -> payments.SavedMethod | None:
        forbid_transaction("method of setup")
        return self.stored_by.get(remote_id, self.stored)


def declined(code: str, advice: str | None = None) -> Charged:
    return Charged(status=PaymentStatus.FAILED, decline=Decline(code=code, advice=advice))


def plan_work(
    database: Database,
    *,
    processor: FakeProcessor,
    mailer: mail.Mailer,
    clock: FakeClock,
    saved: FakeSavedMethods | None = None,
) -> recurring.RecurringTaskDependencies:
    """What the worker needs for plans."""
    return recurring.RecurringTaskDependencies(
        collecting=recurring.CollectionDependencies(
            database=database, processor=processor, saved=saved or FakeSavedMethods()
        ),
        writing=recurring.PlanLetterDependencies(
            database=database, mailer=mailer, key=KEY, page="https://edge.example/giving/"
        ),
        clock=clock,
    )


class Plans:
    """One organisation, one donor, and everything that collects from them."""

    def __init__(
        self,
        database: Database,
        *,
        now: datetime,
        time_zone: str = "UTC",
        secrets: ledger.CommitmentSecrets = SECRETS,
    ) -> None:
        self.database = database
        self.clock = FakeClock(now)
        self.processor, self.saved, self.mailer = FakeProcessor(fee=None), FakeSavedMethods(), FakeMailer()
        self.organization_id = ready_organization(database, self.processor)
        self.time_zone = time_zone
        self.events = EventDependencies(database=database, processor=self.processor, secrets=secrets)
        self.parts = plan_work(
            database,
            processor=self.processor,
            mailer=self.mailer,
            clock=self.clock,
            saved=self.saved,
        )
        self._events = 0

    # ---- beginning ---------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        every: Interval = Interval.MONTH,
        day_of_month: int | None = None,
        key: str = "key-1",
        email: str = EMAIL,
        **says: Any,
    ) -> Answer:
        """`says`: what else the gift says, as `Gift` takes it."""
        gift = Gift(
            organization_id=self.organization_id,
            amount=says.pop("amount", Money(minor_units=2500, currency="EUR")),
            donor=Donor(name="Ada", email=email),
            message="for the river",
            **says,
        )
        schedule = Schedule.beginning(
            now=self.clock(), every=every, time_zone=self.time_zone, day_of_month=day_of_month
        )
        return starting.start(
            starting.PlanStartDependencies(
                database=self.database, processor=self.processor, saved=self.saved, clock=self.clock
            ),
            gift=gift,
            schedule=schedule,
            key=key,
            request={"a": "plan"},
        )

    def begin(self, *, every: Interval = Interval.MONTH, day_of_month: int | None = None, **says: Any) -> str:
        """A plan whose first gift has arrived; returns its id."""
        answer = self.start(every=every, day_of_month=day_of_month, **says)
        self.hear_of_all()
        self.work()
        return str(answer.body["plan_id"])

    # ---- what comes in -----------------------------------------------------------------------------------------

    def hear(self, payment: Any, event_type: str, *, object_id: str | None = None) -> None:
        """An event about a payment comes and is handled; with an id, one about something of the payment's."""
        self._events += 1
        self.processor.gross = Money(minor_units=payment.minor_units, currency=payment.currency)
        event = webhooks.ProviderEvent(
            id=f"evt_{self._events}",
            type=event_type,
            account_id=payment.account_id,
            livemode=False,
            occurred_at=self.clock(),
            object={
                "id": object_id or payment.remote_id,
                **({"object": "of a payment", "payment_intent": payment.remote_id} if object_id else {}),
                "metadata": {"amply_payment_id": payment.id},
            },
        )
        with self.database.transaction() as session:
            webhooks.ingest(
                session, event=event, livemode=False, keeps=donations.keeps_event, now=self.clock()
            )
        donations.handle_provider_event(self.events, event_id=event.id, now=self.clock())

    def decline_card(self, setup_id: str, card: str) -> None:
        """A setup does not take a card, and the processor tells of it."""
        self._events += 1
        there = self.processor.declined.setdefault(setup_id, [])
        name = f"setatt_{self._events}"
        there.append(payments.RemoteDecline(remote_id=name, card=card, declined_at=self.clock()))
        with self.database.transaction() as session:
            (account_id,) = session.scalars(text("SELECT DISTINCT account_id FROM plan"))
        told = setup_failed(f"evt_{self._events}", setup_id, account_id=account_id, now=self.clock())
        with self.database.transaction() as session:
            webhooks.ingest(
                session, event=told, livemode=False, keeps=donations.keeps_event, now=self.clock()
            )
        donations.handle_setup_event(self.events, event_id=told.id, now=self.clock())

    def end_what_must(self) -> int:
        ended = donations.end_exhausted(self.database, self.processor, clock=self.clock)
        return ended + donations.end_abandoned(self.database, self.processor, clock=self.clock)

    def hear_of_all(self) -> None:
        """The events of everything that was paid or declined, the first gift included."""
        for payment in self.rows("payment"):
            if payment.status in ("succeeded", "canceled") or payment.remote_id is None:
                continue
            stands = self.saved.stands.get(payment.remote_id)
            if stands is None and not payment.keeps_method:
                continue
            if stands is None or stands.status is PaymentStatus.SUCCEEDED:
                self.hear(payment, "payment_intent.succeeded")
            elif stands.status is PaymentStatus.FAILED and payment.status != "failed":
                self.processor.attempts[payment.remote_id] = Attempt(
                    status=PaymentStatus.FAILED, name=f"ch_{self._events}"
                )
                self.hear(payment, "payment_intent.payment_failed")

    # ---- time --------------------------------------------------------------------------------------------------

    def work(self) -> None:
        """The worker's turns at this moment, until nothing is left to do at it."""
        while recurring.collect_due(self.parts, now=self.clock()):
            pass
        recurring.send_letters(self.parts, now=self.clock())

    def at(self, moment: datetime) -> None:
        """It becomes this moment: everything is collected, heard of, and looked at again a minute later."""
        self.clock.now = moment
        self.work()
        self.hear_of_all()
        self.clock.advance(minutes=2)
        self.work()

    def on(self, year: int, month: int, day: int, hour: int = 9) -> None:
        self.at(datetime(year, month, day, hour, tzinfo=UTC))

    # ---- what is there -----------------------------------------------------------------------------------------

    @property
    def cards(self) -> Cards:
        return Cards(database=self.database, saved=self.saved, clock=self.clock)

    def rows(self, table: str) -> list[Any]:
        """Every row of a table; where fields are sealed, opened by their names."""
        with self.database.transaction() as session:
            return rows_in(session, table)

    @property
    def plan(self) -> Any:
        (found,) = self.rows("plan")
        return found

    def states(self) -> list[tuple[int, str]]:
        return [(row.period, row.state) for row in self.rows("plan_charge")]

    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.mailer.sent]

    def booked(self) -> int:
        with self.database.transaction() as session:
            found = session.scalar(text("SELECT count(*) FROM entry WHERE kind = 'donation.succeeded'"))
        return int(found or 0)
