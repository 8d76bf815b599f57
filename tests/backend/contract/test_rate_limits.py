"""The rule of rate limits, run by a real cache: as many pass as are said to, at the second that is said."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from amply.infra.cache import cache_client
from amply.infra.gcra import Gcra, Limit
from amply.infra.rate_limits import LIMITS, CacheLimiter
from amply.infra.settings import CacheSettings
from tests.backend.contract.whole_way import _wait_for
from tests.hypothesis_profiles import examples
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

TOLD = "local now = tonumber(ARGV[3])\n"
"""A clock that is told the time, for the one that the cache reads itself."""
BEGIN = 1_795_000_000_000_000
"""Microseconds since 1970; of today's size, for the cache's numbers are floating."""

Take = Callable[[str, Limit, int], tuple[bool, int, int]]

# Intervals of seconds: the cache forgets what it keeps by its own clock, which a test does not move.
LIMIT = st.builds(
    Limit, requests=st.integers(1, 40), seconds=st.integers(600, 86_400), burst=st.integers(0, 12)
)
GAPS = st.lists(st.one_of(st.just(0), st.integers(0, 9_000_000_000)), max_size=40)
checked = settings(
    max_examples=examples(day=40, night=300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def opened(cache: CacheSettings) -> redis.Redis:
    made = redis.Redis(host=cache.host, port=cache.port, password=cache.password.get_secret_value())
    _wait_for(made)
    return made


@pytest.fixture
def take(opened: redis.Redis) -> Take:
    return Gcra(opened, clock=TOLD).take


_keys = (f"caller-{number}" for number in itertools.count())


@checked
@given(limit=LIMIT, gaps=GAPS)
def test_never_more_pass_than_the_burst_and_the_rate(take: Take, limit: Limit, gaps: list[int]) -> None:
    key, now, passed = next(_keys), BEGIN, []
    for gap in gaps:
        now += gap
        if take(key, limit, now)[0]:
            passed.append(now)
    for first, since in enumerate(passed):
        for number, until in enumerate(passed[first:], start=1):
            assert (number - limit.at_once) * limit.interval <= until - since


@checked
@given(limit=LIMIT, gaps=GAPS)
def test_exactly_as_many_pass_as_are_said_to_be_left(take: Take, limit: Limit, gaps: list[int]) -> None:
    key, now, used = next(_keys), BEGIN, 0
    for gap in [*gaps, 0]:
        now += gap
        used = take(key, limit, now)[1]
    left = (limit.window - used) // limit.interval

    assert [take(key, limit, now)[0] for _ in range(left + 1)] == [True] * left + [False]


@checked
@given(limit=LIMIT, gaps=GAPS)
def test_the_next_one_passes_after_exactly_what_was_said(take: Take, limit: Limit, gaps: list[int]) -> None:
    key, now, early = next(_keys), BEGIN, 0
    for gap in gaps:
        now += gap
        take(key, limit, now)
    while early == 0:
        _, _, early = take(key, limit, now)

    assert take(key, limit, now + early - 1) == (False, limit.window - limit.interval + 1, 1)
    assert take(key, limit, now + early)[0]


def test_whoever_is_refused_loses_nothing_by_asking_again(take: Take) -> None:
    limit = Limit(requests=1, seconds=3600)
    assert take("eager", limit, BEGIN) == (True, limit.interval, 0)
    for second in range(1, 3600, 60):
        assert not take("eager", limit, BEGIN + second * 1_000_000)[0]
    assert take("eager", limit, BEGIN + 3_600_000_000)[0]


def test_a_clock_that_went_back_keeps_nobody_waiting_for_longer_than_an_interval(take: Take) -> None:
    limit = Limit(requests=4, seconds=3600)
    for _ in range(4):
        take("back", limit, BEGIN)
    earlier = BEGIN - 30 * 86_400_000_000
    assert take("back", limit, earlier) == (False, limit.window, limit.interval)
    assert take("back", limit, earlier + limit.interval)[0]


def test_many_processes_at_once_let_no_more_through(cache: CacheSettings, opened: redis.Redis) -> None:
    limiters = [CacheLimiter(cache_client(cache)) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(limiters[number % 4].take, limit="receipt_letters", caller="ada")
            for number in range(40)
        ]
        standings = [each.result() for each in asked]
    assert sum(standing is not None and standing.is_allowed for standing in standings) == 5
    assert all(0 < opened.pttl(key) <= 3_600_000 for key in opened.keys("amply:limit:*"))


def test_by_the_caches_own_clock_a_first_request_leaves_all_but_one(
    cache: CacheSettings, opened: redis.Redis
) -> None:
    assert opened.ping()
    standing = CacheLimiter(cache_client(cache)).take(limit="donor_links", caller="203.0.113.9")
    assert standing is not None
    assert (standing.is_allowed, standing.remaining, standing.whole_in_seconds) == (True, 9, 360)
    assert standing.limit == LIMITS["donor_links"]


def test_while_the_cache_is_away_nothing_is_counted_and_requests_pass() -> None:
    nobody = CacheSettings(host="127.0.0.1", port=free_port(), tls=False, password=SecretStr(""))
    assert CacheLimiter(cache_client(nobody)).take(limit="quotes", caller="203.0.113.9") is None
