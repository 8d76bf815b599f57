"""Work queue in a table: rows become due, are claimed one at a time, and the attempt is counted before the work begins.

Two workers never take the same one while less than `first_again` is spent on it. One that nothing can be done about holds back no
other: it comes again, ever later. Killed in between, what is done about a row may be done again when its turn comes.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Integer, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.database import Database
from amply.infra.orm import Record
from amply.kernel.clock import Clock

MINUTE: Final = timedelta(minutes=1)
LASTS: Final = MINUTE
"""Far less than until a queue delivers the message again that began a run (`stacks.queues.VISIBILITY`)."""

_STEP: Final = timedelta(seconds=10)
_AGAIN_MAX: Final = timedelta(days=1)
_DOUBLINGS_MAX: Final = 20
"""Limits the exponent: unlimited doubling would overflow a timedelta."""


class MaybeDueRow(Record):
    """A row that also may wait for nothing: then its `next_attempt_at` is None."""

    __abstract__ = True

    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_attempt_at: Mapped[datetime | None]


class DueRow(MaybeDueRow):
    """Base of tables with due rows."""

    __abstract__ = True

    next_attempt_at: Mapped[datetime]


Row = TypeVar("Row", bound=MaybeDueRow)


def work_off(
    database: Database,
    table: type[Row],
    *waits: ColumnElement[bool],
    do: Callable[[Row], int | None],
    most: int,
    now: datetime | Clock,
    lasts: timedelta = LASTS,
    first_again: timedelta = MINUTE,
    again_max: timedelta = _AGAIN_MAX,
    turns: Sequence[ColumnElement[Any]] = (),
    starts_at_once: bool = False,
) -> int:
    """Do something about the rows that are due, `most` of them, by `turns` and the longest due first; return the sum of what `do`
    returns.

    `now`: when the run begins, or a clock; each row is taken at a moment of its own, so that it is due to nobody else
    while it is in hand, however late in the run. `lasts`: after which no further row is taken; the others stay due.
    `waits`: which rows still wait, where a row stays afterwards. `first_again`: from the first attempt to the second; it
    doubles from then on, up to `again_max`. `starts_at_once`: the first attempt waits for no clock, since the one that wrote
    the row may be ahead of this one. `do` is called outside any transaction, with a row that is not to be changed; where
    it returns None the others would fare no better now, and the run ends.
    """
    clock = now if callable(now) else clock_from(now)
    done, ends_at = 0, clock() + lasts
    for _ in range(most):
        if (taken_at := clock()) >= ends_at:
            break
        row = _take(
            database,
            table,
            *waits,
            turns=turns,
            first_again=first_again,
            again_max=again_max,
            starts_at_once=starts_at_once,
            now=taken_at,
        )
        if row is None:
            break
        counted = do(row)
        if counted is None:
            break
        done += counted
    return done


def clock_from(now: datetime, *, timer: Callable[[], float] = time.monotonic) -> Clock:
    """A clock that begins at `now`. It goes by steps of ten seconds: what is done at once is all done at `now`.

    `timer`: seconds, from any beginning.
    """
    begun = timer()

    def read() -> datetime:
        elapsed = timedelta(seconds=timer() - begun)
        return now + elapsed // _STEP * _STEP

    return read


def again(attempts: int, *, first: timedelta = MINUTE, most: timedelta = _AGAIN_MAX) -> timedelta:
    """The delay before the next attempt, after so many attempts (from 1)."""
    return min(first * (1 << min(attempts - 1, _DOUBLINGS_MAX)), most)


def _take(
    database: Database,
    table: type[Row],
    *waits: ColumnElement[bool],
    turns: Sequence[ColumnElement[Any]],
    first_again: timedelta,
    again_max: timedelta,
    starts_at_once: bool,
    now: datetime,
) -> Row | None:
    is_due = table.next_attempt_at <= now
    with database.transaction() as session:
        row = session.scalars(
            select(table)
            .where(or_(table.attempts == 0, is_due) if starts_at_once else is_due, *waits)
            .order_by(*turns, table.next_attempt_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is not None:
            row.attempts += 1
            row.next_attempt_at = now + again(row.attempts, first=first_again, most=again_max)
        return row
