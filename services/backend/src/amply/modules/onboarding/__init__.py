"""Onboarding of organisations at the payment processor: invitations, account links, account state, and letters to staff.

Import from here only.
"""

from typing import TYPE_CHECKING

from amply.modules.onboarding.account_news import AccountEventDependencies, handle_provider_event
from amply.modules.onboarding.closing_letters import tell_of_closings
from amply.modules.onboarding.dependencies import Dependencies
from amply.modules.onboarding.domain import TOPIC_INVITED, InvitationNotValid
from amply.modules.onboarding.invitations import InvitationKey, address_at_rest, invite
from amply.modules.onboarding.tasks import (
    OnboardingTaskDependencies,
    look_at_accounts,
    sealed_rows,
    send_invitations,
)

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "TOPIC_INVITED",
    "AccountEventDependencies",
    "Dependencies",
    "InvitationKey",
    "InvitationNotValid",
    "OnboardingTaskDependencies",
    "address_at_rest",
    "handle_provider_event",
    "invite",
    "look_at_accounts",
    "routers",
    "sealed_rows",
    "send_invitations",
    "tell_of_closings",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.onboarding import router  # noqa: PLC0415 -- see above

    return (router.router,)
