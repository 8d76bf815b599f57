"""Whatever the cache does not answer leaves the line that is counted and rings: `cache_away` in stacks/log_metrics.py."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import redis
from structlog.testing import capture_logs

from amply.infra.counters import CacheCounters, FallingBack, Hit
from amply.infra.rate_limits import CacheLimiter
from amply.infra.settings import CacheSettings
from amply.modules.access import SignInUnavailable
from amply.modules.people import SessionStore, limits

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HIT = Hit(name="gift", key="198.51.100.1", window=timedelta(minutes=5))


class Unreachable(redis.Connection):
    def connect(self) -> None:
        raise redis.ConnectionError("no route to the cache")


def _cache() -> redis.Redis:
    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=Unreachable))


def _counters(monkeypatch: pytest.MonkeyPatch) -> CacheCounters:
    monkeypatch.setattr("amply.infra.counters.cache_client", lambda _: _cache())
    return CacheCounters(CacheSettings(host="cache.example", port=6379))


def _limits_a_read(_: pytest.MonkeyPatch) -> None:
    assert CacheLimiter(_cache()).take(limit="public", caller="198.51.100.1") is None


def _counts_a_gift(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FallingBack(_counters(monkeypatch)).count([HIT], now=NOW).is_shared is False


def _asks_who_is_signed_in(_: pytest.MonkeyPatch) -> None:
    SessionStore(_cache()).find("token")


def _counts_an_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    limits.allows(_counters(monkeypatch), limits.OF_ADDRESS, "198.51.100.1", now=NOW)


@pytest.mark.parametrize(
    "asks",
    [_limits_a_read, _counts_a_gift, _asks_who_is_signed_in, _counts_an_attempt],
    ids=lambda asks: asks.__name__.removeprefix("_"),
)
def test_a_cache_that_is_away_is_said_once_for_each_request(
    asks: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs() as said, suppress(SignInUnavailable):
        asks(monkeypatch)

    assert [(line["event"], line["error"], line["log_level"]) for line in said] == [
        ("cache_away", "ConnectionError", "warning")
    ]
