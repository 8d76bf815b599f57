"""Stripe's webhook signatures (docs.stripe.com/webhooks#verify-manually), bounded in both directions of time."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import stripe
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from amply.modules.webhooks import EventMalformed, ProviderEvent, SignatureNotValid

_TOLERANCE: Final = timedelta(minutes=5)
_TIMESTAMP: Final = re.compile(r"t=([0-9]{1,12})")

_Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class _Data(BaseModel):
    model_config = ConfigDict(strict=True)

    object: dict[str, Any]


class _Event(BaseModel):
    """The part of an event this platform reads (docs.stripe.com/api/events/object)."""

    model_config = ConfigDict(strict=True)

    id: _Text
    type: _Text
    account: _Text | None = None
    livemode: bool
    created: int
    data: _Data


class StripeEventVerifier:
    """Checks that an event was signed with this endpoint's secret, just now."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def verify(self, *, payload: bytes, signature: str, now: datetime) -> ProviderEvent:
        """Return the event; see `webhooks.EventVerifier` for the errors.

        The SDK bounds only the past (a signature dated next year would stay valid until then): both bounds are ours.
        """
        try:
            text = payload.decode("utf-8")
        except UnicodeDecodeError:
            raise EventMalformed("The body is not UTF-8; send the event as Stripe sent it.") from None
        signed_at = _signed_at(signature)
        if signed_at is None or abs(now - signed_at) > _TOLERANCE:
            raise SignatureNotValid(
                "The Stripe-Signature is missing, too old or from the future; check the clock."
            )
        try:
            stripe.WebhookSignature.verify_header(text, signature, self._secret)
        except stripe.SignatureVerificationError:
            raise SignatureNotValid(
                "The Stripe-Signature does not match; check the endpoint's secret."
            ) from None
        return _event(text)


def _signed_at(signature: str) -> datetime | None:
    """The one time a signature states; None when it states none, several, or writes it in a way the SDK would read
    differently (the SDK takes the first `t` through `int`, spaces and signs included).
    """
    stamps = [part for part in signature.split(",") if part.partition("=")[0].strip() == "t"]
    stamp = _TIMESTAMP.fullmatch(stamps[0]) if len(stamps) == 1 else None
    return datetime.fromtimestamp(int(stamp[1]), UTC) if stamp else None


def _event(text: str) -> ProviderEvent:
    try:
        return _read(_Event.model_validate_json(text))
    except (ValidationError, OverflowError, ValueError, OSError):
        raise EventMalformed("The body is not a Stripe event; send the event as Stripe sent it.") from None


def listed_event(given: dict[str, Any]) -> ProviderEvent:
    """An event as Stripe's API lists it: the same object, believed because Stripe was asked for it.

    Raises:
        EventMalformed: It is none.
    """
    try:
        return _read(_Event.model_validate(given))
    except (ValidationError, OverflowError, ValueError, OSError):
        raise EventMalformed("What was listed is not a Stripe event.") from None


def _read(event: _Event) -> ProviderEvent:
    return ProviderEvent(
        id=event.id,
        type=event.type,
        account_id=event.account,
        livemode=event.livemode,
        occurred_at=datetime.fromtimestamp(event.created, UTC),
        object=event.data.object,
    )
