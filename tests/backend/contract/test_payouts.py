"""Payouts from the donor's card to the bank, over Stripe's API as the sandbox speaks it, with its webhooks turned off.

Every event is found in Stripe's list; books, payout and balance agree at the end.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe
from pydantic import SecretStr
from sqlalchemy import text

from amply.adapters.stripe import StripeEventSource, StripePayouts, StripeProcessor
from amply.infra.database import Database
from amply.infra.settings import StripeSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, ledger, organizations, payments, payouts, webhooks
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from amply.modules.donations.service import donate
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.world import NOW
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, SECRET_KEY, Sandbox, running, settings_in

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
FEE = 63
"""Of a gift of 25.00 EUR, as the sandbox's table has it."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    settings = settings_in(tmp_path)
    with running(settings) as sandbox:
        yield sandbox


class Charity:
    """An organisation that takes gifts, whose webhooks go nowhere."""

    def __init__(self, database: Database, sandbox: Sandbox) -> None:
        settings = StripeSettings(
            api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
        )
        self.database, self.sandbox = database, sandbox
        self.processor, self.remote = StripeProcessor(settings), StripePayouts(settings)
        self.events = donations.EventDependencies(
            database=database, processor=self.processor, secrets=SECRETS
        )
        self.payouts = payouts.PayoutDependencies(database=database, processor=self.remote, secrets=SECRETS)
        self.gaps = webhooks.MissedEventDependencies(
            database=database,
            source=StripeEventSource(settings),
            livemode=False,
            keeps=donations.keeps_event,
        )
        with database.transaction() as session:
            made = organizations.create(session, name="River Trust", slug="river", country="DE", now=NOW)
        self.id = made.id
        opened, ready = (  # opened, and asked again how it stands
            payments.connect_organization(
                database, self.processor, organization=made, email="a@example.org", now=NOW
            )
            for _ in range(2)
        )
        assert opened.id == ready.id
        self.account_id = ready.id
        self.given = 0

    def give(self, card: str = "pm_card_visa") -> None:
        self.given += 1
        answer = donate(
            self.database,
            self.processor,
            gift=Gift(
                organization_id=self.id,
                amount=Money(minor_units=2500, currency="EUR"),
                donor=Donor(name="Ada", email="ada@example.org"),
                message=None,
            ),
            key=f"key-{self.given}",
            request={"number": str(self.given)},
            clock=system_clock,
        )
        self.sandbox.client().v1.payment_intents.confirm(
            answer.body["payment"]["client_secret"].partition("_secret_")[0],
            {"payment_method": card, "return_url": "https://edge.example/"},
            {"stripe_account": self.account_id},
        )

    def pay_out(self, **body: Any) -> str:
        """An automatic payout of everything; returns its id."""
        answer = self.sandbox.hook(
            f"accounts/{self.account_id}/payout", {"include_pending": True, "paid": True, **body}
        )
        assert answer.status_code == 200, answer.text
        payout_id: str = answer.json()["id"]
        return payout_id

    def catch_up(self) -> int:
        """Find what was never delivered and handle it, as often as something was too early; how many were missed."""
        looked = webhooks.find_missed(
            self.gaps, account_id=self.account_id, now=system_clock() + timedelta(minutes=15)
        )
        for _ in range(3):
            for event_id, event_type in self._unhandled():
                self._handle(event_id, event_type)
        return looked.missed

    def _unhandled(self) -> list[tuple[str, str]]:
        with self.database.transaction() as session:
            rows = session.execute(
                text("SELECT id, type FROM provider_event WHERE handled_at IS NULL ORDER BY occurred_at, id")
            )
            return [(row.id, row.type) for row in rows]

    def _handle(self, event_id: str, event_type: str) -> None:
        now = system_clock()
        if event_type in webhooks.PAYOUT_TYPES:
            payouts.handle_provider_event(self.payouts, event_id=event_id, now=now)
            return
        try:
            donations.handle_provider_event(self.events, event_id=event_id, now=now)
        except GiftNotBookedYet:
            return

    def close(self) -> list[payouts.BalanceComparison] | None:
        return payouts.close_books(
            self.payouts, owner=self.id, account_id=self.account_id, now=system_clock()
        )

    @property
    def options(self) -> stripe.RequestOptions:
        """Of calls on the organisation's account."""
        return {"stripe_account": self.account_id}

    def balance(self, code: str) -> int:
        with self.database.transaction() as session:
            return ledger.standing_balance(
                session, account=ledger.account(self.id, code), currency="EUR"
            ).minor_units


@pytest.fixture
def charity(database: Database, sandbox: Sandbox) -> Charity:
    return Charity(database, sandbox)


