"""Connections to the cache (Valkey/Redis) with one-second timeouts: a request waits, so a slow cache counts as unavailable."""

from typing import Final

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from amply.infra.settings import CacheSettings

_AWAY_SECONDS: Final = 1

_log = structlog.get_logger()


def log_unavailable(error: Exception, *, without: str) -> None:
    """Log that the cache did not respond; the lines are counted for an alarm. `without`: what was skipped."""
    _log.warning("cache_away", without=without, error=type(error).__name__)


def cache_client(settings: CacheSettings, *, decodes: bool = False) -> redis.Redis:
    """A client with a connection pool. `decodes`: responses are text.

    Everything raises redis.RedisError when the cache does not answer. A connection that was closed while nobody used it is
    made anew, once. Left to itself the library tries ten times, and a cache that hangs would hold up everybody.
    """
    return redis.Redis(
        host=settings.host,
        port=settings.port,
        password=settings.password.get_secret_value() or None,
        ssl=settings.tls,
        socket_timeout=_AWAY_SECONDS,
        socket_connect_timeout=_AWAY_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        decode_responses=decodes,
    )
