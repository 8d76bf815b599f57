"""State transitions of plans and charges. The caller has locked the plan.

Locks: a plan before its charges. A charge is claimed alone, in a transaction that locks nothing else.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules import defence, payments
from amply.modules.donations import Anonymity
from amply.modules.recurring.declines import notice_before
from amply.modules.recurring.domain import (
    Charge,
    ChargeState,
    GiftAid,
    Plan,
    PlanNotFound,
    PlanStatus,
    Reason,
)
from amply.modules.recurring.due_dates import Interval, Schedule
from amply.modules.recurring.integrator_events import record_move
from amply.modules.recurring.models import PlanChargeRow, PlanLetterRow, PlanRow

FIRST: Final = 0
"""The period of a plan's first gift."""


class LetterKind(StrEnum):
    """Kinds of letters about a plan."""

    NOTICE = "notice"
    DECLINED = "declined"
    CONFIRM = "confirm"
    PAUSED = "paused"
    NOT_KEPT = "not_kept"
    NOT_COLLECTED = "not_collected"
    CONDITIONS = "conditions"
    CONTESTED = "contested"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """A charge's total, and the fee cover in it."""

    total: Money
    fee_cover: Money


@dataclass(frozen=True, kw_only=True)
class PaidWith:
    """The payment method that was attempted; the plan may have another one by now."""

    kind: str | None
    last4: str | None


def schedule_of(row: PlanRow) -> Schedule:
    """A plan's schedule."""
    return Schedule(
        every=Interval(row.every),
        first_month=row.first_month,
        day_of_month=row.day_of_month,
        time_zone=row.time_zone,
    )


def plan_of(row: PlanRow) -> Plan:
    """The plan a row holds."""
    return Plan(
        id=row.id,
        organization_id=row.organization_id,
        account_id=row.account_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        schedule=schedule_of(row),
        status=PlanStatus(row.status),
        reason=Reason(row.reason) if row.reason else None,
        next_period=row.next_period,
        next_due_at=row.next_due_at,
        customer_id=row.customer_id,
        method_id=row.method_id,
        method_kind=row.method_kind,
        method_last4=row.method_last4,
        setup_id=row.setup_id,
        fund_id=row.fund_id,
        anonymity=Anonymity(row.anonymity),
        gift_aid=_gift_aid(row),
        fee_cover_max=Money(minor_units=row.fee_cover_minor_units, currency=row.currency),
        created_at=row.created_at,
    )


def has_gift_aid(row: PlanRow) -> bool:
    """Whether the plan's Gift Aid declaration is in effect."""
    return _gift_aid(row) is GiftAid.DECLARED


def _gift_aid(row: PlanRow) -> GiftAid:
    if row.gift_aid_since is None:
        return GiftAid.NONE
    return GiftAid.DECLARED if row.gift_aid_ended_at is None else GiftAid.CANCELED


def charge_of(row: PlanChargeRow) -> Charge:
    """The charge a row holds."""
    return Charge(
        plan_id=row.plan_id,
        period=row.period,
        due_on=row.due_on,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        fee_cover=Money(minor_units=row.fee_cover_minor_units, currency=row.currency),
        state=ChargeState(row.state),
        donation_id=row.donation_id,
        declines=row.declines,
        retry_at=row.retry_at,
        decline_code=row.decline_code,
        opened_at=row.opened_at,
    )


def lock_plan(session: Session, *, plan_id: str, email_sha256: str | None = None) -> PlanRow:
    """Lock one plan; with a digest, only if it is that donor's.

    Raises:
        PlanNotFound: There is none, or it is somebody else's: who asks is not told which.
    """
    found = select(PlanRow).where(PlanRow.id == plan_id).with_for_update()
    if email_sha256 is not None:
        found = found.where(PlanRow.is_of(session, email_sha256))
    row = session.scalars(found).one_or_none()
    if row is None:
        raise PlanNotFound("No plan of yours has this id; open the list of your plans again.")
    return row


def lock_charge(session: Session, *, plan_id: str, period: int) -> PlanChargeRow:
    """Lock one charge of a locked plan."""
    return session.scalars(
        select(PlanChargeRow)
        .where(PlanChargeRow.plan_id == plan_id, PlanChargeRow.period == period)
        .with_for_update()
    ).one()


