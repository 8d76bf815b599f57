"""Erases a donor's plans: they end, and lose all personal data."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from amply.infra import idempotency
from amply.modules import defence, payments, public_events
from amply.modules.recurring.domain import UNDER_WAY, ChargeState, PlanStatus, Reason
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import forget_donor, rest
from amply.modules.recurring.starting import IDEMPOTENCY_SCOPE


def forget(session: Session, *, email_sha256: str | None, donation_id: str | None, now: datetime) -> int:
    """End and erase the plans of an address (its digest), or of a gift; return how many.

    Before the gifts are erased, which changes their ids. What the processor keeps of a donor stays with it until the
    organisation deletes the customer there; nothing of ours charges it any more. None where nobody is named.
    """
    if email_sha256 is None and donation_id is None:
        return 0  # a period that was skipped has no gift, and would be found as theirs
    chosen = (
        PlanRow.is_of(session, email_sha256)
        if email_sha256 is not None
        else PlanRow.id.in_(select(PlanChargeRow.plan_id).where(PlanChargeRow.donation_id == donation_id))
    )
    rows = session.scalars(
        select(PlanRow).where(chosen, PlanRow.erased_at.is_(None)).order_by(PlanRow.id).with_for_update()
    ).all()
    if defence.are_ending(session, owner_ids=[row.id for row in rows]):
        raise payments.EndingUnderWay
    named = [row.id for row in rows]
    # What was told of the plans so far goes. That they have ended is told after it: who was told of them has to know.
    public_events.forget_about(session, subject_ids=named)
    for row in rows:
        reason = Reason(row.reason) if row.status == PlanStatus.ENDED and row.reason else Reason.ERASED
        rest(session, row, status=PlanStatus.ENDED, reason=reason, now=now)
        forget_donor(session, row, now=now)
    session.execute(
        update(PlanChargeRow)
        .where(PlanChargeRow.plan_id.in_(named), PlanChargeRow.state.in_(UNDER_WAY))
        .values(state=ChargeState.GIVEN_UP, next_attempt_at=None, updated_at=now)
    )
    idempotency.forget(session, scope=IDEMPOTENCY_SCOPE, resource_ids=named)
    return len(rows)
