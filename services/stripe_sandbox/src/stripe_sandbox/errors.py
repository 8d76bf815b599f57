"""Errors in Stripe's own shape (https://docs.stripe.com/api/errors).

StripeError
├── InvalidRequestError          400  the request was understood and cannot be done
│   ├── ParameterError           400  a parameter is missing, unknown or malformed
│   └── NoSuchObjectError        404
├── AuthenticationError          401
├── PermissionDeniedError        403
├── CardError                    402  what happened is kept, as a bank keeps it
│   └── UndoneCardError          402  what was asked for with `error_if_incomplete`
├── IdempotencyMismatchError     400
├── IdempotencyInUseError        409
├── NotModelledError             501  valid at Stripe, absent here: never a silent no-op
├── LockTimeoutError             409  asked for by a test, as is
├── RateLimitedError             429
└── InjectedError                500
"""

from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """Base of error responses.

    `saved`: an idempotency key remembers it. `keeps_changes`: what the operation wrote stays.
    """

    status = 400
    type = "invalid_request_error"
    saved = True
    keeps_changes = False

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.more = more

    def body(self) -> Json:
        """The JSON body: `{"error": {…}}`."""
        error: Json = {"type": self.type, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error | self.more}


class InvalidRequestError(StripeError):
    """The request is well formed, and what it asks is not possible now."""


class ParameterError(InvalidRequestError):
    """Refused before anything began, so that an idempotency key does not remember it."""

    saved = False


class NoSuchObjectError(InvalidRequestError):
    """No object with that id on this account."""

    status = 404

    def __init__(self, kind: str, object_id: str, *, param: str = "id") -> None:
        super().__init__(f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


class AuthenticationError(StripeError):
    """No key, or not one of this sandbox's."""

    status = 401
    saved = False


class PermissionDeniedError(StripeError):
    """The key may not do this, or not for this account."""

    status = 403
    saved = False


class CardError(StripeError):
    """The card was declined. The failed charge and its events stay."""

    status = 402
    type = "card_error"
    keeps_changes = True


class UndoneCardError(CardError):
    """The card was declined for an operation that requires payment first: everything is rolled back."""

    keeps_changes = False


class IdempotencyMismatchError(StripeError):
    """The key was used with another request."""

    type = "idempotency_error"
    saved = False


class IdempotencyInUseError(StripeError):
    """A request with this key is still running."""

    status = 409
    type = "idempotency_error"
    saved = False


class NotModelledError(StripeError):
    """Stripe would accept this; the sandbox does not implement it."""

    status = 501
    type = "api_error"
    saved = False


class LockTimeoutError(StripeError):
    """Another request holds the object; the SDK tries again."""

    status = 409
    saved = False


class RateLimitedError(StripeError):
    """Too many requests; whoever asks waits before asking again."""

    status = 429
    saved = False


class InjectedError(StripeError):
    """A test asked for a server error."""

    status = 500
    type = "api_error"
    saved = False
