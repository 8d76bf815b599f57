"""Explains in one sentence why an organisation cannot take gifts: for its staff, and for donors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from amply.modules.organizations import OrganizationState
from amply.modules.payments.domain import AccountStatus


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether an organisation can take gifts through the processor. Both sentences are None if it can.

    Attributes:
        status: None where it has no account.
        reason: The processor's own word for why, if it gave one.
        for_staff: What they have to do, or whom they wait for.
        for_donors: What a donor can do; it says nothing that is not public.
        state: How far the organisation itself is here; only a verified one takes gifts, whatever its account.
    """

    status: AccountStatus | None
    reason: str | None
    for_staff: str | None
    for_donors: str | None
    state: OrganizationState = OrganizationState.VERIFIED

    @property
    def takes_gifts(self) -> bool:
        """Whether it does now."""
        return self.status is AccountStatus.ACTIVE and self.state is OrganizationState.VERIFIED

    @property
    def can_continue(self) -> bool:
        """Whether staff can (again) answer questions at the processor."""
        return self.status in (AccountStatus.ACTIVE, AccountStatus.PENDING, AccountStatus.RESTRICTED)


_NOT_YET: Final = "This organisation cannot take gifts yet; try again once it has finished its onboarding."
_NOT_NOW: Final = (
    "This organisation cannot take gifts at the moment; try again later, or ask it for another way to give."
)
_NO_MORE: Final = "This organisation takes no gifts here any more; ask it for another way to give."
_NOT_VERIFIED: Final = (
    "This organisation is not verified yet, and takes no gifts before it is; try again later, or ask it."
)
_NEVER: Final = "This organisation cannot take gifts here; ask it for another way to give."

_COMPLETE: Final = "Stripe needs more from you: open the link in our invitation, and answer what is left."
_CHECKING: Final = (
    "Stripe is checking what you told it; that takes minutes, or days, and there is nothing for you to do."
)
_ASK_STRIPE: Final = (
    "Stripe has decided against this account: write to Stripe's support from your Stripe dashboard."
)

_STAFF: Final[Mapping[AccountStatus, str]] = {
    AccountStatus.PENDING: _CHECKING,
    AccountStatus.RESTRICTED: _COMPLETE,
    AccountStatus.REJECTED: _ASK_STRIPE,
    AccountStatus.UNSUPPORTED: "Stripe takes no card payments for this kind of organisation, or in its country.",
    AccountStatus.DISCONNECTED: "You have disconnected Amply in your Stripe dashboard: ask us for a new invitation to come back.",
    AccountStatus.CLOSED: "Your Stripe account is closed: ask us for a new invitation, which opens another one.",
}
_REASONS: Final[Mapping[str, str]] = {
    "determining_status": _CHECKING,
    "requirements_past_due": _COMPLETE,
    "requirements_pending_verification": _CHECKING,
    "restricted_other": _ASK_STRIPE,
    "unsupported_business": "Stripe takes no card payments for this kind of organisation.",
    "unsupported_country": "Stripe takes no card payments in your country.",
    "unsupported_entity_type": "Stripe takes no card payments for this legal form: correct it at Stripe if it is wrong.",
}
"""Words of docs.stripe.com/api/v2/core/accounts, `status_details.code`. Those that begin with `rejected` are decisions."""

_DONORS: Final[Mapping[AccountStatus, str]] = {
    AccountStatus.PENDING: _NOT_YET,
    AccountStatus.RESTRICTED: _NOT_NOW,
    AccountStatus.REJECTED: _NEVER,
    AccountStatus.UNSUPPORTED: _NEVER,
    AccountStatus.DISCONNECTED: _NO_MORE,
    AccountStatus.CLOSED: _NO_MORE,
}


_UNVERIFIED: Final[Mapping[OrganizationState, tuple[str, str]]] = {
    OrganizationState.DRAFT: (
        "Hand in the application of your organisation: it takes gifts once we have verified it.",
        _NOT_VERIFIED,
    ),
    OrganizationState.SUBMITTED: (
        "We look at your application within two to five working days: there is nothing for you to do.",
        _NOT_VERIFIED,
    ),
    OrganizationState.IN_REVIEW: (
        "We are looking at your application: there is nothing for you to do.",
        _NOT_VERIFIED,
    ),
    OrganizationState.MORE_ASKED: (
        "We need more from you: our letter says what; add it, and hand the application in again.",
        _NOT_VERIFIED,
    ),
    OrganizationState.REFUSED: ("We have not taken your organisation; our letter says why.", _NEVER),
    OrganizationState.SUSPENDED: ("We have suspended your organisation; our letter says why.", _NOT_NOW),
}
"""For staff and for donors, while it is not verified."""


def readiness(
    status: AccountStatus | None,
    reason: str | None,
    state: OrganizationState = OrganizationState.VERIFIED,
) -> Readiness:
    """Readiness by the state of the organisation, then of its account."""
    if state in _UNVERIFIED:
        for_staff, for_donors = _UNVERIFIED[state]
        return Readiness(
            status=status, reason=reason, for_staff=for_staff, for_donors=for_donors, state=state
        )
    if status is None:
        nobody = "You have no account at Stripe yet: ask us for an invitation."
        return Readiness(status=None, reason=None, for_staff=nobody, for_donors=_NOT_YET)
    if status is AccountStatus.ACTIVE:
        return Readiness(status=status, reason=None, for_staff=None, for_donors=None)
    told = _STAFF[status]
    if status in (AccountStatus.PENDING, AccountStatus.RESTRICTED, AccountStatus.UNSUPPORTED):
        told = _REASONS.get(reason or "", told)
    return Readiness(status=status, reason=reason, for_staff=told, for_donors=_DONORS[status])
