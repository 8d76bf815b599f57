"""Recurring gifts at Stripe's API as the sandbox speaks it: kept cards and accounts, and a year that is stepped through."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe
from pydantic import SecretStr
from sqlalchemy import text

from amply.adapters.stripe import StripeEventVerifier, StripeSavedMethods
from amply.infra.database import Database
from amply.infra.settings import StripeSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, organizations, payments, recurring, webhooks
from amply.modules.payments import Charged, Customer, Decline, PaymentStatus
from amply.modules.recurring import starting
from amply.modules.recurring.cards import Cards, begin_card, finish_card
from amply.modules.recurring.due_dates import Interval, Schedule
from tests.backend.contract.test_processor import stripe_at
from tests.backend.plan_world import ADA, EMAIL, KEY, SECRETS
from tests.backend.world import Died, FakeClock, FakeMailer, anybody, death
from tests.stripe_sandbox.running import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    Endpoint,
    Sandbox,
    receiving,
    running,
    settings_in,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
GIFT = Money(minor_units=2500, currency="EUR")
PAGE = "https://edge.example/"
MANDATE = {"customer_acceptance": {"type": "offline"}}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with receiving() as endpoint:
        yield endpoint


@pytest.fixture
def clock() -> FakeClock:
    """The sandbox's and ours: it is one world."""
    return FakeClock(system_clock().replace(hour=12, minute=0, second=0, microsecond=0))


@pytest.fixture
def sandbox(tmp_path: Path, endpoint: Endpoint) -> Iterator[Sandbox]:
    settings = settings_in(tmp_path, endpoint)
    with running(settings) as sandbox:
        yield sandbox


def saved_at(sandbox: Sandbox, *, kind: type[StripeSavedMethods] = StripeSavedMethods) -> StripeSavedMethods:
    return kind(
        StripeSettings(api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY)
    )


