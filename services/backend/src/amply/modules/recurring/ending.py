"""Letters about attempted charges, and the end of a charge that stays unpaid."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from amply.modules.recurring.domain import Charge, ChargeState, PlanStatus, Unanswered
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import Amounts, LetterKind, PaidWith, owe_letter


@dataclass(frozen=True, kw_only=True)
class Tried:
    """An attempted charge with the amount and payment method of that time."""

    charge: Charge
    method_kind: str | None
    last4: str | None


def write_of(
    session: Session, plan: PlanRow, kind: LetterKind, *, tried: Tried, now: datetime, again: str = ""
) -> None:
    """Schedule a letter about an attempt: day, amounts, method. `again` distinguishes it from others."""
    charge = tried.charge
    owe_letter(
        session,
        plan,
        kind=kind,
        key=f"{kind}:{charge.period}{again}",
        due_on=charge.due_on,
        amounts=Amounts(total=charge.total, fee_cover=charge.fee_cover),
        method=PaidWith(kind=tried.method_kind, last4=tried.last4),
        now=now,
    )


def note_unanswered(row: PlanChargeRow, what: Unanswered | None, *, now: datetime) -> None:
    """Record what the processor never answered, for staff; None clears it."""
    row.unanswered, row.unanswered_at = what, now if what is not None else None


def end_unpaid(session: Session, plan: PlanRow, row: PlanChargeRow, *, tried: Tried, now: datetime) -> None:
    """Close a charge unpaid. If the processor never answered, the donor is told only now.

    A plan that does not go on has been written about.
    """
    row.state, row.next_attempt_at = ChargeState.GIVEN_UP, None
    if row.unanswered == Unanswered.CHARGE and plan.status in (PlanStatus.ACTIVE, PlanStatus.PAST_DUE):
        write_of(session, plan, LetterKind.NOT_COLLECTED, tried=tried, now=now)
