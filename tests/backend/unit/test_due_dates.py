"""Days and moments of recurring gifts: short months, leap days, time zones, clocks that change."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.modules.recurring.due_dates import Interval, Schedule

MOMENTS = st.integers(946684800, 3786912000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Apia", "Asia/Kathmandu"]
)


def schedule(
    year: int, month: int, day: int, *, every: Interval = Interval.MONTH, time_zone: str = "UTC"
) -> Schedule:
    return Schedule.beginning(
        now=datetime(year, month, day, 12, tzinfo=UTC), every=every, time_zone=time_zone
    )


def days(made: Schedule, count: int) -> list[str]:
    return [made.due_on(period).isoformat() for period in range(count)]


def test_the_31st_is_the_last_day_of_shorter_months_and_the_31st_again() -> None:
    assert days(schedule(2026, 1, 31), 6) == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30")
    ]
    assert schedule(2028, 1, 31).due_on(1) == date(2028, 2, 29)


def test_a_leap_day_comes_back_every_fourth_year() -> None:
    made = schedule(2028, 2, 29, every=Interval.YEAR)
    assert days(made, 5) == ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]


def test_quarters_keep_their_day() -> None:
    assert days(schedule(2026, 11, 30, every=Interval.QUARTER), 4) == [
        *("2026-11-30", "2027-02-28", "2027-05-30", "2027-08-30")
    ]


def test_the_donors_calendar_counts_and_not_ours() -> None:
    """On the evening of the 30th in Berlin it is still the 30th in London, and already the 31st on Kiritimati."""
    now = datetime(2026, 3, 30, 22, 30, tzinfo=UTC)
    first = {
        zone: Schedule.beginning(now=now, every=Interval.MONTH, time_zone=zone).due_on(0).isoformat()
        for zone in ("America/New_York", "Europe/Berlin", "Pacific/Kiritimati")
    }
    assert first == {
        "America/New_York": "2026-03-30",
        "Europe/Berlin": "2026-03-31",
        "Pacific/Kiritimati": "2026-03-31",
    }


def test_eight_in_the_morning_stays_eight_when_the_clocks_change() -> None:
    made = schedule(2026, 2, 28, time_zone="Europe/Berlin")
    assert [made.due_at(period).isoformat() for period in (0, 1, 8, 9)] == [
        "2026-02-28T07:00:00+00:00",
        "2026-03-28T07:00:00+00:00",
        "2026-10-28T07:00:00+00:00",
        "2026-11-28T07:00:00+00:00",
    ]
    assert made.due_at(2).hour == 6, "summer"


def test_another_day_of_the_month_is_never_just_after_the_first_gift() -> None:
    def chosen(day: int) -> str:
        now = datetime(2026, 1, 20, 12, tzinfo=UTC)
        made = Schedule.beginning(now=now, every=Interval.MONTH, time_zone="UTC", day_of_month=day)
        return made.due_on(1).isoformat()

    assert [chosen(day) for day in (1, 4, 20, 31)] == ["2026-03-01", "2026-02-04", "2026-02-20", "2026-02-28"]


def test_of_periods_that_were_missed_only_the_newest_is_left() -> None:
    made = schedule(2026, 1, 15)
    assert made.last_due(datetime(2026, 4, 20, tzinfo=UTC), at_least=1) == 3
    assert made.last_due(datetime(2026, 4, 15, 7, 59, tzinfo=UTC), at_least=1) == 2
    assert made.last_due(datetime(2026, 2, 15, 8, tzinfo=UTC), at_least=1) == 1
    assert made.last_due(datetime(2026, 2, 20, tzinfo=UTC), at_least=4) == 4, "what was skipped stays so"


@given(now=MOMENTS, every=st.sampled_from(Interval), zone=ZONES, period=st.integers(0, 240))
def test_each_period_has_a_day_of_its_own_month(
    now: datetime, every: Interval, zone: str, period: int
) -> None:
    made = Schedule.beginning(now=now, every=every, time_zone=zone)
    day, after = made.due_on(period), made.due_on(period + 1)
    months = (after.year - day.year) * 12 + after.month - day.month
    assert months == every.months
    tomorrow_is_another_month = (after + timedelta(days=1)).month != after.month
    assert after.day == made.day_of_month or tomorrow_is_another_month
    assert made.due_at(period).astimezone(zoneinfo.ZoneInfo(zone)).date() in (day, day + timedelta(days=1))
    assert made.due_at(period) < made.due_at(period + 1)


@given(now=MOMENTS, every=st.sampled_from(Interval), ahead=st.integers(0, 4000))
def test_the_first_period_from_a_day_is_the_first(now: datetime, every: Interval, ahead: int) -> None:
    made = Schedule.beginning(now=now, every=every, time_zone="UTC")
    day = now.date() + timedelta(days=ahead)
    period = made.first_from(day)
    assert made.due_on(period) >= day
    assert period == 1 or made.due_on(period - 1) < day


@pytest.mark.parametrize("every", Interval)
def test_a_schedule_begins_with_the_day_of_the_first_gift(every: Interval) -> None:
    assert schedule(2026, 5, 31, every=every).due_on(0) == date(2026, 5, 31)
