"""How an organisation comes to take gifts: invitations, links to the processor's onboarding, and the state of its account.

Import from here only.
"""

from amply.modules.onboarding.account_news import Handling, handle_provider_event
from amply.modules.onboarding.domain import InvitationNotValid
from amply.modules.onboarding.invitations import InvitationKey, invite
from amply.modules.onboarding.router import Parts, router
from amply.modules.onboarding.tasks import Onboarding, look_at_accounts, send_invitations

__all__ = [
    "Handling",
    "InvitationKey",
    "InvitationNotValid",
    "Onboarding",
    "Parts",
    "handle_provider_event",
    "invite",
    "look_at_accounts",
    "router",
    "send_invitations",
]
