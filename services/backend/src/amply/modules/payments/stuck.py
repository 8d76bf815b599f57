"""Finds payments and refunds whose request to the processor got no answer.

Each is tried ten times, ever further apart; then it waits for a person.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.modules.payments.models import PaymentRow, RefundRow

STUCK_AFTER: Final = timedelta(minutes=1)
_CREATED: Final = "created"
"""The state of both that the processor has not answered for."""
_BATCH_MAX: Final = 50
_ATTEMPTS_MAX: Final = 10

Row = TypeVar("Row", PaymentRow, RefundRow)


def claim_stuck_rows(session: Session, table: type[Row], *, now: datetime) -> Sequence[Row]:
    """Claim rows unanswered for a minute, counting an attempt."""
    due_at = func.coalesce(table.next_attempt_at, table.created_at + STUCK_AFTER)
    rows = session.scalars(
        select(table)
        .where(table.status == _CREATED, due_at < now, table.attempts < _ATTEMPTS_MAX)
        .order_by(due_at)
        .limit(_BATCH_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.attempts += 1
        row.next_attempt_at = now + STUCK_AFTER * (1 << row.attempts)
    return rows


def count_given_up(session: Session, table: type[PaymentRow | RefundRow]) -> int:
    """Count rows that used up their attempts."""
    given_up = select(func.count()).where(table.status == _CREATED, table.attempts >= _ATTEMPTS_MAX)
    return session.scalars(given_up).one()
