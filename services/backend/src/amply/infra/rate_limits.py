"""Rate limits of routes, counted in the cache; while it is unavailable, requests pass. Gifts are checked by
`modules/defence` as well.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import redis
from fastapi import Request

from amply.infra.cache import log_unavailable
from amply.infra.gcra import Gcra, Limit, Standing
from amply.kernel.errors import TooManyRequests

_MINUTE: Final = 60
_HOUR: Final = 3600

LIMITS: Final[Mapping[str, Limit]] = {
    # Public data of an organisation. A school class may share one address.
    "public": Limit(requests=600, seconds=_MINUTE),
    # A donation page looks every second until its gift has arrived.
    "gift_standing": Limit(requests=600, seconds=_MINUTE),
    # Gifts admitted by the gate: a page asks once, and again for each declined card.
    "split_payments": Limit(requests=30, seconds=_MINUTE),
    # A donation page asks once for each amount that somebody tries.
    "quotes": Limit(requests=300, seconds=_MINUTE),
    # Somebody who lost a letter asks once or twice; who asks for many addresses looks for donors.
    "donor_links": Limit(requests=10, seconds=_HOUR),
    # By recipient, so that nobody's mailbox can be flooded.
    "links_to_one_address": Limit(requests=3, seconds=_HOUR),
    # Staff check their organisation's state whenever they return from the processor.
    "onboarding_looks": Limit(requests=60, seconds=_MINUTE),
    # An invited person looks a few times, and may retry passwords.
    "invitations": Limit(requests=60, seconds=_MINUTE),
    # Somebody who onboards an organisation may begin anew a few times.
    "onboarding_links": Limit(requests=30, seconds=_HOUR),
    "donor_plans": Limit(requests=60, seconds=_MINUTE),
    # By donor, from any address: at most all receipts of a year.
    "donor_documents": Limit(requests=60, seconds=_HOUR),
    "receipt_letters": Limit(requests=5, seconds=_HOUR),
    # The page looks every 0.7 seconds until a document is there.
    "document_looks": Limit(requests=300, seconds=_MINUTE),
    # A page that follows a ledger asks every ten seconds; a school behind one address has many such pages.
    "public_ledger": Limit(requests=300, seconds=_MINUTE),
    # A file takes seconds to make.
    "public_exports": Limit(requests=20, seconds=_MINUTE),
    # A complete export takes minutes to make.
    "own_exports": Limit(requests=3, seconds=_HOUR),
    # Test events and replays, of one organisation: each may be a thousand requests to somebody else's machine.
    "webhook_sends": Limit(requests=30, seconds=_HOUR),
    # Each is a key that signs for days; who rotates after a leak does it once or twice.
    "webhook_keys": Limit(requests=10, seconds=_HOUR),
    # Unauthenticated sign-in routes; a school may share one address. Attempts are counted
    # separately, and more strictly.
    "signing_in": Limit(requests=120, seconds=_MINUTE),
    # By organisation: a SCIM directory sends one request for each user.
    "scim": Limit(requests=600, seconds=_MINUTE),
    # By API key or person, from any address.
    "key_reads": Limit(requests=500, seconds=_MINUTE),
    "key_writes": Limit(requests=100, seconds=_MINUTE),
    "person_reads": Limit(requests=200, seconds=_MINUTE),
    "person_writes": Limit(requests=60, seconds=_MINUTE),
}
"""By name, which is also the policy's name in `RateLimit-Policy`."""


class Limiter(Protocol):
    """Counts requests."""

    def take(self, *, limit: str, caller: str) -> Standing | None:
        """Count one request of `caller` against the named limit; None where it cannot be counted now, and passes."""


class CacheLimiter:
    """Limits in the cache, shared by all processes."""

    def __init__(self, cache: redis.Redis) -> None:
        self._rule = Gcra(cache)

    def take(self, *, limit: str, caller: str) -> Standing | None:
        try:
            is_allowed, used, early = self._rule.take(f"amply:limit:{limit}:{caller}", LIMITS[limit])
        except (redis.RedisError, OSError) as error:
            log_unavailable(error, without=f"the limit {limit}")
            return None
        return Standing.of(limit, LIMITS[limit], is_allowed=is_allowed, used=used, early=early)


def count(request: Request, *, limit: str, caller: str, whose: str = "from you") -> None:
    """Count a request against a limit, whoever `caller` is; the answer will say how they stand with it.

    `whose` says for people whose requests are too many: "Too many requests from this address: …"

    Raises:
        TooManyRequests: It exceeds the limit.
    """
    limiter: Limiter = request.app.state.limiter
    standing = limiter.take(limit=limit, caller=caller)
    if standing is None:
        return
    request.scope.setdefault("state", {}).setdefault("standings", []).append(standing)
    if not standing.is_allowed:
        raise TooManyRequests(
            f"Too many requests {whose}: try again in {_in_words(standing.retry_after_seconds)}.",
            retry_after_seconds=standing.retry_after_seconds,
        )


@runtime_checkable
class Limiting(Protocol):
    """A FastAPI dependency that counts requests against a limit."""

    def limits(self, method: str) -> tuple[str, ...]:
        """The names of those that a request by this method may count against."""


@dataclass(frozen=True)
class Limited:
    """Counts each request against the named limit."""

    limit: str

    def limits(self, method: str) -> tuple[str, ...]:  # noqa: ARG002 -- the same for all methods
        """Its one."""
        return (self.limit,)


@dataclass(frozen=True)
class LimitedByAddress(Limited):
    """Counts requests by the client's IP address."""

    def __call__(self, request: Request) -> None:
        count(
            request, limit=self.limit, caller=_household(client_address(request)), whose="from this address"
        )


def limit_by_address(limit: str) -> LimitedByAddress:
    """A dependency that counts each request by the client's IP address."""
    return LimitedByAddress(limit)


def client_address(request: Request) -> str:
    """The IP address of the client that reached our gateway.

    The gateway overwrites one header with it, so what a client sends there never arrives. Where no gateway stands in
    front (a laptop), no header is configured and the peer is the client.
    """
    header: str = request.app.state.client_address_header
    peer = request.client.host if request.client else "unknown"
    return request.headers.get(header, peer) if header else peer


def _household(address: str) -> str:
    """Of IPv6 the network that one customer has: each has more addresses than could be counted."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network(f"{found}/64", strict=False).network_address)


def _in_words(seconds: int) -> str:
    if seconds > 2 * _MINUTE:
        return f"{-(-seconds // _MINUTE)} minutes"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
