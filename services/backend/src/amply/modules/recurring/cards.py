"""Replaces a plan's payment method, and pays a declined charge on-session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.modules import defence, payments
from amply.modules.recurring.contested import require_uncontested
from amply.modules.recurring.domain import CHANGEABLE, ChargeState, Plan, PlanNotChangeable
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import lock_plan, pays_with, plan_of

_LOOK_AFTER: Final = timedelta(minutes=10)
"""When to check a setup whose donor closed the page."""
_LOOKED_AT_MAX: Final = 10
_BATCH_MAX: Final = 50
_DONOR_PAYS: Final = timedelta(minutes=1)

AdmitsCard = Callable[[defence.SetupOf], defence.Fingerprints]
"""Asks the gate whether a card may be entered. Raises `ChallengeRequired` and `TooManyRequests`."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Cards:
    """Dependencies of changing a payment method."""

    database: Database
    saved: payments.SavedMethods
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class AtProcessor:
    """What the donor's browser needs to continue at the processor."""

    client_secret: str
    account_id: str


def begin_card(parts: Cards, *, plan_id: str, email_sha256: str, admit: AdmitsCard) -> AtProcessor:
    """Start replacing the payment method in the donor's browser. `admit` asks the gate.

    Requests at the same time get the same one: the processor makes one that follows the last, or what paid when there was none.

    Raises:
        PlanNotFound: The donor has no such plan.
        PlanNotChangeable: It is not in a state for that.
        ChallengeRequired, TooManyRequests: As the gate says.
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
        plan = plan_of(row)
        about = defence.SetupOf(
            owner_id=plan.id,
            number=defence.count_setups(session, owner_id=plan.id) + 1,
            mail=row.donor_email or "",
            gifts=(defence.Part(organization_id=plan.organization_id, amount=plan.amount),),
        )
    if plan.status not in CHANGEABLE or plan.customer_id is None:
        raise PlanNotChangeable("This plan has ended or has not begun yet; begin another one.")
    marks = admit(about)
    setup = parts.saved.begin_setup(
        customer_id=plan.customer_id,
        account_id=plan.account_id,
        idempotency_key=f"plan:{plan.id}:setup:{about.number}:{plan.setup_id or plan.method_id}",
    )
    now = parts.clock()
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
        row.setup_id, row.setup_look_at = setup.remote_id, now + _LOOK_AFTER
        defence.keep_setup(
            session, about, remote_id=setup.remote_id, account_id=plan.account_id, marks=marks, now=now
        )
    return AtProcessor(client_secret=setup.client_secret, account_id=plan.account_id)


def finish_card(parts: Cards, *, plan_id: str, email_sha256: str | None) -> Plan:
    """Adopt the payment method that the donor's browser stored. Nothing changes before.

    Where cards were stored in several, the one that was begun last counts.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    with parts.database.transaction() as session:
        plan = plan_of(lock_plan(session, plan_id=plan_id, email_sha256=email_sha256))
        begun = _begun(session, plan)
    stored = {
        remote_id: method
        for remote_id in begun
        if (method := parts.saved.method_of_setup(remote_id=remote_id, account_id=plan.account_id))
    }
    now = parts.clock()
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
        # A setup that is not open any more was adopted meanwhile, perhaps followed by another.
        waiting = [remote_id for remote_id in _begun(session, plan_of(row)) if remote_id in stored]
        if waiting and row.status in CHANGEABLE:
            pays_with(session, row, stored[waiting[0]], now=now)
        for remote_id in waiting:
            defence.note_ended(session, remote_id=remote_id, now=now)
        row.setup_look_at = _next_look(session, plan_id=plan_id, now=now)
        return plan_of(row)


def _begun(session: Session, plan: Plan) -> Sequence[str]:
    """The plan's setups that may have stored a card which nobody has taken over, the newest first."""
    found = [each.remote_id for each in defence.open_setups(session, owner_id=plan.id)[:_LOOKED_AT_MAX]]
    # The previous release stored the newest one only.
    return found if plan.setup_id is None or plan.setup_id in found else [plan.setup_id, *found]


def _next_look(session: Session, *, plan_id: str, now: datetime) -> datetime | None:
    """When to look whether a donor has stored a card and closed the page."""
    looks = (each.opened_at + _LOOK_AFTER for each in defence.open_setups(session, owner_id=plan_id))
    return max((look for look in looks if look > now), default=None)


def finish_waiting_cards(parts: Cards, *, now: datetime) -> int:
    """Check each unfinished setup once; return how many plans were checked."""
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
    """Pay a declined charge on-session, with bank authentication if required.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: Nothing of this plan waits to be paid.
        PlanContested: The donor's bank wants a gift of it back, or has kept it.
        OrganizationNotReady: The organisation takes no gifts now.
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
        require_uncontested(session, plan_id=plan_id)
        payments.require_account(session, organization_id=plan.organization_id)
        payment = payments.for_donation(session, donation_id=row.donation_id)
        row.looks, row.next_attempt_at = 0, now + _DONOR_PAYS
    intent = parts.saved.intent(remote_id=payment.remote_id or "", account_id=payment.account_id)
    return AtProcessor(client_secret=intent.client_secret, account_id=plan.account_id)
