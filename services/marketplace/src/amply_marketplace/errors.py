"""Errors shown to buyers, one sentence each.

Refused
├── NoToken          401  no bearer token, or one that nobody was given
├── NotGranted       403  a token whose grants have ended or were revoked
├── NotThere         404  nothing of that name among what is granted
├── NotReleased      404  a dataset that is granted, and of which nothing is released to this buyer just now
├── NotUnderstood    400  a request that says something it cannot mean
├── UsedUp           429  what the contract lets through this month is used up
└── Unavailable      503  the control plane did not answer in time
"""

from typing import ClassVar


class RequestRefused(Exception):
    """Answered as it is; nothing in it says what other buyers have."""

    status: ClassVar[int]
    code: ClassVar[str]

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NoToken(RequestRefused):
    status, code = 401, "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__("Send the token of your profile file as 'Authorization: Bearer TOKEN'.")


class NotGranted(RequestRefused):
    status, code = 403, "ACCESS_ENDED"

    def __init__(self) -> None:
        super().__init__(
            "This access has ended or was revoked; ask whoever gave you the profile file for a new one."
        )


class NotThere(RequestRefused):
    status, code = 404, "RESOURCE_DOES_NOT_EXIST"

    def __init__(self) -> None:
        super().__init__(
            "There is nothing of that name among what your contract covers; list what there is first."
        )


class NotReleased(RequestRefused):
    status, code = 404, "RESOURCE_DOES_NOT_EXIST"

    def __init__(self) -> None:
        super().__init__(
            "Nothing of this dataset is released to you at this moment; ask again in some minutes, and whoever gave you the "
            "profile file if it stays so."
        )


class NotUnderstood(RequestRefused):
    status, code = 400, "INVALID_PARAMETER_VALUE"


class UsedUp(RequestRefused):
    status, code = 429, "RESOURCE_EXHAUSTED"

    def __init__(self, *, retry_seconds: int) -> None:
        super().__init__(
            "Your contract's volume for this month is used up; it begins anew on the first, in UTC."
        )
        self.retry_seconds = retry_seconds


class Unavailable(RequestRefused):
    status, code = 503, "TEMPORARILY_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The marketplace cannot look up your grant right now; ask again in a minute.")
