"""A gift's whole life at the processor over HTTP: signed events as Stripe's API sends them, late, twice and shuffled."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, ledger, organizations, payments, webhooks
from amply.modules.donations import queries
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from amply.modules.donations.service import donate
from amply.modules.ledger.chart import CHART
from tests.backend.conftest import Databases
from tests.backend.contract.test_processor import events_at, stripe_at
from tests.stripe_sandbox.running import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    Endpoint,
    Sandbox,
    receiving,
    running,
    settings_in,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SECRETS = ledger.CommitmentSecrets(key=bytes(32))
ENDS = {
    "winning_evidence": (
        {"gifts": 1000, "processor_balance": 937, "processor_fees": 63},
        ("partially_refunded", 1500),
        {"dispute.won": 1, "dispute.fee_refunded": 1},
    ),
    "losing_evidence": (
        {"dispute_fees": 1500, "processor_balance": -1563, "processor_fees": 63},
        ("charged_back", 1500),
        {"dispute.lost": 1},
    ),
}
ALWAYS = {
    "donation.succeeded": 1,
    "processor.fee": 1,
    "refund.initiated": 1,
    "donation.refunded": 3,
    "refund.failed": 1,
    "dispute.opened": 1,
    "dispute.fee": 1,
}


class Life:
    """One gift, the organisation's account, and what arrives at our endpoint."""

    def __init__(self, database: Database, sandbox: Sandbox, endpoint: Endpoint, *, seed: int = 1) -> None:
        self.database, self.sandbox, self.endpoint = database, sandbox, endpoint
        self.order = Random(seed)  # noqa: S311 -- an order that can be drawn again, no secret
        self.processor = stripe_at(sandbox.url)
        self.source = events_at(sandbox.url)
        self.parts = donations.EventDependencies(database=database, processor=self.processor, secrets=SECRETS)
        now = system_clock()
        with database.transaction() as session:
            made = organizations.create(
                session, name="River Trust", slug="river-trust", country="DE", now=now
            )

        def connect() -> payments.Account:
            return payments.connect_organization(
                database, self.processor, organization=made, email="treasurer@river.example", now=now
            )

        connect()  # opened; by the next look it is ready
        account = connect()
        self.organization_id, self.account_id = made.id, account.id
        self.options: Any = {"stripe_account": account.id}
        self.waiting: list[str] = []

    def give(self, *, fee_cover: payments.FeeCover | None = None, paid_by: Any = None) -> None:
        """A gift of 25.00 EUR, paid by a card unless `paid_by` says how its intent is confirmed."""
        gift = Gift(
            organization_id=self.organization_id,
            amount=Money(minor_units=2500, currency="EUR"),
            donor=Donor(name="Ada", email="ada@example.org"),
            message=None,
            fee_cover=fee_cover,
        )
        answer = donate(
            self.database, self.processor, gift=gift, key="key-1", request={"a": "gift"}, clock=system_clock
        )
        self.donation_id = str(answer.body["id"])
        self.intent_id = answer.body["payment"]["client_secret"].partition("_secret_")[0]
        confirmed: Any = {
            **(paid_by or {"payment_method": "pm_card_visa"}),
            "return_url": "https://edge.example/",
        }
        paid = self.sandbox.client().v1.payment_intents.confirm(self.intent_id, confirmed, self.options)
        self.charge_id = str(paid.latest_charge)

    def refund(self, amount: str) -> donations.Refunded:
        refunding = donations.RefundDependencies(
            database=self.database, processor=self.processor, secrets=SECRETS, clock=system_clock
        )
        return donations.refund(
            refunding,
            donation_id=self.donation_id,
            amount=amount,
            reason=payments.RefundReason.REQUESTED_BY_DONOR,
        )

    def hook(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.sandbox.hook(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def receive(self, *types: str) -> None:
        """Wait until events of these types have come, whatever else comes with them; all are stored."""
        missing = Counter(types)
        while missing:
            webhook = self.endpoint.take()
            event = StripeEventVerifier(WEBHOOK_SECRET).verify(
                payload=webhook.payload, signature=webhook.signature, now=system_clock()
            )
            with self.database.transaction() as session:
                webhooks.ingest(
                    session, event=event, livemode=False, keeps=donations.keeps_event, now=system_clock()
                )
            if event.type in webhooks.HANDLED_TYPES:
                self.waiting.append(event.id)
            missing -= Counter([event.type])

    def handle_some(self) -> None:
        """About half of what waits, in any order, four at a time; some of it twice."""
        self.order.shuffle(self.waiting)
        half = len(self.waiting) // 2
        chosen, self.waiting = self.waiting[:half], self.waiting[half:]
        self.waiting += self._handle([*chosen, *chosen[:2]])

    def handle_all(self) -> None:
        for _ in range(3):  # what came before its gift comes again
            self.order.shuffle(self.waiting)
            self.waiting = self._handle(self.waiting)
        assert self.waiting == []

    def _handle(self, event_ids: list[str]) -> list[str]:
        def one(event_id: str) -> str | None:
            try:
                webhooks.complete(self.database, self.source, event_id=event_id, now=system_clock())
                donations.handle_provider_event(self.parts, event_id=event_id, now=system_clock())
            except GiftNotBookedYet:
                return event_id
            return None

        with ThreadPoolExecutor(4) as pool:
            return [early for early in pool.map(one, event_ids) if early is not None]

    def balances(self) -> dict[str, int]:
        with self.database.transaction() as session:
            found = {
                code: ledger.standing_balance(
                    session, account=ledger.account(self.organization_id, code), currency="EUR"
                ).minor_units
                for code in CHART
            }
        return {code: amount for code, amount in found.items() if amount}

    def balance_at_processor(self) -> int:
        """What the organisation has at Stripe by Stripe's own account of it, minor units."""
        client = self.sandbox.client()
        moved = client.v1.balance_transactions.list({"limit": 100}, self.options).data
        return sum(each.net for each in moved)

    def kinds(self) -> Counter[str]:
        with self.database.transaction() as session:
            return Counter(session.scalars(text("SELECT kind FROM entry")))

    def shown(self) -> tuple[str, int]:
        with self.database.transaction() as session:
            found = queries.get(session, donation_id=self.donation_id)
        return found.standing, found.refunded.minor_units


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[tuple[Sandbox, Endpoint]]:
    with receiving() as endpoint:
        settings = settings_in(tmp_path, endpoint)
        with running(settings) as running_sandbox:
            yield running_sandbox, endpoint


def with_the_workers_settings(monkeypatch: pytest.MonkeyPatch, databases: Databases, life: Life) -> None:
    databases.sign_commands_in(monkeypatch, user="amply_app")
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", "for-tests-0123456789-0123456789-0123456789-0123")
    monkeypatch.setenv("AMPLY_STRIPE_API_URL", life.sandbox.url)
    monkeypatch.setenv("AMPLY_STRIPE_SECRET_KEY", SECRET_KEY)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("verdict", ENDS)
def test_a_gifts_whole_life_at_the_processor_ends_the_same_in_the_books(
    verdict: str, seed: int, database: Database, sandbox: tuple[Sandbox, Endpoint]
) -> None:
    life = Life(database, *sandbox, seed=seed)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    life.handle_all()
    life.refund("10.00")
    life.receive("refund.created", "charge.refunded")
    fallen = life.hook(f"charges/{life.charge_id}/refund", {"amount": 700})
    life.receive("refund.created", "charge.refunded")
    life.handle_some()
    life.hook(f"refunds/{fallen['id']}/fail")
    life.receive("refund.failed", "refund.updated", "charge.refund.updated")
    life.handle_some()
    life.hook(f"charges/{life.charge_id}/refund", {"amount": 500})
    life.receive("refund.created", "charge.refunded")
    dispute = life.hook(f"charges/{life.charge_id}/dispute")
    life.receive("charge.dispute.created", "charge.dispute.funds_withdrawn")
    life.handle_some()
    life.hook(f"disputes/{dispute['id']}/conclude", {"verdict": verdict})
    life.receive("charge.dispute.closed")
    life.handle_all()

    balances, shown, ending = ENDS[verdict]
    assert life.balances() == balances
    assert life.shown() == shown
    assert life.kinds() == Counter(ALWAYS) + Counter(ending)
    assert life.balances().get("processor_balance") == life.balance_at_processor(), "as Stripe has it"


def test_the_operators_command_refunds_at_the_processor(
    database: Database,
    databases: Databases,
    sandbox: tuple[Sandbox, Endpoint],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    life = Life(database, *sandbox)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    life.handle_all()
    with_the_workers_settings(monkeypatch, databases, life)

    done = CliRunner().invoke(
        admin, ["donation", "refund", life.donation_id, "--amount", "5.00", "--reason", "duplicate"]
    )
    assert done.exit_code == 0, done.output + str(done.exception)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith('{"id": "rfd_')]
    told = json.loads(line)
    assert (told["minor_units"], told["currency"], told["status"]) == ("500", "EUR", "succeeded")
    life.receive("refund.created", "charge.refunded")
    life.handle_all()
    assert life.shown() == ("partially_refunded", 500)
    (there,) = life.sandbox.client().v1.refunds.list({"payment_intent": life.intent_id}, life.options).data
    assert there.metadata is not None
    assert (there.reason, there.metadata["amply_refund_id"]) == ("duplicate", told["id"])
    (read,) = life.processor.refunds(remote_id=life.intent_id, account_id=life.account_id)
    assert read.reason is payments.RefundReason.DUPLICATE


def test_a_warning_of_fraud_arrives_over_http(database: Database, sandbox: tuple[Sandbox, Endpoint]) -> None:
    life = Life(database, *sandbox)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    life.hook(f"charges/{life.charge_id}/fraud_warning")
    life.receive("radar.early_fraud_warning.created")
    life.handle_all()

    with database.transaction() as session:
        (warning,) = payments.list_warnings(session, limit=10)
    assert warning.fraud_type == "misc"
    assert life.shown() == ("succeeded", 0)


def test_the_operators_statement_reaches_the_bank_when_it_is_submitted(
    database: Database,
    databases: Databases,
    sandbox: tuple[Sandbox, Endpoint],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    life = Life(database, *sandbox)
    life.give()
    life.receive("payment_intent.succeeded", "charge.updated")
    life.hook(f"charges/{life.charge_id}/dispute")
    life.receive("charge.dispute.created", "charge.dispute.funds_withdrawn")
    life.handle_all()
    with database.transaction() as session:
        (dispute,) = payments.list_disputes(session, is_open=True, limit=10)
    with_the_workers_settings(monkeypatch, databases, life)
    written = tmp_path / "statement.txt"
    written.write_text("winning_evidence")  # what Stripe's own sandboxes take for a good answer

    def answer(*words: str) -> Result:
        return CliRunner().invoke(
            admin, ["disputes", "answer", dispute.id, "--statement", str(written), *words]
        )

    assert '"status": "needs_response", "submitted": false' in answer().stdout
    assert '"status": "under_review", "submitted": true' in answer("--submit").stdout
    life.receive("charge.dispute.closed", "charge.dispute.funds_reinstated")
    life.handle_all()
    assert (life.shown(), life.balances()["processor_balance"]) == (("succeeded", 0), 2437)
    assert "takes no statement about this dispute" in str(answer("--submit").exception)
