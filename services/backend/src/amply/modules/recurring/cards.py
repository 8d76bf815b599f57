"""Another card or account for a plan, and paying now what was declined: both with the donor's browser at the processor."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select

from amply.infra.database import Database
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.modules import payments
from amply.modules.recurring.domain import CHANGEABLE, ChargeState, Plan, PlanNotChangeable
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.moves import lock_plan, pays_with, plan_of

_LOOK_AFTER: Final = timedelta(minutes=10)
"""Whoever stores a card and closes the page before it has told us."""
_BATCH_MAX: Final = 50
_DONOR_PAYS: Final = timedelta(minutes=1)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Cards:
    """The parts that changing what pays works with."""

    database: Database
    saved: payments.SavedMethods
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class AtProcessor:
    """What the donor's browser needs to carry on at the processor."""

    client_secret: str
    account_id: str


def begin_card(parts: Cards, *, plan_id: str, email_sha256: str) -> AtProcessor:
    """Let the donor's browser store another way to pay.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: The plan is not in a state for that.
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
        plan = plan_of(row)
    if plan.status not in CHANGEABLE or plan.customer_id is None:
        raise PlanNotChangeable("This plan has ended or has not begun yet; begin another one.")
    setup = parts.saved.begin_setup(
        customer_id=plan.customer_id,
        account_id=plan.account_id,
        idempotency_key=f"plan:{plan.id}:setup:{ids.new_id('set')}",
    )
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
        row.setup_id, row.setup_look_at = setup.remote_id, parts.clock() + _LOOK_AFTER
    return AtProcessor(client_secret=setup.client_secret, account_id=plan.account_id)


def finish_card(parts: Cards, *, plan_id: str, email_sha256: str | None) -> Plan:
    """Take over what the donor's browser has stored; before that, nothing changes.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    with parts.database.transaction() as session:
        plan = plan_of(lock_plan(session, plan_id=plan_id, email_sha256=email_sha256))
    if plan.setup_id is None:
        return plan
    method = parts.saved.method_of_setup(remote_id=plan.setup_id, account_id=plan.account_id)
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
        row.setup_look_at = None
        # Another setup may have been begun meanwhile: its answer is another one.
        if method is not None and row.setup_id == plan.setup_id and row.status in CHANGEABLE:
            pays_with(session, row, method, now=parts.clock())
        return plan_of(row)


def finish_waiting_cards(parts: Cards, *, now: datetime) -> int:
    """Look once at each setup that nobody has finished here; return how many plans were looked at."""
    with parts.database.transaction() as session:
        due = session.scalars(
            select(PlanRow.id)
            .where(PlanRow.setup_look_at <= now)
            .order_by(PlanRow.setup_look_at)
            .limit(_BATCH_MAX)
        ).all()
    for plan_id in due:
        try:
            finish_card(parts, plan_id=plan_id, email_sha256=None)
        except Exception:  # noqa: BLE001 -- one that cannot be finished must not hold back the others
            _log.exception("plan_card_not_finished", plan_id=plan_id)
    return len(due)


def pay_now(parts: Cards, *, plan_id: str, email_sha256: str) -> AtProcessor:
    """Let the donor pay what was declined, with their bank's page if it asks for them.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: Nothing of this plan waits to be paid.
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    now = parts.clock()
    with parts.database.transaction() as session:
        plan = plan_of(lock_plan(session, plan_id=plan_id, email_sha256=email_sha256))
        row = session.scalars(
            select(PlanChargeRow)
            .where(
                PlanChargeRow.plan_id == plan_id,
                PlanChargeRow.state == ChargeState.OPEN,
                PlanChargeRow.declines > 0,
            )
            .order_by(PlanChargeRow.period)
            .limit(1)
            .with_for_update()
        ).one_or_none()
        if row is None or row.donation_id is None:
            raise PlanNotChangeable("Nothing of this plan waits to be paid.")
        payment = payments.for_donation(session, donation_id=row.donation_id)
        row.looks, row.next_attempt_at = 0, now + _DONOR_PAYS
    intent = parts.saved.intent(remote_id=payment.remote_id or "", account_id=payment.account_id)
    return AtProcessor(client_secret=intent.client_secret, account_id=plan.account_id)
