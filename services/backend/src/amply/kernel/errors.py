"""Base classes of errors that a caller can act on.

AmplyError
├── InvalidRequest     the request's content is wrong (422)
├── NotFound           what it names does not exist, or not for this caller (404)
├── Conflict           it contradicts the present state (409)
├── TooManyRequests    the caller should slow down (429)
├── Unavailable        something we depend on does not answer (503)
└── NotOffered         this environment does no such thing (503)

A module's own errors subclass one of these beside the function that raises them, carry their ids as attributes and
have a stable `code`. The interface turns them into RFC 9457 problems.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class AmplyError(Exception):
    """Base of every error meant for a caller. The message is one sentence that says what to do next.

    `members` are what a problem says besides (RFC 9457 §3.2, extension members).
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "server_error"
    title: ClassVar[str] = "Something went wrong on our side"
    retry_after_seconds: int | None = None

    def __init__(self, detail: str, *, param: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.param = param
        self.members: Mapping[str, Any] = {}


class InvalidRequest(AmplyError):
    """The request is well-formed, its content is not acceptable."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"


class NotFound(AmplyError):
    """What the request names does not exist for this caller."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(AmplyError):
    """The request contradicts the present state."""

    status = 409
    code = "conflict"
    title = "The request conflicts with the present state"


class TooManyRequests(AmplyError):
    """The caller exceeded a rate limit."""

    status = 429
    code = "rate_limit_exceeded"
    title = "Too many requests"

    def __init__(self, detail: str, *, param: str | None = None, retry_after_seconds: int = 60) -> None:
        super().__init__(detail, param=param)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(AmplyError):
    """A part this request needs does not answer; the same request may be repeated."""

    retry_after_seconds = 2
    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"


class NotOffered(AmplyError):
    """This environment does no such thing: the capability is off, or what it needs was never set. Repeating changes nothing."""

    status = 503
    code = "not_offered"
    title = "Not offered here"


class InvariantViolation(Exception):
    """A programming error: an invariant does not hold. Never caught, always reported."""


def invariant(condition: bool, message: str) -> None:  # noqa: FBT001 -- reads as a sentence: invariant(a == b, "…")
    """Raise when `condition` does not hold. Unlike `assert`, it survives `python -O`.

    Raises:
        InvariantViolation: The condition is false.
    """
    if not condition:
        raise InvariantViolation(message)
