"""Authenticates callers: the platform by secret key, a browser by publishable key."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from stripe_sandbox.errors import AuthenticationError, PermissionDeniedError
from stripe_sandbox.settings import Settings


@dataclass(frozen=True)
class Caller:
    """`secret`: may do everything. Otherwise a browser, which may only touch what its client secret opens."""

    secret: bool


def authenticate(headers: Mapping[str, str], form_key: str | None, settings: Settings) -> Caller:
    """The caller by `Authorization: Bearer KEY`, Basic with the key as user name, or a form's `key` (publishable).

    Raises AuthenticationError.
    """
    key = _key_of(headers.get("authorization", "")) or form_key
    if not key:
        raise AuthenticationError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if form_key is None and secrets.compare_digest(key.encode(), settings.secret_key.encode()):
        return Caller(secret=True)
    if secrets.compare_digest(key.encode(), settings.publishable_key.encode()):
        return Caller(secret=False)
    raise AuthenticationError(f"Invalid API Key provided: {_masked(key)}")


def require_secret(caller: Caller) -> None:
    """Raises PermissionDeniedError for a publishable key."""
    if not caller.secret:
        raise PermissionDeniedError(
            "This API call cannot be made with a publishable API key. Please use a secret API key. "
            "You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.",
            code="secret_key_required",
        )


def _key_of(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            user, _, _ = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user or None
    return None


def _masked(key: str) -> str:
    shown = 4
    return key[: len("sk_test_")] + "*" * max(0, len(key) - len("sk_test_") - shown) + key[-shown:]
