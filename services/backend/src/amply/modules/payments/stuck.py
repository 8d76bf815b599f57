"""Finds payments and refunds whose request to the processor got no answer.

Each is tried ten times, ever further apart; then it waits for a person.
"""

from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.infra.due_rows import again
from amply.modules.payments.models import PaymentRow, RefundRow

STUCK_AFTER: Final = timedelta(minutes=1)
_FIRST_AGAIN: Final = 2 * STUCK_AFTER
_CREATED: Final = "created"
"""The state of payments and refunds that the processor has not answered yet."""
_ATTEMPTS_MAX: Final = 10

Row = TypeVar("Row", PaymentRow, RefundRow)


def claim_stuck_row(session: Session, table: type[Row], *, now: datetime) -> Row | None:
    """Count an attempt at the longest due of those whose answer did not come back within a minute, and return it.

    One at a time: whoever stops, since nobody answers, has counted no attempt that was not made.
    """
    due_at = func.coalesce(table.next_attempt_at, table.created_at + STUCK_AFTER)
    row = session.scalars(
        select(table)
        .where(table.status == _CREATED, due_at < now, table.attempts < _ATTEMPTS_MAX)
        .order_by(due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is not None:
        row.attempts += 1
        row.next_attempt_at = now + again(row.attempts, first=_FIRST_AGAIN)
    return row


def count_given_up(session: Session, table: type[PaymentRow | RefundRow]) -> int:
    """Count rows that used up their attempts."""
    given_up = select(func.count()).where(table.status == _CREATED, table.attempts >= _ATTEMPTS_MAX)
    return session.scalars(given_up).one()
