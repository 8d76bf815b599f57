"""Retry schedule of declined charges.

Issuers and card networks charge for tries that cannot succeed, and block who keeps trying. Sources:
docs.stripe.com/declines/codes, docs.stripe.com/declines/card ("Retrying issuer declines"), and
docs.stripe.com/billing/revenue-recovery/smart-retries ("hard decline codes").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from amply.modules.payments import Decline

LADDER_DAYS: Final = (1, 3, 5, 7)
"""Retry days of a declined card, after a period was opened."""

BANK_LADDER_DAYS: Final = (5,)
"""Retry days of bank debits: answers take days and refusals cost money, so once, after the next payday."""

_ASKS_THE_DONOR: Final = frozenset({"authentication_required", "authentication_not_handled"})
_NEVER_AGAIN: Final = frozenset(
    {
        *("account_closed", "bank_account_restricted", "debit_not_authorized", "no_account"),
        *("card_not_supported", "currency_not_supported", "expired_card", "fraudulent", "highest_risk_level"),
        *("incorrect_number", "invalid_account", "invalid_expiry_month", "invalid_expiry_year"),
        *("invalid_number", "lost_card", "merchant_blacklist"),
        *("pickup_card", "restricted_card", "revocation_of_all_authorizations"),
        *("revocation_of_authorization", "security_violation", "stolen_card", "stop_payment_order"),
        *("transaction_not_allowed", "resource_missing"),
    }
)
_ADVICE_AGAINST: Final = frozenset({"confirm_card_data", "do_not_try_again"})


class DeclineResponse(StrEnum):
    """How to respond to a decline. `ASK_DONOR`: the bank requires authentication by the donor."""

    TRY_AGAIN = "try_again"
    ASK_DONOR = "ask_donor"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True)
class Following:
    """The next step and its time; for `ASK_DONOR` the donor's deadline."""

    step: DeclineResponse
    at: datetime | None


def following(
    decline: Decline, *, declines: int, method_kind: str | None, opened_at: datetime, now: datetime
) -> Following:
    """The response to the n-th decline (`declines`, from 1) of a period."""
    ladder = LADDER_DAYS if method_kind == "card" else BANK_LADDER_DAYS
    if decline.code in _NEVER_AGAIN or decline.advice in _ADVICE_AGAINST or declines > len(ladder):
        return Following(step=DeclineResponse.STOP, at=None)
    if decline.code in _ASKS_THE_DONOR:
        last = opened_at + timedelta(days=ladder[-1])
        return Following(step=DeclineResponse.ASK_DONOR if last > now else DeclineResponse.STOP, at=last)
    # After an outage the ladder's day may be over: never sooner than tomorrow.
    at = max(opened_at + timedelta(days=ladder[declines - 1]), now + timedelta(days=1))
    return Following(step=DeclineResponse.TRY_AGAIN, at=at)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Advance notice of a charge. Where it `is_required`, `days_min` must lie between letter and charge."""

    days: int
    days_min: int
    is_required: bool


_BANK: Final = Notice(days=5, days_min=2, is_required=True)
"""The mandates' wording lets the debtor agree to two days (SEPA rulebook, "pre-notification": 14 unless agreed)."""

_NOTICES: Final[Mapping[str, Notice]] = {
    "sepa_debit": _BANK,
    "au_becs_debit": _BANK,
    "us_bank_account": _BANK,
    "bacs_debit": Notice(days=7, days_min=3, is_required=True),
    "acss_debit": Notice(days=7, days_min=3, is_required=True),
}
_YEARLY: Final = Notice(days=7, days_min=0, is_required=False)
"""Card networks ask for a reminder of charges half a year apart and more; it need not arrive for the charge to be right."""


def notice_before(*, method_kind: str | None, months: int) -> Notice | None:
    """The required notice before a charge of this kind of method, so many months after the last one; None if none."""
    known = _NOTICES.get(method_kind or "")
    if known is not None:
        return known
    return _YEARLY if months >= 6 else None  # noqa: PLR2004 -- half a year
