"""What the adapters understand of a gift's life, from the card to the balance: at the sandbox, and at Stripe itself when asked."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import stripe
from pydantic import SecretStr

from amply.adapters.stripe import StripePayouts, StripeProcessor
from amply.infra.settings import StripeSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import payments
from amply.modules.payments import RefundReason, RefundStatus
from tests.faults.waiting import until
from tests.stripe_sandbox import at_stripe
from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.onboarding import onboard
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, SECRET_KEY, running, settings_in

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
GIFT = Money(minor_units=2500, currency="EUR")


@dataclass(frozen=True)
class Charity:
    """An organisation's account, the vendor's client, and the adapters that the platform uses."""

    account_id: str
    client: stripe.StripeClient
    processor: StripeProcessor
    payouts: StripePayouts

    def open(self) -> tuple[str, payments.Intent]:
        """An intent of a payment that nobody has had before; its id of ours and the intent."""
        payment_id = f"pay_{uuid.uuid4().hex}"
        return payment_id, self.opened(payment_id)

    def opened(self, payment_id: str) -> payments.Intent:
        return self.processor.create_intent(
            payment_id=payment_id,
            donation_id=payment_id.replace("pay_", "don_"),
            account_id=self.account_id,
            amount=GIFT,
            idempotency_key=f"payment:{payment_id}:create",
        )

    def pay(self, intent: payments.Intent, method: str = "pm_card_visa") -> None:
        self.client.v1.payment_intents.confirm(
            intent.remote_id,
            {"payment_method": method, "return_url": "https://edge.example/donate/"},
            {"stripe_account": self.account_id},
        )

    def settled(self, intent: payments.Intent) -> payments.Settlement:
        """What was moved, once the fee is known: moments later."""

        def look() -> payments.Settlement | None:
            found = self.processor.settlement(remote_id=intent.remote_id, account_id=self.account_id)
            return found if found.fee is not None else None

        return until(look, otherwise="the processor tells no fee in the gift's own currency")


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def charity(place: str, tmp_path: Path) -> Iterator[Charity]:
    if place == at_stripe.STRIPE:
        settings = StripeSettings(
            api_url="https://api.stripe.com",
            secret_key=SecretStr(at_stripe.secret_key()),
            publishable_key=PUBLISHABLE_KEY,
        )
        yield _charity(settings, at_stripe.client(), at_stripe.connected_account())
        return
    sandboxed = settings_in(tmp_path)
    with running(sandboxed) as sandbox:
        settings = StripeSettings(
            api_url=sandbox.url, secret_key=SecretStr(SECRET_KEY), publishable_key=PUBLISHABLE_KEY
        )
        yield _charity(settings, sandbox.client(), onboard(sandbox.client()))


def _charity(settings: StripeSettings, client: stripe.StripeClient, account_id: str) -> Charity:
    return Charity(
        account_id=account_id,
        client=client,
        processor=StripeProcessor(settings),
        payouts=StripePayouts(settings),
    )


@also_at_stripe
def test_an_account_that_takes_cards_is_active(charity: Charity) -> None:
    found = charity.processor.account(account_id=charity.account_id)
    assert found == payments.Account(id=charity.account_id, status=payments.AccountStatus.ACTIVE)


@also_at_stripe
def test_the_same_payment_is_the_same_intent_and_another_one_another(charity: Charity) -> None:
    payment_id, first = charity.open()
    _, other = charity.open()

    assert charity.opened(payment_id) == first
    assert other.remote_id != first.remote_id
    assert first.client_secret.startswith(f"{first.remote_id}_secret_")


@also_at_stripe
def test_what_was_paid_settles_and_its_movement_names_the_payment(charity: Charity) -> None:
    payment_id, intent = charity.open()
    began_at = system_clock() - timedelta(minutes=1)
    charity.pay(intent)
    settled = charity.settled(intent)

    assert settled.gross == GIFT
    assert settled.fee is not None
    assert 0 < settled.fee.minor_units < GIFT.minor_units
    page = charity.payouts.transactions_between(
        account_id=charity.account_id,
        since=began_at,
        until=system_clock() + timedelta(minutes=1),
        older_than=None,
    )
    (moved,) = [each for each in page.items if each.intent_id == intent.remote_id]
    assert (moved.category, moved.gross, moved.fee) == ("charge", GIFT, settled.fee)
    assert (moved.payment_id, moved.is_exchanged, moved.source_amount) == (payment_id, False, GIFT)
    assert charity.payouts.balance(account_id=charity.account_id)["EUR"] >= moved.net


@also_at_stripe
def test_a_declined_card_is_told_with_its_fingerprint_and_the_attempt_by_its_name(charity: Charity) -> None:
    _, intent = charity.open()
    with pytest.raises(stripe.CardError):
        charity.pay(intent, "pm_card_chargeDeclined")

    (declined,) = charity.processor.declines(remote_id=intent.remote_id, account_id=charity.account_id)
    attempt = charity.processor.attempt(remote_id=intent.remote_id, account_id=charity.account_id)
    assert declined.card
    assert attempt == payments.Attempt(status=payments.PaymentStatus.FAILED, name=declined.remote_id)


@also_at_stripe
def test_a_refund_of_ours_is_one_refund_and_has_moved(charity: Charity) -> None:
    payment_id, intent = charity.open()
    charity.pay(intent)
    charity.settled(intent)
    refund_id = payment_id.replace("pay_", "rfd_")
    asked = [
        charity.processor.create_refund(
            refund_id=refund_id,
            payment_id=payment_id,
            remote_id=intent.remote_id,
            account_id=charity.account_id,
            amount=Money(minor_units=1000, currency="EUR"),
            reason=RefundReason.REQUESTED_BY_DONOR,
            idempotency_key=f"refund:{refund_id}:create",
        )
        for _ in range(2)
    ]

    (told,) = charity.processor.refunds(remote_id=intent.remote_id, account_id=charity.account_id)
    assert {each.remote_id for each in asked} == {told.remote_id}
    assert (told.refund_id, told.amount.minor_units, told.status) == (refund_id, 1000, RefundStatus.SUCCEEDED)
    assert told.moved_at is not None
    assert told.returned_at is None
    assert charity.processor.disputes(remote_id=intent.remote_id, account_id=charity.account_id) == ()


@also_at_stripe
def test_what_cannot_be_is_refused_and_not_taken_for_silence(charity: Charity) -> None:
    _, intent = charity.open()
    charity.processor.cancel_intent(remote_id=intent.remote_id, account_id=charity.account_id)

    with pytest.raises(payments.ProcessorRefused):
        charity.processor.cancel_intent(remote_id=intent.remote_id, account_id=charity.account_id)
    with pytest.raises(payments.ProcessorRefused):
        charity.payouts.payout(payout_id="po_none", account_id=charity.account_id)
