"""Outbox topics and errors of onboarding."""

from typing import ClassVar, Final

from amply.kernel.errors import AmplyError, InvalidRequest

TOPIC_INVITED: Final = "onboarding.invited"
"""An organisation was invited to onboarding: its account is opened, and a letter sent."""


class InvitationNotAcceptable(InvalidRequest):
    """Nobody can be invited so."""

    code = "invitation_not_acceptable"


class InvitationNotValid(AmplyError):
    """The invitation is not ours, or has expired."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "invitation_not_valid"
    title: ClassVar[str] = "The invitation is not valid"