class Shelf:
    """An account with a customer, whose methods are kept and charged."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.saved = sandbox, saved_at(sandbox)
        self.processor = stripe_at(sandbox.url)
        opened = self.processor.create_account(
            organization_id="org_1", name="River Trust", country="DE", email="t@river.example"
        )
        self.account_id = self.processor.account(account_id=opened.id).id
        self.options: Any = {"stripe_account": self.account_id}
        self.customer_id = self.saved.create_customer(plan_id="pln_1", account_id=self.account_id)

    def intent(self, number: int, *, keeps: bool = False) -> str:
        return self.processor.create_intent(
            payment_id=f"pay_{number}",
            donation_id=f"don_{number}",
            account_id=self.account_id,
            amount=GIFT,
            idempotency_key=f"payment:{number}",
            customer=Customer(id=self.customer_id, keeps_method=keeps),
        ).remote_id

    def pay_first(self, **how: Any) -> payments.SavedMethod:
        remote_id = self.intent(0, keeps=True)
        confirmed: Any = {"return_url": PAGE, **how}
        self.sandbox.client().v1.payment_intents.confirm(remote_id, confirmed, self.options)
        kept = self.saved.method_of_intent(remote_id=remote_id, account_id=self.account_id)
        assert kept is not None
        return kept

    def charge(self, remote_id: str, method: payments.SavedMethod, *, key: str = "try-1") -> Charged:
        return self.saved.charge(
            remote_id=remote_id, account_id=self.account_id, method_id=method.id, idempotency_key=key
        )


@pytest.fixture
def shelf(sandbox: Sandbox) -> Shelf:
    return Shelf(sandbox)


def test_the_same_plan_is_the_same_customer_and_says_nothing_of_the_donor(shelf: Shelf) -> None:
    again = shelf.saved.create_customer(plan_id="pln_1", account_id=shelf.account_id)
    assert again == shelf.customer_id
    there = shelf.sandbox.client().v1.customers.retrieve(again, {}, shelf.options)
    assert (there.name, there.email, (there.metadata or stripe.StripeObject()).to_dict()) == (
        None,
        None,
        {"amply_plan_id": "pln_1"},
    )


def test_what_pays_the_first_gift_is_kept_and_pays_the_next(shelf: Shelf) -> None:
    card = shelf.pay_first(payment_method="pm_card_visa")
    assert (card.kind, card.last4, card.mandate_id) == ("card", "4242", None)

    remote_id = shelf.intent(1)
    assert shelf.charge(remote_id, card) == Charged(status=PaymentStatus.SUCCEEDED)
    assert shelf.charge(remote_id, card) == Charged(status=PaymentStatus.SUCCEEDED), "the same attempt"
    assert shelf.charge(remote_id, card, key="try-2") == Charged(status=PaymentStatus.SUCCEEDED)
    charges = shelf.sandbox.client().v1.charges.list({"payment_intent": remote_id}, shelf.options).data
    assert [charge.amount for charge in charges] == [2500], "an intent is paid once"


def test_nothing_is_kept_before_the_donor_has_paid(shelf: Shelf) -> None:
    remote_id = shelf.intent(0, keeps=True)
    assert shelf.saved.method_of_intent(remote_id=remote_id, account_id=shelf.account_id) is None
    assert shelf.saved.standing(remote_id=remote_id, account_id=shelf.account_id).status == "pending"


def test_a_card_that_fails_once_it_is_kept_says_why(shelf: Shelf) -> None:
    card = shelf.pay_first(payment_method="pm_card_chargeCustomerFail")
    remote_id = shelf.intent(1)
    refused = Charged(status=PaymentStatus.FAILED, decline=Decline(code="generic_decline"))
    assert shelf.charge(remote_id, card) == refused
    assert shelf.saved.standing(remote_id=remote_id, account_id=shelf.account_id) == refused
    other = shelf.sandbox.client().v1.payment_methods.attach(
        "pm_card_visa", {"customer": shelf.customer_id}, shelf.options
    )
    another = payments.SavedMethod(id=other.id, kind="card", last4="4242", mandate_id=None)
    assert shelf.charge(remote_id, another, key="try-2").status is PaymentStatus.SUCCEEDED


def test_a_bank_that_asks_for_its_customer_is_told_apart(shelf: Shelf) -> None:
    other = shelf.sandbox.client().v1.payment_methods.attach(
        "pm_card_authenticationRequired", {"customer": shelf.customer_id}, shelf.options
    )
    card = payments.SavedMethod(id=other.id, kind="card", last4="3184", mandate_id=None)
    told = shelf.charge(shelf.intent(1), card)
    assert (told.status, told.decline) == (PaymentStatus.FAILED, Decline(code="authentication_required"))


def test_a_bank_account_is_kept_with_its_mandate_and_answers_later(shelf: Shelf) -> None:
    data = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": "AT611904300234573201"},
        "billing_details": {"name": "Ada", "email": EMAIL},
    }
    account = shelf.pay_first(payment_method_data=data, mandate_data=MANDATE)
    assert (account.kind, account.last4) == ("sepa_debit", "3201")
    assert account.mandate_id is not None
    assert shelf.charge(shelf.intent(1), account).status is PaymentStatus.PROCESSING


def test_an_intent_that_was_given_up_is_paid_by_nobody(shelf: Shelf) -> None:
    card = shelf.pay_first(payment_method="pm_card_visa")
    remote_id = shelf.intent(1)
    for _ in range(2):
        assert shelf.saved.cancel(remote_id=remote_id, account_id=shelf.account_id) == "canceled"
    assert shelf.charge(remote_id, card).status is PaymentStatus.CANCELED
    paid = shelf.intent(2)
    shelf.charge(paid, card, key="try-2")
    assert shelf.saved.cancel(remote_id=paid, account_id=shelf.account_id) == "succeeded"


def test_another_card_is_kept_once_the_browser_has_stored_it(shelf: Shelf) -> None:
    setup = shelf.saved.begin_setup(
        customer_id=shelf.customer_id, account_id=shelf.account_id, idempotency_key="setup-1"
    )
    assert shelf.saved.method_of_setup(remote_id=setup.remote_id, account_id=shelf.account_id) is None
    shelf.sandbox.client().v1.setup_intents.confirm(
        setup.remote_id, {"payment_method": "pm_card_mastercard", "return_url": PAGE}, shelf.options
    )
    kept = shelf.saved.method_of_setup(remote_id=setup.remote_id, account_id=shelf.account_id)
    assert kept is not None
    assert (kept.kind, kept.last4) == ("card", "4444")


class Year:
    """A plan at the sandbox, whose clock and ours go forward together; events arrive signed, over HTTP."""

    def __init__(self, database: Database, sandbox: Sandbox, endpoint: Endpoint, clock: FakeClock) -> None:
        self.database, self.sandbox, self.endpoint, self.clock = database, sandbox, endpoint, clock
        self.processor, self.saved, self.mailer = stripe_at(sandbox.url), saved_at(sandbox), FakeMailer()
        with database.transaction() as session:
            made = organizations.create(
                session, name="River Trust", slug="river-trust", country="DE", now=clock()
            )

        def connect() -> payments.Account:
            return payments.connect_organization(
                database, self.processor, organization=made, email="t@river.example", now=clock()
            )

        connect()  # opened; by the next look it is ready
        self.options: Any = {"stripe_account": connect().id}
        self.organization_id = made.id
        self.events = donations.EventDependencies(
            database=database, processor=self.processor, secrets=SECRETS
        )
        self.parts = recurring.RecurringTaskDependencies(
            collecting=recurring.CollectionDependencies(
                database=database, processor=self.processor, saved=self.saved
            ),
            writing=recurring.PlanLetterDependencies(
                database=database, mailer=self.mailer, key=KEY, page=PAGE
            ),
            clock=clock,
        )

    def start(self, payment_method: str) -> str:
        schedule = Schedule.beginning(now=self.clock(), every=Interval.MONTH, time_zone="UTC")
        answer = starting.start(
            starting.PlanStartDependencies(
                database=self.database, processor=self.processor, saved=self.saved, clock=self.clock
            ),
            gift=donations.Gift(
                organization_id=self.organization_id,
                amount=GIFT,
                donor=donations.Donor(name="Ada", email=EMAIL),
                message=None,
            ),
            schedule=schedule,
            key="key-1",
            request={"a": "plan"},
        )
        secret = answer.body["donation"]["payment"]["client_secret"]
        self.sandbox.client().v1.payment_intents.confirm(
            secret.partition("_secret_")[0],
            {"payment_method": payment_method, "return_url": PAGE},
            self.options,
        )
        self.hear("payment_intent.succeeded")
        self.work()
        return str(answer.body["plan_id"])

    def hear(self, event_type: str) -> None:
        """Wait until an event of this type has come; it is stored and handled, with what came before it."""
        while True:
            webhook = self.endpoint.take()
            event = StripeEventVerifier(WEBHOOK_SECRET).verify(
                payload=webhook.payload, signature=webhook.signature, now=system_clock()
            )
            with self.database.transaction() as session:
                webhooks.ingest(
                    session, event=event, livemode=False, keeps=donations.keeps_event, now=self.clock()
                )
            if event.type in (
                "payment_intent.succeeded",
                "payment_intent.payment_failed",
                "payment_intent.canceled",
            ):
                donations.handle_provider_event(self.events, event_id=event.id, now=self.clock())
            if event.type == event_type:
                return

    def work(self) -> None:
        while recurring.collect_due(self.parts, now=self.clock()):
            pass
        recurring.send_letters(self.parts, now=self.clock())

    def step_to(self, moment: datetime, *, hears: str | None = None) -> None:
        """Both clocks go forward to a moment; what is due is collected and heard of."""
        seconds = (moment - self.clock()).total_seconds()
        if seconds:
            assert self.sandbox.hook("clock", {"seconds": int(seconds)}).status_code == 200
        self.clock.now = moment
        self.work()
        if hears is not None:
            self.hear(hears)
        self.clock.advance(minutes=2)
        self.work()

    def due(self) -> datetime:
        with self.database.transaction() as session:
            found: datetime | None = session.scalar(text("SELECT next_due_at FROM plan"))
        assert found is not None
        return found

    def give_card(self, plan_id: str, payment_method: str) -> None:
        cards = Cards(database=self.database, saved=self.saved, clock=self.clock)
        opened = begin_card(cards, plan_id=plan_id, email_sha256=ADA, admit=anybody)
        self.sandbox.client().v1.setup_intents.confirm(
            opened.client_secret.partition("_secret_")[0],
            {"payment_method": payment_method, "return_url": PAGE},
            self.options,
        )
        finish_card(cards, plan_id=plan_id, email_sha256=ADA)

    def value(self, statement: str) -> Any:
        with self.database.transaction() as session:
            return session.scalar(text(statement))


def test_a_year_of_monthly_gifts_with_a_decline_a_recovery_a_pause_and_an_end(
    database: Database, sandbox: Sandbox, endpoint: Endpoint, clock: FakeClock
) -> None:
    year = Year(database, sandbox, endpoint, clock)
    plan_id = year.start("pm_card_visa")
    for _ in range(4):
        year.step_to(year.due(), hears="payment_intent.succeeded")
    assert year.value("SELECT count(*) FROM plan_charge WHERE state = 'paid'") == 5

    year.give_card(plan_id, "pm_card_chargeCustomerFail")
    year.step_to(year.due(), hears="payment_intent.payment_failed")
    assert year.value("SELECT status FROM plan") == "past_due"
    year.give_card(plan_id, "pm_card_mastercard")
    year.step_to(clock(), hears="payment_intent.succeeded")
    assert year.value("SELECT status FROM plan") == "active"

    until = (year.due() + timedelta(days=40)).date()
    with database.transaction() as session:
        paused = recurring.pause(
            session,
            plan_id=plan_id,
            email_sha256=ADA,
            until=until,
            now=clock(),
        )
    assert paused.status == "paused"
    for _ in range(4):
        year.step_to(year.due(), hears="payment_intent.succeeded")
    with database.transaction() as session:
        recurring.cancel(session, plan_id=plan_id, email_sha256=ADA, now=clock())
    year.step_to(clock() + timedelta(days=366))

    assert year.value("SELECT status FROM plan") == "ended"
    booked = "SELECT count(*) FROM entry WHERE kind = 'donation.succeeded'"
    assert year.value(booked) == year.value("SELECT count(*) FROM plan_charge WHERE state = 'paid'") == 10
    charges = sandbox.client().v1.charges.list({"limit": 100}, year.options).data
    assert (
        sorted((charge.status, charge.amount) for charge in charges)
        == [("failed", 2500)] + [("succeeded", 2500)] * 10
    )
    assert [mail.subject for mail in year.mailer.sent] == [
        "Your gift to River Trust could not be collected yet",
        "Your recurring gifts to River Trust have ended",
    ]
    assert len({gift.remote_id for gift in _payments(database)}) == 10


def _payments(database: Database) -> list[Any]:
    with database.transaction() as session:
        return list(session.execute(text("SELECT remote_id FROM payment")))


class DiesAfterCharging(StripeSavedMethods):
    """Takes the money, and the worker with it."""

    def charge(self, *, remote_id: str, account_id: str, method_id: str, idempotency_key: str) -> Charged:
        super().charge(
            remote_id=remote_id,
            account_id=account_id,
            method_id=method_id,
            idempotency_key=idempotency_key,
        )
        raise Died


def test_a_worker_that_died_after_the_money_was_taken_takes_it_once(
    database: Database, sandbox: Sandbox, endpoint: Endpoint, clock: FakeClock
) -> None:
    year = Year(database, sandbox, endpoint, clock)
    year.start("pm_card_visa")
    clock.now = year.due()
    dying = replace(year.parts.collecting, saved=saved_at(sandbox, kind=DiesAfterCharging))
    with death():
        recurring.collect_due(replace(year.parts, collecting=dying), now=clock())
    year.hear("payment_intent.succeeded")
    clock.advance(hours=1)
    year.work()
    assert year.value("SELECT state FROM plan_charge WHERE period = 1") == "paid"
    charges = sandbox.client().v1.charges.list({"limit": 100}, year.options).data
    assert len(charges) == 2
