"""Verifies Stripe's webhook signatures (docs.stripe.com/webhooks#verify-manually), rejecting timestamps too far in the past
or the future.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import stripe
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from amply.modules.webhooks import ACCOUNT_TYPES, EventMalformed, ProviderEvent, SignatureNotValid

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


class _Kind(BaseModel):
    object: str = "event"


_KIND: Final = TypeAdapter(_Kind)
_THIN: Final = "v2.core.event"
_V1: Final = "v1."
_ACCOUNTS: Final = ("account", "v2.core.account")


class _Related(BaseModel):
    """What changed. Things of which an account has one, as its balance, have no id."""

    model_config = ConfigDict(strict=True)

    id: _Text | None = None
    type: _Text
    url: Annotated[str, StringConstraints(max_length=500, pattern=r"^(/[A-Za-z0-9_]+)+$")]


class _Notification(BaseModel):
    """A thin event (docs.stripe.com/event-destinations#thin-events): what changed is named, and is to be fetched.

    `snapshot_event` is the id of the snapshot that tells of the same change; events of v2's own have none.
    """

    model_config = ConfigDict(strict=True)

    id: _Text
    type: _Text
    context: _Text | None = None
    livemode: bool
    created: AwareDatetime
    related_object: _Related | None = None
    snapshot_event: _Text | None = None


class StripeEventVerifier:
    """Verifies an event's signature by a secret of this endpoint, and its age.

    Several secrets stand with spaces or commas between: each destination at Stripe that has this address has its own, as
    those of snapshots and of thin events are two.
    """

    def __init__(self, secret: str) -> None:
        self._secrets = tuple(secret.replace(",", " ").split())

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
        if not any(_is_signed_with(secret, text, signature) for secret in self._secrets):
            raise SignatureNotValid("The Stripe-Signature does not match; check the endpoint's secret.")
        return event_in(text)


def _is_signed_with(secret: str, text: str, signature: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def _signed_at(signature: str) -> datetime | None:
    """The one time a signature states; None when it states none, several, or writes it in a way the SDK would read
    differently (the SDK takes the first `t` through `int`, spaces and signs included).
    """
    stamps = [part for part in signature.split(",") if part.partition("=")[0].strip() == "t"]
    stamp = _TIMESTAMP.fullmatch(stamps[0]) if len(stamps) == 1 else None
    return datetime.fromtimestamp(int(stamp[1]), UTC) if stamp else None


def event_in(text: str) -> ProviderEvent:
    """Parse an event, snapshot or thin.

    Raises:
        EventMalformed: It is none.
    """
    try:
        if _KIND.validate_json(text).object == _THIN:
            return _told(_Notification.model_validate_json(text))
        return _read(_Event.model_validate_json(text))
    except (ValidationError, OverflowError, ValueError, OSError):
        raise EventMalformed("The body is not a Stripe event; send the event as Stripe sent it.") from None


def listed_event(given: dict[str, Any]) -> ProviderEvent:
    """Parse an event from Stripe's event list, which needs no signature.

    Raises:
        EventMalformed: It is none.
    """
    try:
        return _read(_Event.model_validate(given))
    except (ValidationError, OverflowError, ValueError, OSError):
        raise EventMalformed("What was listed is not a Stripe event.") from None


def _told(told: _Notification) -> ProviderEvent:
    """A thin event of a v1 object is the event of its snapshot: whichever comes first is stored, and the other is known."""
    kind = told.type.removeprefix(_V1)
    # For account events the processor is queried anyway.
    is_fetched = kind != told.type and kind not in ACCOUNT_TYPES
    about = told.related_object
    named = {} if about is None else {"id": about.id, "object": about.type}
    return ProviderEvent(
        id=told.snapshot_event or told.id,
        type=kind,
        account_id=_account_of(told),
        livemode=told.livemode,
        occurred_at=told.created,
        object=named,
        fetch=about.url if about is not None and about.id is not None and is_fetched else None,
    )


def _account_of(told: _Notification) -> str | None:
    """Of an account's own event that account; of any other where it happened, which a context names last."""
    about = told.related_object
    if about is not None and about.type in _ACCOUNTS:
        return about.id
    last = (told.context or "").rpartition("/")[2]
    return last if last.startswith("acct_") else None


def _read(event: _Event) -> ProviderEvent:
    return ProviderEvent(
        id=event.id,
        type=event.type,
        account_id=event.account,
        livemode=event.livemode,
        occurred_at=datetime.fromtimestamp(event.created, UTC),
        object=event.data.object,
    )
