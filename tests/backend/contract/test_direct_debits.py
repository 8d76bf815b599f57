"""A gift by direct debit at the processor over HTTP: reserved while the bank is asked, and ended as it decides."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import payments
from amply.modules.donations import queries
from tests.backend.contract.test_money_back import Life
from tests.backend.contract.test_processor import intent, opened, stripe_at
from tests.stripe_sandbox.running import (
    Endpoint,
    Sandbox,
    receiving,
    running,
    settings_in,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

DAYS: Final = timedelta(days=5)
PAID, REFUSED = "DE89370400440532013000", "DE62370400440532013001"
COVER = payments.FeeCover(method=payments.Method.SEPA_DEBIT, amount=Money(minor_units=35, currency="EUR"))


def debit(iban: str) -> dict[str, Any]:
    """How an intent is confirmed by a debit of this account."""
    return {
        "payment_method_data": {
            "type": "sepa_debit",
            "sepa_debit": {"iban": iban},
            "billing_details": {"name": "Ada", "email": "ada@example.org"},
        },
        "mandate_data": {"customer_acceptance": {"type": "offline"}},
    }


@pytest.fixture
def slow_bank(tmp_path: Path) -> Iterator[tuple[Sandbox, Endpoint]]:
    with receiving() as endpoint:
        settings = settings_in(
            tmp_path,
            endpoint,
            debit_delay=DAYS,
        )
        with running(settings) as sandbox:
            yield sandbox, endpoint


def on_its_way(database: Database, slow_bank: tuple[Sandbox, Endpoint], iban: str) -> Life:
    """A gift whose fee is covered, reserved in the books; then days pass, and the bank answers."""
    life = Life(database, *slow_bank)
    life.give(fee_cover=COVER, paid_by=debit(iban))
    life.receive("payment_intent.processing")
    life.handle_all()
    assert life.kinds() == Counter({"donation.processing": 1})
    assert (life.shown(), life.balances()) == (("processing", 0), {})
    life.hook("clock", {"seconds": int(DAYS.total_seconds())})
    return life


def test_a_debit_that_the_bank_pays_is_a_gift_and_its_cover_is_what_it_cost(
    database: Database, slow_bank: tuple[Sandbox, Endpoint]
) -> None:
    life = on_its_way(database, slow_bank, PAID)
    life.receive("payment_intent.succeeded", "charge.updated")
    life.handle_all()

    assert life.shown() == ("succeeded", 0)
    assert life.balances() == {
        "gifts": 2500,
        "fee_cover": 35,
        "processor_fees": 35,
        "processor_balance": 2500,
    }
    assert life.balance_at_processor() == 2500, "the gift has arrived whole"
    with database.transaction() as session:
        costs = queries.get(session, donation_id=life.donation_id).costs
    assert costs.difference == Money(minor_units=0, currency="EUR")


def test_a_debit_that_the_bank_refuses_leaves_nothing(
    database: Database, slow_bank: tuple[Sandbox, Endpoint]
) -> None:
    life = on_its_way(database, slow_bank, REFUSED)
    life.receive("payment_intent.payment_failed")
    life.handle_all()

    assert life.shown() == ("failed", 0)
    assert life.balances() == {}
    assert life.kinds() == Counter({"donation.processing": 1, "donation.failed": 1})


def test_how_an_attempt_stands_is_told_as_the_processor_has_it(
    slow_bank: tuple[Sandbox, Endpoint],
) -> None:
    sandbox, _ = slow_bank
    processor = stripe_at(sandbox.url)
    account_id = opened(processor)
    processor.account(account_id=account_id)
    made = intent(processor, account_id)

    def told() -> payments.Attempt:
        return processor.attempt(remote_id=made.remote_id, account_id=account_id)

    confirm = sandbox.client().v1.payment_intents.confirm
    options: Any = {"stripe_account": account_id}
    assert told() == payments.Attempt(status=payments.PaymentStatus.PENDING, name=None)

    tried: Any = {**debit(REFUSED), "return_url": "https://edge.example/"}
    first = str(confirm(made.remote_id, tried, options).latest_charge)
    assert told() == payments.Attempt(status=payments.PaymentStatus.PROCESSING, name=first)

    sandbox.hook("clock", {"seconds": int(DAYS.total_seconds())})
    assert told() == payments.Attempt(status=payments.PaymentStatus.FAILED, name=first)

    paid: Any = {"payment_method": "pm_card_visa", "return_url": "https://edge.example/"}
    second = str(confirm(made.remote_id, paid, options).latest_charge)
    assert told() == payments.Attempt(status=payments.PaymentStatus.SUCCEEDED, name=second)
