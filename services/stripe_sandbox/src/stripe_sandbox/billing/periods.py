"""Billing periods: the anchor, and whole intervals counted from it (https://docs.stripe.com/billing/subscriptions/billing-cycle).

All moments are seconds since the epoch, UTC. A month without the anchor's day ends on its last day, and the day comes
back: 31 January, 28 February, 31 March.
"""

from calendar import monthrange
from datetime import UTC, datetime

from stripe_sandbox.errors import Json

_DAY_SECONDS = 24 * 3600
_SECONDS = {"day": _DAY_SECONDS, "week": 7 * _DAY_SECONDS}
_MONTHS = {"month": 1, "year": 12}
_MONTHS_A_YEAR = 12


def nth(anchor: int, recurring: Json, count: int) -> int:
    """The boundary `count` intervals after the anchor; before it when negative. `recurring`: as in a price."""
    interval, times = recurring["interval"], recurring["interval_count"] * count
    if interval in _SECONDS:
        return anchor + int(_SECONDS[interval]) * int(times)
    return _months_later(anchor, _MONTHS[interval] * times)


def first_after(anchor: int, recurring: Json, moment: int) -> int:
    """The first boundary after a moment."""
    count = _about(anchor, recurring, moment)
    while nth(anchor, recurring, count) > moment:
        count -= 1
    while nth(anchor, recurring, count) <= moment:
        count += 1
    return nth(anchor, recurring, count)


def whole_before(anchor: int, recurring: Json, end: int) -> int:
    """Where the whole interval begins that ends at the boundary `end`."""
    count = _about(anchor, recurring, end)
    while nth(anchor, recurring, count) >= end:
        count -= 1
    while nth(anchor, recurring, count + 1) < end:
        count += 1
    return nth(anchor, recurring, count)


def _about(anchor: int, recurring: Json, moment: int) -> int:
    """A count near the moment, to begin the search with."""
    length = nth(anchor, recurring, 1) - anchor
    return (moment - anchor) // length


def _months_later(anchor: int, months: int) -> int:
    moment = datetime.fromtimestamp(anchor, UTC)
    year, month = divmod(moment.year * _MONTHS_A_YEAR + moment.month - 1 + months, _MONTHS_A_YEAR)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())
