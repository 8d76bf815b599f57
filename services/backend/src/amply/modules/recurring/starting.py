"""Starts a plan with its first gift, on-session: record, call, record, twice.

(1) one transaction: idempotency key and plan. (2) the processor makes a customer, whom it will keep a way to pay for.
(3) one transaction: the first gift, as any other, and its period. (4) the processor opens its payment, which keeps what the
donor pays with. (5) one transaction: the answer. The client's retry carries on wherever it stopped; nobody else does
before (3), when no money is meant yet, and after it the gift's own completer does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra import idempotency, tracing
from amply.infra.database import Database
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.modules import defence, donations, payments
from amply.modules.donations import Answer, Gift
from amply.modules.recurring.domain import ChargeState, Plan, PlanNeverStarted, PlanStatus, Reason
from amply.modules.recurring.due_dates import Schedule
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import FIRST, lock_plan, plan_of, rest

IDEMPOTENCY_SCOPE: Final = "POST /v1/recurring"


@dataclass(frozen=True, kw_only=True)
class PlanStartDependencies:
    """Dependencies of starting a plan."""

    database: Database
    processor: payments.Processor
    saved: payments.SavedMethods
    clock: Clock


def start(
    parts: PlanStartDependencies,
    *,
    gift: Gift,
    schedule: Schedule,
    key: str,
    request: Mapping[str, Any],
    marks: defence.Fingerprints | None = None,
) -> Answer:
    """Start a plan with its first gift, up to what the donor's browser needs to continue. `marks`: as for
    `donations.donate`.

    Raises:
        IdempotencyKeyReused: The key was used with another request.
        OrganizationNotFound, OrganizationNotReady: Nobody could receive the gifts.
        FundNotAcceptable, GiftOptionsNotAcceptable, FeeCoverChanged: As `donations.check_gift` says.
        ProcessorUnavailable: No answer; repeat the request with the same key.
        ProcessorRefused: The processor said no; the plan has ended.
        PlanNeverStarted: The plan of this key has ended, since nobody paid its first gift for a day.
    """
    plan_id = ids.new_id("pln")
    gift = _enduring(gift, now=parts.clock())
    with parts.database.transaction() as session:
        earlier = idempotency.claim(
            session, scope=IDEMPOTENCY_SCOPE, key=key, body=request, resource_id=plan_id, now=parts.clock()
        )
        if earlier is None:
            _record(session, plan_id=plan_id, gift=gift, schedule=schedule, now=parts.clock())
        elif earlier.body is not None and earlier.status is not None:
            return donations.replayed(earlier.status, earlier.body)
        else:
            plan_id = earlier.resource_id
    tracing.annotate(plan_id=plan_id)
    try:
        payment = _first_payment(parts, plan_id=plan_id, gift=gift, marks=marks)
        opened = donations.open_payment(parts.database, parts.processor, payment=payment, clock=parts.clock)
    except payments.ProcessorRefused as refusal:
        _record_refusal(parts, plan_id=plan_id, refusal=refusal)
        raise
    body = {"plan_id": plan_id, "donation": dict(opened.body)}
    with parts.database.transaction() as session:
        idempotency.store_answer(
            session, scope=IDEMPOTENCY_SCOPE, resource_id=plan_id, status=opened.status, body=body
        )
    return Answer(status=opened.status, body=body)


def _enduring(gift: Gift, *, now: datetime) -> Gift:
    """A declaration that is made with a plan covers every gift of it."""
    declared = gift.for_receipt.gift_aid
    if declared is None:
        return gift
    told = replace(gift.for_receipt, gift_aid=replace(declared, declared_at=now))
    return replace(gift, for_receipt=told)


def _record(session: Session, *, plan_id: str, gift: Gift, schedule: Schedule, now: datetime) -> None:
    account_id = donations.check_gift(session, gift=gift)
    declared = gift.for_receipt.gift_aid
    session.add(
        PlanRow(
            id=plan_id,
            organization_id=gift.organization_id,
            account_id=account_id,
            minor_units=gift.amount.minor_units,
            currency=gift.amount.currency,
            every=schedule.every,
            first_month=schedule.first_month,
            day_of_month=schedule.day_of_month,
            time_zone=schedule.time_zone,
            status=PlanStatus.INCOMPLETE,
            donor_name=gift.donor.name,
            donor_email=gift.donor.email,
            language=gift.for_receipt.language,
            fund_id=gift.options.fund_id,
            anonymity=gift.options.anonymity,
            message=gift.message,
            gift_aid_since=declared.declared_at if declared is not None else None,
            fee_cover_minor_units=(gift.total - gift.amount).minor_units,
            created_at=now,
            updated_at=now,
        )
    )


def _first_payment(
    parts: PlanStartDependencies, *, plan_id: str, gift: Gift, marks: defence.Fingerprints | None
) -> payments.Payment:
    """The first gift's payment: the one that is there, or a new one for a customer that the processor knows."""
    with parts.database.transaction() as session:
        plan = _begun(session.get_one(PlanRow, plan_id))
    customer_id = plan.customer_id or parts.saved.create_customer(plan_id=plan_id, account_id=plan.account_id)
    now = parts.clock()
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id)
        _begun(row)
        known = session.scalars(
            select(PlanChargeRow.donation_id).where(
                PlanChargeRow.plan_id == plan_id, PlanChargeRow.period == FIRST
            )
        ).one_or_none()
        if known is not None:
            return payments.for_donation(session, donation_id=known)
        row.customer_id = customer_id
        payment = donations.record_gift(
            session,
            donation_id=ids.new_id("don"),
            gift=gift,
            now=now,
            customer=payments.Customer(id=customer_id, keeps_method=True),
            marks=marks,
            plan_id=plan_id,
        )
        session.add(
            PlanChargeRow(
                plan_id=plan_id,
                period=FIRST,
                due_on=plan.schedule.today(plan.created_at),
                minor_units=gift.amount.minor_units,
                fee_cover_minor_units=(gift.total - gift.amount).minor_units,
                currency=gift.amount.currency,
                state=ChargeState.WAITING,
                donation_id=payment.donation_id,
                next_attempt_at=now,
                opened_at=now,
                updated_at=now,
            )
        )
        return payment


def _begun(row: PlanRow) -> Plan:
    """The plan of a row that a first gift can still be taken for, or was.

    Raises:
        PlanNeverStarted: It has ended: nothing that is paid for it now would be followed by anything.
    """
    if row.status == PlanStatus.ENDED:
        raise PlanNeverStarted(
            "These recurring gifts have ended before the first one was paid; send the request again with another "
            "Idempotency-Key to begin anew."
        )
    return plan_of(row)


def _record_refusal(
    parts: PlanStartDependencies, *, plan_id: str, refusal: payments.ProcessorRefused
) -> None:
    now = parts.clock()
    with parts.database.transaction() as session:
        row = lock_plan(session, plan_id=plan_id)
        if row.status != PlanStatus.INCOMPLETE:
            return
        rest(session, row, status=PlanStatus.ENDED, reason=Reason.REFUSED, now=now)
        idempotency.store_answer(
            session,
            scope=IDEMPOTENCY_SCOPE,
            resource_id=plan_id,
            status=refusal.status,
            body={"detail": refusal.detail},
        )
