"""What onboarding depends on, and the error where it is not set up."""

from dataclasses import dataclass

from amply.kernel.errors import NotOffered
from amply.modules import payments
from amply.modules.onboarding.invitations import InvitationKey


class OnboardingNotOffered(NotOffered):
    """This environment signs no invitations, so that nobody is onboarded by one."""

    code = "onboarding_not_offered"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What the routes of onboarding depend on, beside what all routes have. `page` is the address where staff begin."""

    links: payments.AccountLinks
    key: InvitationKey
    page: str
