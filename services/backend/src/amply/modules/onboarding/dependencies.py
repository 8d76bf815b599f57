"""Dependencies of onboarding, and the error where it is not configured."""

from dataclasses import dataclass

from amply.kernel.errors import NotOffered
from amply.modules import payments
from amply.modules.onboarding.invitations import InvitationKey


class OnboardingNotOffered(NotOffered):
    """This environment signs no invitations, so that nobody is onboarded by one."""

    code = "onboarding_not_offered"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the onboarding routes. `page` is where staff begin."""

    links: payments.AccountLinks
    key: InvitationKey
    page: str
