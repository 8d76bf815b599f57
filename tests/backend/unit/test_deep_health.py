"""What `/health/deep` finds: all at once, bounded, remembered for a while, and without a word of what errors say."""

import threading

import pytest

from amply.entrypoints.deep_health import CACHED_SECONDS, DeepHealth, HealthStatus, Part, PartStatus

SECRET = "postgres.internal:5432 password=hunter2"


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _breaks() -> None:
    raise ConnectionError(SECRET)


def test_each_part_says_how_it_is_and_nothing_of_where_it_stands() -> None:
    found = DeepHealth(
        [
            Part(name="database", ask=lambda: None, is_needed=True),
            Part(name="cache", ask=_breaks),
            Part(name="queues", ask=None),
        ]
    ).look()
    assert [(part.name, part.status) for part in found.parts] == [
        ("database", PartStatus.OK),
        ("cache", PartStatus.AWAY),
        ("queues", PartStatus.NOT_ASKED),
    ]
    assert found.parts[0].milliseconds is not None
    assert (found.parts[1].milliseconds, found.parts[2].milliseconds) == (None, None)
    assert found.status is HealthStatus.DEGRADED
    assert "internal" not in found.model_dump_json()
    assert "hunter2" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("needed", "status"), [(True, HealthStatus.UNAVAILABLE), (False, HealthStatus.DEGRADED)]
)
def test_without_a_part_that_gifts_need_nothing_is_taken(needed: bool, status: HealthStatus) -> None:  # noqa: FBT001 -- given by name
    assert DeepHealth([Part(name="database", ask=_breaks, is_needed=needed)]).look().status is status


def test_all_are_asked_at_once() -> None:
    """Each waits for the other: one after the other, both would be away."""
    together = threading.Barrier(2, timeout=30)
    parts = [Part(name=name, ask=together.wait) for name in ("database", "cache")]
    assert DeepHealth(parts, seconds_max=60).look().status is HealthStatus.OK


def test_what_hangs_is_not_waited_for_and_not_asked_again() -> None:
    freed, began, asked, watch = threading.Event(), threading.Event(), [], Watch()

    def hangs() -> None:
        asked.append(1)
        began.set()
        freed.wait(60)

    deep = DeepHealth([Part(name="cache", ask=hangs)], seconds_max=0.01, clock=watch)
    for _ in range(3):
        assert deep.look().parts[0].status is PartStatus.AWAY
        watch.now += CACHED_SECONDS
    assert began.wait(30)
    assert len(asked) == 1
    freed.set()


def test_what_is_known_is_told_for_ten_seconds() -> None:
    asked, watch = [], Watch()
    deep = DeepHealth([Part(name="cache", ask=lambda: asked.append(1))], clock=watch)
    assert [deep.look().seconds_ago for _ in range(3)] == [0.0] * 3
    watch.now += CACHED_SECONDS - 0.5
    assert (deep.look().seconds_ago, len(asked)) == (9.5, 1)
    watch.now += 0.5
    assert (deep.look().seconds_ago, len(asked)) == (0.0, 2)
