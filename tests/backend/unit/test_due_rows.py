"""When rows that wait for the worker come again."""

from datetime import timedelta

from amply.infra.due_rows import MINUTE, again, clock_from
from tests.backend.world import NOW


def test_the_wait_doubles_up_to_a_day() -> None:
    assert [again(attempts) for attempts in (1, 2, 5)] == [MINUTE, 2 * MINUTE, 16 * MINUTE]
    assert again(12) == timedelta(days=1)


def test_the_longest_wait_is_the_callers() -> None:
    assert again(12, most=10 * MINUTE) == 10 * MINUTE


def test_what_has_failed_for_weeks_still_comes_again() -> None:
    assert again(1_000) == timedelta(days=1)


def test_a_run_goes_on_from_when_it_began_by_steps_of_ten_seconds() -> None:
    read_at = iter([100.0, 109.9, 110.0, 135.0])
    clock = clock_from(NOW, timer=lambda: next(read_at))
    assert [clock() - NOW for _ in range(3)] == [timedelta(seconds=after) for after in (0, 10, 30)]
