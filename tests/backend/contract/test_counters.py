"""What counters promise, held against the process's own and against the cache itself."""

from datetime import UTC, datetime, timedelta

import pytest
import redis
from pydantic import SecretStr

from amply.infra.counters import CacheCounters, Counters, FallingBack, Hit, ProcessCounters
from amply.infra.settings import CacheSettings
from tests.backend.contract.whole_way import _wait_for
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
MINUTE = Hit(name="minute", key="a", window=timedelta(minutes=1))
HOUR = Hit(name="hour", key="a", window=timedelta(hours=1))


@pytest.fixture(params=["process", "cache"])
def counters(request: pytest.FixtureRequest) -> Counters:
    if request.param == "process":
        return ProcessCounters(sees_all=True)
    settings: CacheSettings = request.getfixturevalue("cache")
    _wait_for(
        redis.Redis(host=settings.host, port=settings.port, password=settings.password.get_secret_value())
    )
    return CacheCounters(settings)


def test_each_hit_is_counted_in_its_own_window(counters: Counters) -> None:
    for number in range(1, 4):
        assert counters.count([MINUTE, HOUR], now=NOW).numbers == (number, number)

    later = counters.count([MINUTE, HOUR], now=NOW + timedelta(seconds=90))
    assert (later.numbers, later.is_shared) == ((1 + 3 * 0.5, 4), True)
    assert counters.count([Hit(name="minute", key="b", window=timedelta(minutes=1))], now=NOW).numbers == (1,)


def test_while_the_cache_is_away_a_process_counts_alone() -> None:
    nobody = CacheSettings(host="127.0.0.1", port=free_port(), tls=False, password=SecretStr(""))
    counters = FallingBack(CacheCounters(nobody))

    counted = [counters.count([MINUTE], now=NOW) for _ in range(2)]
    assert [each.numbers for each in counted] == [(1,), (2,)]
    assert not any(each.is_shared for each in counted)
