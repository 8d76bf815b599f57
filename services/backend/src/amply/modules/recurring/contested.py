"""Pauses plans while one of their gifts is disputed.

A gift is contested while a dispute of it is open, once one is lost, and when it was given back as fraud
(`donations.contested`). Whoever opens or collects a charge asks here first, so that none is made even where the news of it
got lost; the news only lets a plan rest, and its donor hear of it, at once.
"""

from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules import donations
from amply.modules.recurring.domain import PlanContested, PlanStatus, Reason
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import LetterKind, lock_plan, owe_letter, rest

_IS_CHARGED: Final = (PlanStatus.ACTIVE, PlanStatus.PAST_DUE)

_log = structlog.get_logger()


def contested_period(session: Session, *, plan_id: str) -> int | None:
    """The newest period whose gift is disputed, or None."""
    gifts = {
        row.donation_id: row.period
        for row in session.execute(
            select(PlanChargeRow.donation_id, PlanChargeRow.period).where(
                PlanChargeRow.plan_id == plan_id, PlanChargeRow.donation_id.is_not(None)
            )
        )
    }
    found = donations.contested(session, donation_ids=gifts.keys())
    return max((gifts[donation_id] for donation_id in found), default=None)


def rest_contested(session: Session, row: PlanRow, *, period: int, now: datetime) -> None:
    """Pause a locked plan because of this period's disputed gift, with one letter to the donor."""
    rest(session, row, status=PlanStatus.PAUSED, reason=Reason.CONTESTED, now=now)
    owe_letter(session, row, kind=LetterKind.CONTESTED, key=f"{LetterKind.CONTESTED}:{period}", now=now)
    _log.warning("plan_contested", plan_id=row.id, period=period)


def pause_contested(database: Database, *, donation_id: str, now: datetime) -> bool:
    """Pause the plan of a disputed gift; False if there is none, or it is not charged anyway."""
    with database.transaction() as session:
        plan_id = session.scalar(
            select(PlanChargeRow.plan_id).where(PlanChargeRow.donation_id == donation_id)
        )
        if plan_id is None:
            return False
        row = lock_plan(session, plan_id=plan_id)
        # A donor's own pause that ends by itself is one after which would be charged.
        if row.status not in _IS_CHARGED and row.next_due_at is None:
            return False
        period = contested_period(session, plan_id=plan_id)
        if period is None:
            return False
        rest_contested(session, row, period=period, now=now)
    return True


def require_uncontested(session: Session, *, plan_id: str) -> None:
    """Raise if a gift of the plan is disputed.

    Raises:
        PlanContested: Something is.
    """
    if contested_period(session, plan_id=plan_id) is not None:
        raise PlanContested(
            "A gift of this plan was disputed at your bank, or given back as not meant by you: settle that with your bank "
            "first, or end this plan and begin another one."
        )
