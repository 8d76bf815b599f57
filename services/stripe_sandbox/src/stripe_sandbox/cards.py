"""Stripe's test cards (https://docs.stripe.com/testing), and what each of them does."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from stripe_sandbox.errors import CardError, Json

# authenticate_once: asks the bank until a SetupIntent has been completed with it.
# decline_later: is stored, and refused when it is charged from there.
Behaviour = Literal["approve", "decline", "authenticate", "authenticate_once", "decline_later"]
Claim = Literal["fraudulent", "product_not_received", "inquiry"]
# pending: it succeeds later. fails: it looks successful, and fails later.
RefundCourse = Literal["at_once", "pending", "fails"]


@dataclass(frozen=True, kw_only=True)
class SandboxCard:
    """One test card. `decline_code` for those that the bank refuses.

    What comes after a charge that succeeded: `disputed_as`, `reported_as_fraud` (an early fraud warning), `refunds`.
    `available_at_once`: its money is never pending.
    """

    name: str
    number: str
    brand: str
    country: str
    behaviour: Behaviour
    decline_code: str | None = None
    disputed_as: Claim | None = None
    reported_as_fraud: bool = False
    refunds: RefundCourse = "at_once"
    available_at_once: bool = False


_CARDS = (
    SandboxCard(name="visa", number="4242424242424242", brand="visa", country="US", behaviour="approve"),
    SandboxCard(
        name="mastercard", number="5555555555554444", brand="mastercard", country="US", behaviour="approve"
    ),
    SandboxCard(
        name="chargeDeclined",
        number="4000000000000002",
        brand="visa",
        country="US",
        behaviour="decline",
        decline_code="generic_decline",
    ),
    SandboxCard(
        name="chargeDeclinedInsufficientFunds",
        number="4000000000009995",
        brand="visa",
        country="US",
        behaviour="decline",
        decline_code="insufficient_funds",
    ),
    SandboxCard(
        name="authenticationRequired",
        number="4000002760003184",
        brand="visa",
        country="DE",
        behaviour="authenticate",
    ),
    SandboxCard(
        name="authenticationRequiredOnSetup",
        number="4000002500003155",
        brand="visa",
        country="DE",
        behaviour="authenticate_once",
    ),
    SandboxCard(
        name="chargeCustomerFail",
        number="4000000000000341",
        brand="visa",
        country="US",
        behaviour="decline_later",
        decline_code="generic_decline",
    ),
    SandboxCard(
        name="bypassPending",
        number="4000000000000077",
        brand="visa",
        country="US",
        behaviour="approve",
        available_at_once=True,
    ),
    SandboxCard(
        name="createDispute",
        number="4000000000000259",
        brand="visa",
        country="US",
        behaviour="approve",
        disputed_as="fraudulent",
    ),
    SandboxCard(
        name="createDisputeProductNotReceived",
        number="4000000000002685",
        brand="visa",
        country="US",
        behaviour="approve",
        disputed_as="product_not_received",
    ),
    SandboxCard(
        name="createDisputeInquiry",
        number="4000000000001976",
        brand="visa",
        country="US",
        behaviour="approve",
        disputed_as="inquiry",
    ),
    SandboxCard(
        name="createIssuerFraudRecord",
        number="4000000000005423",
        brand="visa",
        country="US",
        behaviour="approve",
        reported_as_fraud=True,
    ),
    SandboxCard(
        name="pendingRefund",
        number="4000000000007726",
        brand="visa",
        country="US",
        behaviour="approve",
        refunds="pending",
    ),
    SandboxCard(
        name="refundFail",
        number="4000000000005126",
        brand="visa",
        country="US",
        behaviour="approve",
        refunds="fails",
    ),
)
BY_PAYMENT_METHOD = {f"pm_card_{card.name}": card for card in _CARDS}
BY_TOKEN = {f"tok_{card.name}": card for card in _CARDS}
_BY_NUMBER = {card.number: card for card in _CARDS}
BY_FINGERPRINT: dict[str, SandboxCard] = {}
_SHORTEST_CVC = 3
_CENTURY = 2000
_MONTHS = 12


def fingerprint_of(card: SandboxCard) -> str:
    """The same card number has the same fingerprint, as long as it is a test card's."""
    return f"sandbox{card.number[-4:]}{card.name[:5]}".ljust(16, "0")


BY_FINGERPRINT.update({fingerprint_of(card): card for card in _CARDS})


def card_of_charge(charge: Json) -> SandboxCard | None:
    """The test card a charge was paid with, or None when it was no card."""
    card = charge["payment_method_details"].get("card")
    return BY_FINGERPRINT[card["fingerprint"]] if card else None


def card_by_number(data: Json, now: int) -> SandboxCard:
    """The test card of what a person typed: `number`, `exp_month`, `exp_year`, `cvc`, all text or numbers.

    Raises CardError as Stripe does for a wrong number, date or code, and for a real card.
    """
    number = str(data.get("number", "")).replace(" ", "").replace("-", "")
    if not _passes_luhn(number):
        raise CardError("Your card number is incorrect.", code="incorrect_number", param="number")
    _check_expiry(data, datetime.fromtimestamp(now, UTC))
    cvc = str(data.get("cvc", ""))
    if not (cvc.isdecimal() and len(cvc) == _SHORTEST_CVC):
        raise CardError("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    card = _BY_NUMBER.get(number)
    if card is None:
        raise CardError(
            "Your card was declined. Your request was in test mode, but used a non test card. "
            "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
            code="card_declined",
            decline_code="test_mode_live_card",
        )
    return card


def _check_expiry(data: Json, today: datetime) -> None:
    month, year = str(data.get("exp_month", "")), str(data.get("exp_year", ""))
    if not month.isdecimal() or not 1 <= int(month) <= _MONTHS:
        raise CardError(
            "Your card's expiration month is invalid.", code="invalid_expiry_month", param="exp_month"
        )
    full_year = int(year) + (_CENTURY if len(year) <= len("26") else 0) if year.isdecimal() else 0
    if (full_year, int(month)) < (today.year, today.month):
        raise CardError(
            "Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year"
        )


def _passes_luhn(number: str) -> bool:
    if not number.isdecimal() or not 12 <= len(number) <= 19:  # noqa: PLR2004  # ISO/IEC 7812 lengths
        return False
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0  # noqa: PLR2004  # the Luhn algorithm
