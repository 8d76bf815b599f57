"""Rate limits of what is read, counted in the cache; while it is away, requests pass. Gifts have a gate (`modules/defence`)."""

import urllib.parse
from collections.abc import Callable
from typing import Final, Protocol

import limits
import limits.storage
import limits.strategies
import redis
import structlog
from fastapi import Request

from amply.infra.settings import CacheSettings
from amply.kernel.errors import TooManyRequests

_log = structlog.get_logger()

LIMITS: Final = {
    # Of gifts that the gate let in: a donor's page asks once, and once more for each card that is declined.
    "split_payments": limits.parse("30/minute"),
    # A donation page asks once for each amount that somebody tries.
    "quotes": limits.parse("300/minute"),
    # Somebody who lost a letter asks once or twice; who asks for many addresses looks for donors.
    "donor_links": limits.parse("10/hour"),
    # To one mailbox, whoever asks: nobody's is filled by somebody else.
    "links_to_one_address": limits.parse("3/hour"),
    # Somebody who onboards an organisation may begin anew a few times.
    "onboarding_links": limits.parse("30/hour"),
    "donor_plans": limits.parse("60/minute"),
    # By the donor, whatever address they ask from. A donor fetches each receipt of a year at most.
    "donor_documents": limits.parse("60/hour"),
    "receipt_letters": limits.parse("5/hour"),
    # The page looks every 0.7 seconds until a document is there.
    "document_looks": limits.parse("300/minute"),
    # A page that follows a ledger asks every ten seconds; a school behind one address has many such pages.
    "public_ledger": limits.parse("300/minute"),
    # A file is work for seconds.
    "public_exports": limits.parse("20/minute"),
    # Of one API key and of one person, wherever they ask from.
    "key_reads": limits.parse("500/minute"),
    "key_writes": limits.parse("100/minute"),
    "person_reads": limits.parse("200/minute"),
    "person_writes": limits.parse("60/minute"),
}


class Limiter(Protocol):
    """Counts requests; `allows` is False when one more exceeds the limit."""

    def allows(self, *, limit: str, caller: str) -> bool:
        """Count one request of `caller` against the named limit."""


class CacheLimiter:
    """A moving window in the cache, shared by every process."""

    def __init__(self, settings: CacheSettings) -> None:
        scheme = "rediss" if settings.tls else "redis"
        password = urllib.parse.quote(settings.password.get_secret_value(), safe="")
        storage = limits.storage.RedisStorage(
            f"{scheme}://:{password}@{settings.host}:{settings.port}"
            if password
            else f"{scheme}://{settings.host}:{settings.port}",
            socket_timeout=1,
            socket_connect_timeout=1,
        )
        self._strategy = limits.strategies.MovingWindowRateLimiter(storage)

    def allows(self, *, limit: str, caller: str) -> bool:
        try:
            return self._strategy.hit(LIMITS[limit], limit, caller)
        except redis.RedisError:
            _log.warning("rate limit not counted: the cache does not answer", limit=limit)
            return True


def limit_by_address(limit: str) -> Callable[[Request], None]:
    """A dependency that counts each request against its client's address."""

    def check(request: Request) -> None:
        limiter: Limiter = request.app.state.limiter
        if not limiter.allows(limit=limit, caller=client_address(request)):
            raise TooManyRequests("Too many requests from this address: wait a minute and try again.")

    return check


def client_address(request: Request) -> str:
    """The address of whoever reached our gateway.

    The gateway overwrites one header with it, so what a client sends there never arrives. Where no gateway stands in
    front (a laptop), no header is configured and the peer is the client.
    """
    header: str = request.app.state.client_address_header
    peer = request.client.host if request.client else "unknown"
    return request.headers.get(header, peer) if header else peer
