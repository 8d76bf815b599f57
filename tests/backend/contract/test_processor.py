"""What payments expect of a processor, held against the fake and against Stripe's API as the sandbox speaks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe
from pydantic import SecretStr

from amply.adapters.stripe import StripeEventSource, StripeEventVerifier, StripeProcessor
from amply.infra.settings import StripeSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import CURRENCIES, Currency, Money
from amply.modules import payments
from tests.backend.world import FakeProcessor
from tests.stripe_sandbox.onboarding import donate
from tests.stripe_sandbox.running import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    Endpoint,
    Received,
    Sandbox,
    receiving,
    running,
    settings_in,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
GIFT = Money(minor_units=2500, currency="EUR")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with receiving() as endpoint:
        yield endpoint


@pytest.fixture
def sandbox(tmp_path: Path, endpoint: Endpoint) -> Iterator[Sandbox]:
    settings = settings_in(tmp_path, endpoint)
    with running(settings) as sandbox:
        yield sandbox


def settings_at(url: str, *, key: str = SECRET_KEY) -> StripeSettings:
    return StripeSettings(api_url=url, secret_key=SecretStr(key), publishable_key=PUBLISHABLE_KEY)


def stripe_at(url: str, *, key: str = SECRET_KEY) -> StripeProcessor:
    return StripeProcessor(settings_at(url, key=key))


def events_at(url: str) -> StripeEventSource:
    return StripeEventSource(settings_at(url))


@pytest.fixture(params=["fake", "stripe"])
def processor(request: pytest.FixtureRequest) -> payments.Processor:
    if request.param == "fake":
        return FakeProcessor()
    sandbox: Sandbox = request.getfixturevalue("sandbox")
    return stripe_at(sandbox.url)


def opened(processor: payments.Processor) -> str:
    account = processor.create_account(
        organization_id="org_1", name="River Trust", country="DE", email="treasurer@river.example"
    )
    return account.id


def intent(processor: payments.Processor, account_id: str, *, payment_id: str = "pay_1") -> payments.Intent:
    return processor.create_intent(
        payment_id=payment_id,
        donation_id="don_1",
        account_id=account_id,
        amount=GIFT,
        idempotency_key=f"payment:{payment_id}:create",
    )


def test_an_account_becomes_ready(processor: payments.Processor) -> None:
    account_id = opened(processor)

    assert processor.account(account_id=account_id).status == payments.AccountStatus.ACTIVE


def test_the_same_organisation_gets_the_same_account(processor: payments.Processor) -> None:
    assert opened(processor) == opened(processor)


def test_the_same_key_is_the_same_intent(processor: payments.Processor) -> None:
    account_id = opened(processor)

    first = intent(processor, account_id)
    assert intent(processor, account_id) == first
    assert first.client_secret.startswith(f"{first.remote_id}_secret_")


def test_an_intent_is_found_by_our_payment_id(processor: payments.Processor) -> None:
    account_id = opened(processor)
    made = intent(processor, account_id)

    assert processor.find_intent(payment_id="pay_1", account_id=account_id) == made
    assert processor.find_intent(payment_id="pay_2", account_id=account_id) is None


def test_declined_cards_are_told_from_each_other_and_an_ended_intent_takes_none(sandbox: Sandbox) -> None:
    processor = stripe_at(sandbox.url)
    account_id = opened(processor)
    made = intent(processor, account_id)

    def pay_with(method: str) -> None:
        with pytest.raises(stripe.StripeError):
            sandbox.client().v1.payment_intents.confirm(
                made.remote_id,
                {"payment_method": method, "return_url": "https://edge.example/"},
                {"stripe_account": account_id},
            )

    for method in (
        "pm_card_chargeDeclined",
        "pm_card_chargeDeclined",
        "pm_card_chargeDeclinedInsufficientFunds",
    ):
        pay_with(method)
    declined = processor.declines(remote_id=made.remote_id, account_id=account_id)
    assert [declined[0].card == each.card for each in declined] == [True, True, False]
    assert len({each.remote_id for each in declined}) == 3

    processor.cancel_intent(remote_id=made.remote_id, account_id=account_id)
    pay_with("pm_card_visa")
    assert len(processor.declines(remote_id=made.remote_id, account_id=account_id)) == 3
    with pytest.raises(payments.ProcessorRefused):
        processor.cancel_intent(remote_id=made.remote_id, account_id=account_id)


def test_a_paid_intent_settles_with_its_fee_and_a_signed_event(sandbox: Sandbox, endpoint: Endpoint) -> None:
    processor = stripe_at(sandbox.url)
    account_id = opened(processor)
    made = intent(processor, account_id)
    sandbox.client().v1.payment_intents.confirm(
        made.remote_id,
        {"payment_method": "pm_card_visa", "return_url": "https://edge.example/"},
        {"stripe_account": account_id},
    )

    received: dict[str, Received] = {}  # the order of webhooks is nobody's promise
    while not {"payment_intent.succeeded", "charge.updated"} <= received.keys():
        webhook = endpoint.take()
        received[webhook.event["type"]] = webhook
    succeeded = received["payment_intent.succeeded"]
    event = StripeEventVerifier(WEBHOOK_SECRET).verify(
        payload=succeeded.payload, signature=succeeded.signature, now=system_clock()
    )
    assert (event.account_id, event.livemode, event.object["id"]) == (account_id, False, made.remote_id)
    assert event.object["metadata"]["amply_payment_id"] == "pay_1"
    charge = received["charge.updated"].event["data"]["object"]
    assert (charge["payment_intent"], charge["metadata"]["amply_payment_id"]) == (made.remote_id, "pay_1")
    settlement = processor.settlement(remote_id=made.remote_id, account_id=account_id)
    assert settlement.gross == GIFT
    assert settlement.fee is not None
    assert 0 < settlement.fee.minor_units < GIFT.minor_units


def test_what_the_platform_takes_of_a_gift_is_no_fee_of_the_processors(sandbox: Sandbox) -> None:
    """The balance transaction adds both up; what the platform is given has an entry of its own."""
    processor = stripe_at(sandbox.url)
    account_id = opened(processor)
    plain = donate(sandbox.client(), account_id)
    with_platform = donate(sandbox.client(), account_id, application_fee_amount=100)

    fees = [
        processor.settlement(remote_id=each.id, account_id=account_id).fee for each in (plain, with_platform)
    ]
    assert fees[0] is not None
    assert fees[0] == fees[1]


@pytest.mark.parametrize("currency", CURRENCIES.values(), ids=lambda currency: currency.code)
def test_the_least_and_the_largest_gift_of_every_currency_is_taken(
    currency: Currency, sandbox: Sandbox
) -> None:
    processor = stripe_at(sandbox.url)
    account_id = opened(processor)

    for minor_units in (currency.gift_min, currency.gift_min + currency.step, currency.gift_max):
        made = processor.create_intent(
            payment_id="pay_1",
            donation_id="don_1",
            account_id=account_id,
            amount=Money(minor_units=minor_units, currency=currency.code),
            idempotency_key=f"payment:{minor_units}:create",
        )
        assert made.remote_id


def test_an_amount_the_processor_does_not_take_is_refused(sandbox: Sandbox) -> None:
    processor = stripe_at(sandbox.url)
    account_id = opened(processor)

    with pytest.raises(payments.ProcessorRefused):
        processor.create_intent(
            payment_id="pay_1",
            donation_id="don_1",
            account_id=account_id,
            amount=Money(minor_units=1, currency="EUR"),
            idempotency_key="payment:pay_1:create",
        )


def test_a_wrong_key_is_no_answer_rather_than_a_failed_gift(sandbox: Sandbox) -> None:
    with pytest.raises(payments.ProcessorUnavailable):
        opened(stripe_at(sandbox.url, key="sk_test_wrong"))


def test_a_processor_that_is_away_is_unavailable() -> None:
    with pytest.raises(payments.ProcessorUnavailable):
        opened(stripe_at("http://127.0.0.1:9"))


# ---- money that goes back -----------------------------------------------------------------------------------------


def paid(processor: payments.Processor, request: pytest.FixtureRequest) -> tuple[str, str]:
    """An intent that a card has paid, and the account it is on."""
    account_id = opened(processor)
    made = intent(processor, account_id)
    if not isinstance(processor, FakeProcessor):
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        sandbox.client().v1.payment_intents.confirm(
            made.remote_id,
            {"payment_method": "pm_card_visa", "return_url": "https://edge.example/"},
            {"stripe_account": account_id},
        )
    return made.remote_id, account_id


def refund(
    processor: payments.Processor,
    remote_id: str,
    account_id: str,
    *,
    minor_units: int,
    refund_id: str = "rfd_1",
) -> payments.RemoteRefund:
    return processor.create_refund(
        refund_id=refund_id,
        payment_id="pay_1",
        remote_id=remote_id,
        account_id=account_id,
        amount=Money(minor_units=minor_units, currency="EUR"),
        reason=payments.RefundReason.REQUESTED_BY_DONOR,
        idempotency_key=f"refund:{refund_id}:create",
    )


def test_a_payment_without_refunds_and_disputes_has_none(
    processor: payments.Processor, request: pytest.FixtureRequest
) -> None:
    remote_id, account_id = paid(processor, request)

    assert processor.refunds(remote_id=remote_id, account_id=account_id) == ()
    assert processor.disputes(remote_id=remote_id, account_id=account_id) == ()


def test_the_same_key_is_the_same_refund_and_carries_our_id(
    processor: payments.Processor, request: pytest.FixtureRequest
) -> None:
    remote_id, account_id = paid(processor, request)

    first = refund(processor, remote_id, account_id, minor_units=1000)
    assert refund(processor, remote_id, account_id, minor_units=1000) == first
    assert (first.refund_id, first.amount.minor_units, first.status) == ("rfd_1", 1000, "succeeded")
    assert first.moved_at is not None
    assert first.returned_at is None
    assert processor.refunds(remote_id=remote_id, account_id=account_id) == (first,)


def test_all_refunds_of_a_payment_are_told_the_oldest_first(
    processor: payments.Processor, request: pytest.FixtureRequest
) -> None:
    remote_id, account_id = paid(processor, request)
    made = [
        refund(processor, remote_id, account_id, minor_units=100, refund_id=f"rfd_{number}")
        for number in range(12)
    ]

    assert list(processor.refunds(remote_id=remote_id, account_id=account_id)) == made


def test_a_refund_above_what_is_left_is_refused(sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    processor = stripe_at(sandbox.url)
    remote_id, account_id = paid(processor, request)

    with pytest.raises(payments.ProcessorRefused):
        refund(processor, remote_id, account_id, minor_units=2501)


def test_a_refund_that_failed_says_when_its_money_came_back(
    sandbox: Sandbox, request: pytest.FixtureRequest
) -> None:
    processor = stripe_at(sandbox.url)
    remote_id, account_id = paid(processor, request)
    made = refund(processor, remote_id, account_id, minor_units=1000)
    assert sandbox.hook(f"refunds/{made.remote_id}/fail").status_code == 200

    (told,) = processor.refunds(remote_id=remote_id, account_id=account_id)
    assert (told.status, told.has_failed) == ("failed", True)
    assert told.moved_at is not None
    assert told.returned_at is not None


def test_a_dispute_says_what_it_moved(sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    processor = stripe_at(sandbox.url)
    remote_id, account_id = paid(processor, request)
    charge = charge_of(sandbox, remote_id, account_id)
    disputed = sandbox.hook(f"charges/{charge}/dispute").json()
    (told,) = processor.disputes(remote_id=remote_id, account_id=account_id)
    assert (told.status, told.reason, told.amount) == ("needs_response", "fraudulent", GIFT)
    assert told.evidence_due_at is not None
    assert [(moved.amount.minor_units, moved.fee.minor_units) for moved in told.movements] == [(-2500, 1500)]

    sandbox.hook(f"disputes/{disputed['id']}/conclude", {"verdict": "winning_evidence"})
    (won,) = processor.disputes(remote_id=remote_id, account_id=account_id)
    assert won.status == "won"
    assert [(moved.amount.minor_units, moved.fee.minor_units) for moved in won.movements] == [
        (-2500, 1500),
        (2500, -1500),
    ], "withdrawn before it was given back, in whatever second"


def test_a_warning_of_fraud_says_of_which_kind(sandbox: Sandbox, request: pytest.FixtureRequest) -> None:
    processor = stripe_at(sandbox.url)
    remote_id, account_id = paid(processor, request)
    warned = sandbox.hook(f"charges/{charge_of(sandbox, remote_id, account_id)}/fraud_warning").json()

    told = processor.fraud_warning(warning_id=warned["id"], account_id=account_id)
    assert (told.remote_id, told.fraud_type) == (warned["id"], "misc")


def charge_of(sandbox: Sandbox, remote_id: str, account_id: str) -> str:
    found = sandbox.client().v1.payment_intents.retrieve(remote_id, {}, {"stripe_account": account_id})
    return str(found.latest_charge)
