"""Webhook endpoints and deliveries: states and errors. Pure."""

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final
from urllib.parse import SplitResult, urlsplit

from amply.infra.due_rows import again
from amply.infra.guarded_http import is_public
from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules.public_events import EventType, Payload, PublicEvent

ENDPOINTS_MAX: Final = 5
ATTEMPTS_MAX: Final = 14
FIRST_RETRY_AFTER: Final = timedelta(minutes=1)
RETRY_AFTER_MAX: Final = timedelta(days=1)
FAILING_MAX: Final = timedelta(hours=82)
"""Time without success after which an endpoint is disabled: by then a delivery has used up its attempts."""
_REST_MAX: Final = timedelta(hours=1)
_JITTER: Final = 0.1
REPLAYED_MAX: Final = 1_000
FORMER_KEY_HOURS_MAX: Final = 168
TEST_TYPE: Final = "endpoint.test"
"""Sent on request, to that endpoint alone."""
_PORT: Final = 443
"""The only outbound port that the tasks' security group allows (`stacks/network.py`)."""
_URL_LENGTH_MAX: Final = 500
_DESCRIPTION_LENGTH_MAX: Final = 200


def retry_after(attempts: int, *, delivery_id: str, asked: timedelta | None = None) -> timedelta:
    """Delay after a delivery's n-th attempt (from 1): doubling from a minute to a day, 82 hours in all.

    Up to a tenth longer, so that what failed together does not come again together: how much, its id decides. `asked`: the
    answer's `Retry-After`, a day of which is kept to.
    """
    drawn = int.from_bytes(sha256(f"{delivery_id}:{attempts}".encode()).digest()[:4]) / 2**32
    planned = again(attempts, first=FIRST_RETRY_AFTER, most=RETRY_AFTER_MAX) * (1 + _JITTER * drawn)
    return max(planned, min(asked or timedelta(0), RETRY_AFTER_MAX))


def rest_after(failing: timedelta, *, asked: timedelta | None = None) -> timedelta:
    """Pause of a failing endpoint: as long as it has been failing, an hour at most, or as it requested.

    However many events wait for it, an endpoint that is away gets a request an hour.
    """
    return max(min(failing, _REST_MAX), min(asked or timedelta(0), RETRY_AFTER_MAX))


class EndpointState(StrEnum):
    """Whether events are delivered to it."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """`failing`: nothing arrived for 82 hours. `gone`: it answered 410. `by_member`: somebody did it."""

    FAILING = "failing"
    GONE = "gone"
    BY_MEMBER = "by_member"


class DeliveryState(StrEnum):
    """`failed`: it used up its attempts, and is sent again only by a replay."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Failure(StrEnum):
    """Why an attempt has no good answer."""

    ADDRESS_REFUSED = "address_refused"
    NO_CONNECTION = "no_connection"
    TIMEOUT = "timeout"
    REDIRECT = "redirect"
    STATUS = "status"


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """A verification key of an endpoint, until `expires_at` if it was replaced."""

    public_key: str
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A webhook endpoint. `failing_since`: the first failure since the last success."""

    id: str
    organization_id: str
    url: str
    description: str
    event_types: Sequence[str]
    state: EndpointState
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    created_by: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request. `status` is None without a response, `error` None after a successful one."""

    at: datetime
    status: int | None
    error: str | None
    milliseconds: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event for one endpoint."""

    id: str
    endpoint_id: str
    event: PublicEvent
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class EndpointTest(Payload):
    """Somebody wants to see whether events arrive."""

    endpoint_id: str


class EndpointNotFound(NotFound):
    """The organisation has no such endpoint."""

    code = "endpoint_not_found"


class EndpointNotAcceptable(InvalidRequest):
    """No endpoint can be like this."""

    code = "endpoint_not_acceptable"


class TooManyEndpoints(Conflict):
    """Five are there already."""

    code = "too_many_endpoints"


class EndpointTaken(Conflict):
    """Another endpoint has this address."""

    code = "endpoint_taken"


class EndpointDisabled(Conflict):
    """Nothing is sent there."""

    code = "endpoint_disabled"


class DeliveryNotFound(NotFound):
    """The endpoint has no such delivery."""

    code = "delivery_not_found"


class ReplayNotAcceptable(InvalidRequest):
    """It does not say which events, or says too many."""

    code = "replay_not_acceptable"


def checked_url(text: str, *, allows_loopback: bool) -> str:
    """Validate an endpoint's URL. The resolved address is checked at each request.

    Raises:
        EndpointNotAcceptable: It is not https, names a port, or a machine that is not on the public internet.
    """
    url = text.strip()
    parts = _split(url)
    if parts is None or len(url) > _URL_LENGTH_MAX or not url.isascii() or not url.isprintable():
        raise EndpointNotAcceptable(
            f"Give an https address of {_URL_LENGTH_MAX} characters at most.", param="url"
        )
    host = parts.hostname or ""
    if allows_loopback and host in ("localhost", "127.0.0.1"):
        return url
    if parts.scheme != "https" or parts.username is not None or parts.fragment:
        raise EndpointNotAcceptable(
            "Give an https address without a user and without a fragment.", param="url"
        )
    if not _may_be_public(host):
        raise EndpointNotAcceptable("Give an address on the public internet.", param="url")
    if parts.port not in (None, _PORT):
        raise EndpointNotAcceptable(
            f"Give an address without a port: events are sent to {_PORT} alone.", param="url"
        )
    return url


def checked_description(text: str) -> str:
    """Normalise an endpoint's description to one line.

    Raises:
        EndpointNotAcceptable: It is too long, or has characters that cannot be printed.
    """
    said = " ".join(text.split())
    if len(said) > _DESCRIPTION_LENGTH_MAX or not said.isprintable():
        raise EndpointNotAcceptable(
            f"Describe the endpoint in {_DESCRIPTION_LENGTH_MAX} characters at most.", param="description"
        )
    return said


def sorted_types(chosen: Collection[EventType]) -> list[str]:
    """Event types as stored."""
    return sorted(str(each) for each in chosen)


def to_replay(
    *, event_id: str | None, since: datetime | None, before: datetime | None
) -> Mapping[str, str | datetime]:
    """The requested events: one, or a time range.

    Raises:
        ReplayNotAcceptable: Neither or both.
    """
    if (event_id is None) == (since is None) or (since is None and before is not None):
        raise ReplayNotAcceptable("Name one event by `event_id`, or a time range by `since` and `before`.")
    if since is not None and before is not None and before <= since:
        raise ReplayNotAcceptable("Let the range end after it begins.", param="before")
    chosen = {"event_id": event_id, "since": since, "before": before}
    return {name: value for name, value in chosen.items() if value is not None}


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None


def _may_be_public(host: str) -> bool:
    """Whether this is a name with a dot, or a public address."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return "." in host.rstrip(".") and not host.rstrip(".").lower().endswith(
            (".local", ".internal", ".localhost")
        )
