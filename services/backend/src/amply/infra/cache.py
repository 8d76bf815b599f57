"""Connections to the cache (Valkey/Redis) with one-second timeouts: a request waits, so a slow cache counts as unavailable."""

from collections.abc import Sequence
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


def get_text(cache: redis.Redis, key: str) -> str | None:
    """The text under a key. This and what follows is for clients that decode."""
    return _text(cache.get(key))


def take_text(cache: redis.Redis, key: str) -> str | None:
    """The text under a key, which is deleted: of two who take it at once, one gets it."""
    return _text(cache.getdel(key))


def get_many(cache: redis.Redis, keys: Sequence[str]) -> list[str | None]:
    """The texts under these keys, in their order."""
    found: object = cache.mget(keys)
    if not isinstance(found, list):
        raise _unlike(found)
    return [_text(each) for each in found]


def get_hash(cache: redis.Redis, key: str) -> dict[str, str]:
    """The fields of a hash; none where there is no hash."""
    found: object = cache.hgetall(key)
    if not isinstance(found, dict):
        raise _unlike(found)
    return {_decoded(name): _decoded(value) for name, value in found.items()}


def get_field(cache: redis.Redis, key: str, field: str) -> str | None:
    """One field of a hash."""
    return _text(cache.hget(key, field))


def _text(found: object) -> str | None:
    return None if found is None else _decoded(found)


def _decoded(found: object) -> str:
    """The client's own types know neither whether it decodes nor whether it is asynchronous."""
    if not isinstance(found, str):
        raise _unlike(found)
    return found


def _unlike(found: object) -> TypeError:
    return TypeError(f"text is read by clients that decode, and this one reads {type(found).__name__}")
