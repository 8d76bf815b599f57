"""One attempt at one charge: claim the row, work outside any transaction, record the outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import again
from amply.kernel.clock import Clock
from amply.modules import donations, payments
from amply.modules.donations import DonationStatus
from amply.modules.recurring.contested import contested_period
from amply.modules.recurring.domain import UNDER_WAY, Charge, Plan
from amply.modules.recurring.ending import Tried
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import charge_of, lock_charge, lock_plan, plan_of

_LOOK_AGAIN_AFTER: Final = timedelta(minutes=1)
_LOOK_AGAIN_MAX: Final = timedelta(hours=6)

RecordsOutcome = Callable[[Session, PlanRow, PlanChargeRow], None]
"""Records an attempt's outcome on the locked plan and charge."""


@dataclass(frozen=True, kw_only=True)
class CollectionDependencies:
    """Dependencies of collecting charges."""

    database: Database
    processor: payments.Processor
    saved: payments.SavedMethods


@dataclass(frozen=True, kw_only=True)
class ChargeAttempt:
    """One attempt at a charge, with the state at the time it was claimed.

    Attributes:
        contested: The period whose gift the donor's bank wants back or has kept; None where there is none.
        takes_gifts: Whether the organisation takes gifts.
    """

    parts: CollectionDependencies
    charge: Charge
    plan: Plan
    payment: payments.Payment
    gift: DonationStatus
    contested: int | None
    takes_gifts: bool
    now: datetime

    @property
    def tried(self) -> Tried:
        """The attempted charge, with the payment method of that time."""
        return Tried(charge=self.charge, method_kind=self.plan.method_kind, last4=self.plan.method_last4)

    @property
    def asked_since(self) -> datetime:
        """Since when the processor has been asked. A late bank refusal is retried on its own day, and counts from then."""
        opened_at, retry_at = self.charge.opened_at, self.charge.retry_at
        return max(opened_at, retry_at) if retry_at is not None else opened_at

    @property
    def clock(self) -> Clock:
        """A fixed clock at the attempt's time."""
        return lambda: self.now


def claim(parts: CollectionDependencies, *, now: datetime) -> ChargeAttempt | None:
    """Claim the next due charge, count the attempt, and schedule the next one."""
    with parts.database.transaction() as session:
        row = session.scalars(
            select(PlanChargeRow)
            .where(PlanChargeRow.state.in_(UNDER_WAY), PlanChargeRow.next_attempt_at <= now)
            .order_by(PlanChargeRow.next_attempt_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None or row.donation_id is None:
            return None
        row.looks += 1
        row.next_attempt_at = now + again(row.looks, first=_LOOK_AGAIN_AFTER, most=_LOOK_AGAIN_MAX)
        plan = plan_of(session.get_one(PlanRow, row.plan_id))
        account_id = payments.find_account(session, organization_id=plan.organization_id)
        return ChargeAttempt(
            parts=parts,
            charge=charge_of(row),
            plan=plan,
            payment=payments.for_donation(session, donation_id=row.donation_id),
            gift=donations.statuses(session, donation_ids=[row.donation_id])[row.donation_id],
            contested=contested_period(session, plan_id=plan.id),
            takes_gifts=account_id is not None,
            now=now,
        )


def apply(attempt: ChargeAttempt, records: RecordsOutcome) -> None:
    """Record an attempt's outcome, unless the charge has changed since it was claimed.

    Money that was taken meanwhile is not lost from sight: a charge that is being given up finds it at the processor.
    """
    with attempt.parts.database.transaction() as session:
        plan = lock_plan(session, plan_id=attempt.plan.id)
        row = lock_charge(session, plan_id=plan.id, period=attempt.charge.period)
        if (row.state, row.declines) != (attempt.charge.state, attempt.charge.declines):
            return
        records(session, plan, row)
        row.updated_at = attempt.now


def look_at(row: PlanChargeRow, moment: datetime) -> None:
    """Schedule the next attempt."""
    row.next_attempt_at = moment
