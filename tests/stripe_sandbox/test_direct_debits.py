"""Payments whose outcome is not known when they are confirmed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import wanted
from tests.stripe_sandbox.running import Endpoint, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

MANDATE: dict[str, Any] = {"customer_acceptance": {"type": "offline"}}


def debit(iban: str, **more: Any) -> Any:
    """Parameters of a PaymentIntent confirmed with a direct debit."""
    data = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": iban},
        "billing_details": {"name": "Ada", "email": "ada@example.org"},
    }
    return wanted(**({"confirm": True, "payment_method_data": data, "mandate_data": MANDATE} | more))


def ach(account_number: str, **more: Any) -> Any:
    """Parameters of a PaymentIntent confirmed with a debit of a US account."""
    data = {
        "type": "us_bank_account",
        "us_bank_account": {
            "account_holder_type": "individual",
            "account_number": account_number,
            "routing_number": "110000000",
        },
        "billing_details": {"name": "Ada"},
    }
    return debit("", payment_method_data=data, **({"currency": "usd"} | more))


@pytest.mark.parametrize(
    ("iban", "status", "last"),
    [
        (
            "AT61 1904 3002 3457 3201",
            "succeeded",
            ["charge.succeeded", "charge.updated", "payment_intent.succeeded"],
        ),
        (
            "AT861904300235473202",
            "requires_payment_method",
            ["charge.failed", "payment_intent.payment_failed"],
        ),
    ],
)
def test_a_debit_is_processing_until_the_bank_answers(
    settings: Settings, endpoint: Endpoint, iban: str, status: str, last: list[str]
) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, debit_delay=timedelta(days=5)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        intent = client.v1.payment_intents.create(debit(iban))
        assert intent.status == "processing"
        first = ["charge.pending", "payment_intent.created", "payment_intent.processing"]
        assert endpoint.take_types(3) == first
        moment[0] += timedelta(days=5)
        client.v1.payment_intents.list()
        assert client.v1.payment_intents.retrieve(intent.id).status == status
        assert endpoint.take_types(len(last)) == last


def test_the_bank_answers_without_anyone_asking(settings: Settings, endpoint: Endpoint) -> None:
    with running(replace(settings, debit_delay=timedelta(milliseconds=50))) as sandbox:
        sandbox.client().v1.payment_intents.create(debit("DE89370400440532013000"))
        assert endpoint.take_type("payment_intent.succeeded").event["request"] == {
            "id": None,
            "idempotency_key": None,
        }


def test_a_debit_canceled_in_time_takes_no_money(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, debit_delay=timedelta(days=5)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        intent = client.v1.payment_intents.create(debit("AT611904300234573201"))
        client.v1.payment_intents.cancel(intent.id)
        moment[0] += timedelta(days=5)
        client.v1.payment_intents.list()
        assert client.v1.payment_intents.retrieve(intent.id).status == "canceled"
        assert client.v1.balance_transactions.list().data == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (debit("DE00"), "invalid_bank_account_iban"),
        (debit("AT611904300234573201", mandate_data={}), "payment_intent_mandate_invalid"),
        (debit("AT611904300234573201", currency="gbp"), "payment_intent_incompatible_payment_method"),
        (ach("000123456789", currency="eur"), "payment_intent_incompatible_payment_method"),
        (ach("000123456789", mandate_data={}), "payment_intent_mandate_invalid"),
        (ach("4242"), "account_number_invalid"),
    ],
)
def test_a_debit_that_cannot_be_is_refused(client: stripe.StripeClient, params: Any, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(params)
    assert refused.value.code == code
    assert client.v1.charges.list().data == []


@pytest.mark.parametrize(
    ("account_number", "failure"),
    [
        ("000123456789", None),
        ("000111111113", "account_closed"),
        ("000111111116", "no_account"),
        ("000222222227", "insufficient_funds"),
        ("000333333335", "debit_not_authorized"),
    ],
)
def test_a_us_account_is_debited_or_refuses_in_its_banks_words(
    settings: Settings, account_number: str, failure: str | None
) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, debit_delay=timedelta(days=4)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        intent = client.v1.payment_intents.create(ach(account_number, amount=100_000))
        assert intent.status == "processing"
        moment[0] += timedelta(days=4)
        client.v1.payment_intents.list()
        charge = client.v1.charges.retrieve(str(intent.latest_charge))
        assert charge.failure_code == failure
        assert charge.payment_method_details is not None
        assert charge.payment_method_details.us_bank_account is not None
        assert charge.payment_method_details.us_bank_account.last4 == account_number[-4:]


@pytest.mark.parametrize(
    ("params", "fee"),
    [
        (debit("DE89370400440532013000", amount=50_000), 35),
        (ach("000123456789", amount=10_000), 80),
        (ach("000123456789", amount=100_000), 500),
    ],
)
def test_a_debit_costs_what_its_method_costs(settings: Settings, params: Any, fee: int) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(settings, lambda: moment[0]) as sandbox:
        client = sandbox.client()
        client.v1.payment_intents.create(params)
        moment[0] += timedelta(days=1)
        client.v1.payment_intents.list()
        (movement,) = client.v1.balance_transactions.list().data
        assert movement.fee == fee
