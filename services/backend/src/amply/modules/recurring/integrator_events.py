"""Records public events about plans in the transaction of the change. They do not identify the donor."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules.public_events import EventAmount, EventType, PlanChanged, PlanReason, record
from amply.modules.recurring.domain import PlanStatus, Reason
from amply.modules.recurring.models import PlanRow

_TOLD: Final = {
    PlanStatus.ACTIVE: EventType.PLAN_RESUMED,
    PlanStatus.PAUSED: EventType.PLAN_PAUSED,
    PlanStatus.ENDED: EventType.PLAN_ENDED,
}


def record_move(
    session: Session, plan: PlanRow, *, to: PlanStatus, reason: Reason | None, now: datetime
) -> None:
    """Record a plan's state transition. Plans that never started are left out."""
    is_new = plan.status == PlanStatus.INCOMPLETE
    if plan.status == to or (is_new and to is PlanStatus.ENDED):
        return
    amount = Money(minor_units=plan.minor_units, currency=plan.currency)
    record(
        session,
        type=EventType.PLAN_STARTED if is_new and to is PlanStatus.ACTIVE else _TOLD[to],
        organization_id=plan.organization_id,
        subject_id=plan.id,
        data=PlanChanged(
            plan_id=plan.id,
            amount=EventAmount.of(amount),
            reason=None if reason is None else PlanReason(reason),
        ),
        occurred_at=now,
        now=now,
    )