def test_from_card_to_bank_without_one_webhook(charity: Charity) -> None:
    for _ in range(3):
        charity.give()
    payout_id = charity.pay_out()
    assert charity.catch_up() > 3
    assert charity.catch_up() == 0, "nothing is missed twice"

    net = 3 * (2500 - FEE)
    assert {code: charity.balance(code) for code in ("processor_balance", "payout_in_transit", "bank")} == {
        "processor_balance": 0,
        "payout_in_transit": 0,
        "bank": net,
    }
    assert charity.close() == [
        payouts.BalanceComparison(currency="EUR", processor=0, books=0, outside=0, open=0)
    ]
    with charity.database.transaction() as session:
        report = payouts.report(session, payout_id=payout_id, file_format=payouts.ReportFormat.CSV)
        assert list(payouts.unmatched(session, owner=None, limit=10)) == []
    assert report.count(",gift,") == report.count(",fee,") == 3
    assert "SANDBOX" in report, "the bank's reference"


def test_books_and_processor_agree_while_money_is_on_its_way_and_after_the_next_gift(
    charity: Charity,
) -> None:
    charity.give()
    charity.pay_out(paid=False)
    charity.give()
    charity.catch_up()

    (closed,) = charity.close() or []
    assert (closed.processor, closed.books, closed.difference) == (2500 - FEE, 2500 - FEE, 0)


def test_a_payout_that_comes_back_from_the_bank(charity: Charity) -> None:
    charity.give()
    payout_id = charity.pay_out()
    charity.catch_up()
    assert charity.balance("bank") == 2500 - FEE
    failed = charity.sandbox.hook(f"payouts/{payout_id}/fail", {"failure_code": "account_closed"})
    assert failed.status_code == 200
    charity.catch_up()

    assert {code: charity.balance(code) for code in ("processor_balance", "payout_in_transit", "bank")} == {
        "processor_balance": 2500 - FEE,
        "payout_in_transit": 0,
        "bank": 0,
    }
    (closed,) = charity.close() or []
    assert (closed.difference, closed.open) == (0, 0)
    told = charity.remote.payout(payout_id=payout_id, account_id=charity.account_id)
    assert (told.status, told.failure_code) == (payouts.PayoutStatus.FAILED, "account_closed")


def test_refunds_and_disputes_are_matched_too(charity: Charity) -> None:
    for _ in range(3):
        charity.give()
    client, options = charity.sandbox.client(), charity.options
    refunded, lost, won = (each.id for each in client.v1.charges.list({}, options).data)
    for hook, body in (
        (f"charges/{refunded}/refund", {"amount": 1000}),
        (f"charges/{lost}/dispute", {}),
        (f"charges/{won}/dispute", {}),
    ):
        assert charity.sandbox.hook(hook, body).status_code == 200
    for dispute in client.v1.disputes.list({}, options).data:
        verdict = {"verdict": "losing_evidence" if dispute.charge == lost else "winning_evidence"}
        assert charity.sandbox.hook(f"disputes/{dispute.id}/conclude", verdict).status_code == 200
    charity.give()
    payout_id = charity.pay_out()
    charity.catch_up()

    (closed,) = charity.close() or []
    assert (closed.processor, closed.books, closed.outside, closed.open) == (0, 0, 0, 0)
    with charity.database.transaction() as session:
        report = payouts.report(session, payout_id=payout_id, file_format=payouts.ReportFormat.CSV)
        states = set(session.scalars(text("SELECT DISTINCT state FROM movement")))
    assert states == {"matched"}
    for item in ("gift", "refund", "dispute", "dispute_won", "fee"):
        assert f",{item}," in report


def test_what_the_organisation_takes_elsewhere_is_outside(charity: Charity) -> None:
    charity.give()
    charity.sandbox.client().v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "https://shop.example/",
        },
        {"stripe_account": charity.account_id},
    )
    charity.pay_out()
    charity.catch_up()

    (closed,) = charity.close() or []
    assert closed.processor == 0
    assert closed.outside > 0
    assert (closed.difference, closed.open) == (0, 0)


def test_a_list_longer_than_a_page_is_read_to_its_end(
    charity: Charity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amply.adapters.stripe.payouts._PAGE", 2)
    monkeypatch.setattr("amply.adapters.stripe.events._PAGE", 2)
    for _ in range(3):
        charity.give()
    payout_id = charity.pay_out()
    charity.catch_up()
    with charity.database.transaction() as session:
        assert payouts.report(session, payout_id=payout_id, file_format=payouts.ReportFormat.CSV)
    (closed,) = charity.close() or []
    assert closed.difference == 0


def test_a_payout_of_another_account_is_refused(charity: Charity) -> None:
    with pytest.raises(payments.ProcessorRefused):
        charity.remote.payout(payout_id="po_unknown", account_id=charity.account_id)


def test_a_processor_that_is_away_is_unavailable() -> None:
    away = StripePayouts(
        StripeSettings(api_url="http://127.0.0.1:9", secret_key=SecretStr(SECRET_KEY), publishable_key="")
    )
    with pytest.raises(payments.ProcessorUnavailable):
        away.balance(account_id=None)