def put_next(row: PlanRow, *, period: int) -> None:
    """Set the next period to collect, and its notice, discarding what was announced before."""
    row.next_period = period
    row.announced_minor_units = row.waits_for = row.due_since = None
    row.next_due_at = schedule_of(row).due_at(period)
    notice = notice_before(method_kind=row.method_kind, months=Interval(row.every).months)
    row.next_notice_at = row.next_due_at - timedelta(days=notice.days) if notice is not None else None


def run(session: Session, row: PlanRow, *, now: datetime) -> None:
    """Activate a plan from today on. Missed periods are not collected."""
    record_move(session, row, to=PlanStatus.ACTIVE, reason=None, now=now)
    row.status, row.reason = PlanStatus.ACTIVE, None
    put_next_from(session, row, day=schedule_of(row).today(now))
    row.updated_at = now


def put_next_from(session: Session, row: PlanRow, *, day: date) -> None:
    """Set the next period to the first one from a day on, after all opened or skipped ones."""
    newest = session.scalar(select(func.max(PlanChargeRow.period)).where(PlanChargeRow.plan_id == row.id))
    put_next(row, period=schedule_of(row).first_from(day, at_least=(newest or FIRST) + 1))


def rest(session: Session, row: PlanRow, *, status: PlanStatus, reason: Reason, now: datetime) -> None:
    """Pause or end a plan: nothing more is collected, and open charges are abandoned."""
    record_move(session, row, to=status, reason=reason, now=now)
    row.status, row.reason = status, reason
    row.next_due_at = row.next_notice_at = None
    row.announced_minor_units = row.waits_for = row.due_since = None
    row.updated_at = now
    session.execute(
        update(PlanChargeRow)
        .where(PlanChargeRow.plan_id == row.id, PlanChargeRow.state == ChargeState.OPEN)
        .values(state=ChargeState.GIVING_UP, looks=0, next_attempt_at=now, updated_at=now)
        .execution_options(synchronize_session="fetch")
    )


def pays_with(session: Session, row: PlanRow, method: payments.SavedMethod, *, now: datetime) -> None:
    """Change the payment method. A declined charge is retried at once, and a plan paused for it resumes."""
    row.method_id, row.method_kind = method.id, method.kind
    row.method_last4, row.mandate_id = method.last4, method.mandate_id
    row.setup_id = row.setup_look_at = None
    row.updated_at = now
    if row.status == PlanStatus.PAST_DUE:
        session.execute(
            update(PlanChargeRow)
            .where(PlanChargeRow.plan_id == row.id, PlanChargeRow.state == ChargeState.OPEN)
            .values(declines=0, looks=0, opened_at=now, retry_at=None, next_attempt_at=now)
            .execution_options(synchronize_session="fetch")
        )
    elif row.status == PlanStatus.PAUSED and row.reason in (Reason.DECLINED, Reason.REFUSED):
        run(session, row, now=now)
    elif row.next_due_at is not None:
        put_next(row, period=row.next_period)


def owe_letter(
    session: Session,
    row: PlanRow,
    *,
    kind: LetterKind,
    key: str,
    now: datetime,
    due_on: date | None = None,
    amounts: Amounts | None = None,
    method: PaidWith | None = None,
) -> None:
    """Schedule a letter to the donor, once for each key.

    `amounts`: what it tells of; the plan, where it tells of no charge. `method`: what was tried; None where nothing was yet.
    """
    session.execute(
        insert(PlanLetterRow)
        .values(
            plan_id=row.id,
            key=key,
            kind=kind,
            due_on=due_on,
            minor_units=amounts.total.minor_units if amounts else None,
            fee_cover_minor_units=amounts.fee_cover.minor_units if amounts else 0,
            method_kind=method.kind if method else None,
            method_last4=method.last4 if method else None,
            next_attempt_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )


def notice_key(amounts: Amounts, *, period: int) -> str:
    """Key of a notice: unique for period and amount."""
    cover = f":{amounts.fee_cover.minor_units}" if amounts.fee_cover.minor_units else ""
    return f"{LetterKind.NOTICE}:{period}:{amounts.total.minor_units}{cover}"


def forget_donor(session: Session, row: PlanRow, *, now: datetime) -> None:
    """Erase everything in a plan that leads to its donor."""
    row.donor_name = row.donor_email = row.message = row.language = None
    row.customer_id = row.method_id = row.method_last4 = row.mandate_id = None
    row.setup_id = row.setup_look_at = None
    row.erased_at = now
    defence.forget_setups_of(session, owner_ids=[row.id])
    session.execute(delete(PlanLetterRow).where(PlanLetterRow.plan_id == row.id))
