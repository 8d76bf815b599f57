"""Computes due dates and times of charges.

Days are the donor's: a gift of the 31st falls on the last day of a shorter month and on the 31st again afterwards,
because each day is counted from the first month and never from the day before.
"""

import zoneinfo
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

COLLECTED_AT: Final = time(8)
"""Local time: the donor's bank writes at an hour when somebody can read it, and no clock is put forward then."""

APART_MIN: Final = timedelta(days=15)
"""Between the first gift and the second, where the donor chose another day than the first gift's."""


class Interval(StrEnum):
    """How often."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Months between gifts."""
        return {Interval.MONTH: 1, Interval.QUARTER: 3, Interval.YEAR: 12}[self]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The due dates of a plan.

    Attributes:
        first_month: The first day of the month that period 0 belongs to.
        day_of_month: 1 to 31; the last day of a month that has fewer.
        time_zone: IANA name; whose calendar counts.
    """

    every: Interval
    first_month: date
    day_of_month: int
    time_zone: str

    @classmethod
    def beginning(
        cls, *, now: datetime, every: Interval, time_zone: str, day_of_month: int | None = None
    ) -> "Schedule":
        """The schedule of a plan that starts now, by default on the same day of the month."""
        today = now.astimezone(zoneinfo.ZoneInfo(time_zone)).date()
        made = cls(
            every=every,
            first_month=today.replace(day=1),
            day_of_month=day_of_month or today.day,
            time_zone=time_zone,
        )
        if made.due_on(1) - today >= APART_MIN:
            return made
        return cls(
            every=every,
            first_month=_months_later(made.first_month, 1),
            day_of_month=made.day_of_month,
            time_zone=time_zone,
        )

    def due_on(self, period: int) -> date:
        """A period's day in the donor's calendar."""
        month = _months_later(self.first_month, period * self.every.months)
        return month.replace(day=min(self.day_of_month, monthrange(month.year, month.month)[1]))

    def due_at(self, period: int) -> datetime:
        """When a period is collected (UTC)."""
        return self.moment_of(self.due_on(period))

    def moment_of(self, day: date) -> datetime:
        """When gifts of a day are collected (UTC)."""
        return datetime.combine(day, COLLECTED_AT, zoneinfo.ZoneInfo(self.time_zone)).astimezone(UTC)

    def today(self, now: datetime) -> date:
        """Today in the donor's calendar."""
        return now.astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()

    def first_from(self, day: date, *, at_least: int = 1) -> int:
        """The first period due on or after a day, at least `at_least`."""
        between = (day.year - self.first_month.year) * 12 + day.month - self.first_month.month
        period = max(at_least, between // self.every.months)
        while self.due_on(period) < day:
            period += 1
        return period

    def last_due(self, now: datetime, *, at_least: int) -> int:
        """The newest due period, at least `at_least`: earlier missed ones have lapsed."""
        period = self.first_from(self.today(now), at_least=at_least)
        while period > at_least and self.due_at(period) > now:
            period -= 1
        return period


def _months_later(month: date, months: int) -> date:
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)
