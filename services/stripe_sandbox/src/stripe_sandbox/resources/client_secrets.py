"""Client secrets: access to one intent for a browser with only the publishable key."""

import secrets

from stripe_sandbox.errors import Json, ParameterError, PermissionDeniedError
from stripe_sandbox.operations import Call

_NAMES = {"payment_intent": "PaymentIntent", "setup_intent": "SetupIntent"}


def opened(call: Call, kind: str) -> Json:
    """The intent of the path, if this caller may touch it. Raises ParameterError, PermissionDeniedError."""
    secret = call.params.get("client_secret")
    if secret is None and not call.caller.secret:
        raise ParameterError(
            "Missing required param: client_secret.", code="parameter_missing", param="client_secret"
        )
    intent = call.objects.get(kind, call.path["id"], param="intent")
    if secret is not None:
        require(intent, secret)
    return intent


def require(intent: Json, secret: str) -> None:
    """Raises PermissionDeniedError."""
    if not secrets.compare_digest(secret.encode(), intent["client_secret"].encode()):
        raise PermissionDeniedError(
            "The client_secret provided does not match the client_secret associated with the "
            f"{_NAMES[intent['object']]}.",
            code=f"{intent['object']}_invalid_parameter",
            param="client_secret",
        )
