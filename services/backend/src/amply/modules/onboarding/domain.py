"""What onboarding refuses."""

from typing import ClassVar

from amply.kernel.errors import AmplyError, InvalidRequest


class InvitationNotAcceptable(InvalidRequest):
    """Nobody can be invited so."""

    code = "invitation_not_acceptable"


class InvitationNotValid(AmplyError):
    """The invitation is not ours, or has expired."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "invitation_not_valid"
    title: ClassVar[str] = "The invitation is not valid"
