"""Changes of a plan by its donor, or by staff on their behalf. New amounts and dates apply from the next charge."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.kernel.money import AmountNotAcceptable, Money
from amply.modules import donations
from amply.modules.donations import Anonymity
from amply.modules.payments import FeeCover
from amply.modules.recurring import terms
from amply.modules.recurring.contested import require_uncontested
from amply.modules.recurring.domain import (
    CHANGEABLE,
    ChargeState,
    PauseNotAcceptable,
    Plan,
    PlanNotChangeable,
    PlanStatus,
    Reason,
)
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import (
    LetterKind,
    lock_plan,
    owe_letter,
    plan_of,
    put_next,
    put_next_from,
    rest,
    run,
    schedule_of,
)

PAUSE_MAX: Final = timedelta(days=366)
"""A pause without an end has none; one with an end lasts a year at most."""


@dataclass(frozen=True, kw_only=True)
class CoverChange:
    """The fee cover for a new amount: the quoted one, or none."""

    cover: FeeCover | None


@dataclass(frozen=True, kw_only=True)
class OptionsChange:
    """Options of future gifts. `changes` names the changed fields; the others stay."""

    changes: frozenset[str]
    fund_id: str | None = None
    anonymity: Anonymity = Anonymity.PUBLIC
    message: str | None = None


def change_amount(
    session: Session,
    *,
    plan_id: str,
    email_sha256: str | None,
    amount: Money,
    now: datetime,
    fee_cover: CoverChange | None = None,
) -> Plan:
    """Change the amount from the next gift on. A charge in progress keeps its own.

    Without `fee_cover` the donor adds what they agreed to before at most, whatever the amount.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: The plan is not in a state for that.
        AmountNotAcceptable: Another currency than the plan's.
        FeeCoverChanged: The fee's cover is not what was quoted for this amount.
    """
    row = _changeable(session, plan_id=plan_id, email_sha256=email_sha256)
    if amount.currency != row.currency:
        raise AmountNotAcceptable(
            f"Give the amount in {row.currency}; for another currency begin another plan.", param="amount"
        )
    if fee_cover is not None:
        _agree(session, row, amount=amount, cover=fee_cover.cover)
    if amount.minor_units != row.minor_units or fee_cover is not None:
        row.minor_units = amount.minor_units
        if row.next_due_at is not None:
            # A notice of the old amount does not cover the new one.
            put_next(row, period=row.next_period)
    row.updated_at = now
    return plan_of(row)


def _agree(session: Session, row: PlanRow, *, amount: Money, cover: FeeCover | None) -> None:
    if cover is not None:
        quoted = donations.quotes(session, organization_id=row.organization_id, gift=amount)
        if cover not in quoted:
            raise donations.FeeCoverChanged(
                "The fee for this amount is another one; ask GET /v1/donations/quote for it, and let the donor decide again.",
                param="fee_cover",
            )
    row.fee_cover_minor_units = 0 if cover is None else cover.amount.minor_units


def change_options(
    session: Session, *, plan_id: str, email_sha256: str | None, change: OptionsChange, now: datetime
) -> Plan:
    """Change options of future gifts. A plan paused because of its options resumes.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: The plan is not in a state for that.
        FundNotAcceptable, GiftOptionsNotAcceptable: The organisation does not take such gifts.
    """
    row = _changeable(session, plan_id=plan_id, email_sha256=email_sha256)
    with session.no_autoflush:  # written only once it is checked
        for name in change.changes & {"fund_id", "anonymity", "message"}:
            setattr(row, name, getattr(change, name))
        terms.check_options(session, row)
    if row.status == PlanStatus.PAUSED and row.reason == Reason.CONDITIONS:
        run(session, row, now=now)
    row.updated_at = now
    return plan_of(row)


def cancel_gift_aid(session: Session, *, plan_id: str, email_sha256: str | None, now: datetime) -> Plan:
    """Cancel the Gift Aid declaration for gifts from now on, permanently.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: No declaration was made with this plan.
    """
    row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
    if row.gift_aid_since is None:
        raise PlanNotChangeable("No Gift Aid declaration was made with this plan: there is none to cancel.")
    if row.gift_aid_ended_at is None:
        row.gift_aid_ended_at = row.updated_at = now
        gifts = session.scalars(
            select(PlanChargeRow.donation_id).where(
                PlanChargeRow.plan_id == plan_id, PlanChargeRow.donation_id.is_not(None)
            )
        )
        donations.withdraw_declarations(session, donation_ids=[gift for gift in gifts if gift is not None])
    return plan_of(row)


def skip_next(session: Session, *, plan_id: str, email_sha256: str | None, now: datetime) -> Plan:
    """Skip the next gift.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: None is due: the plan is paused without an end, behind, or over.
    """
    row = _changeable(session, plan_id=plan_id, email_sha256=email_sha256)
    if row.next_due_at is None:
        raise PlanNotChangeable("No gift of this plan is planned: there is none to skip.")
    session.add(
        PlanChargeRow(
            plan_id=row.id,
            period=row.next_period,
            due_on=schedule_of(row).due_on(row.next_period),
            minor_units=row.minor_units,
            currency=row.currency,
            state=ChargeState.SKIPPED,
            opened_at=now,
            updated_at=now,
        )
    )
    put_next(row, period=row.next_period + 1)
    row.updated_at = now
    return plan_of(row)


def pause(
    session: Session,
    *,
    plan_id: str,
    email_sha256: str | None,
    until: date | None,
    now: datetime,
    reason: Reason = Reason.DONOR,
) -> Plan:
    """Pause until a day of the donor's calendar, or until resumed. An open charge is abandoned.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: The plan is not in a state for that.
        PauseNotAcceptable: The day is over, or more than a year away.
    """
    row = _changeable(session, plan_id=plan_id, email_sha256=email_sha256)
    today = schedule_of(row).today(now)
    if until is not None and not today < until <= today + PAUSE_MAX:
        raise PauseNotAcceptable(
            "Name a day from tomorrow on, at most a year ahead; or none, to pause until you resume.",
            param="until",
        )
    rest(session, row, status=PlanStatus.PAUSED, reason=reason, now=now)
    if until is not None:
        put_next_from(session, row, day=until)
    return plan_of(row)


def resume(session: Session, *, plan_id: str, email_sha256: str | None, now: datetime) -> Plan:
    """Resume from the next due day; missed periods are not collected.

    Raises:
        PlanNotFound: No plan has this id for this caller.
        PlanNotChangeable: It is not paused, or nothing is stored to pay with.
        PlanContested: The donor's bank wants a gift of it back, or has kept it.
        FundNotAcceptable, GiftOptionsNotAcceptable: The organisation does not take its gifts any more; change the options.
    """
    row = _changeable(session, plan_id=plan_id, email_sha256=email_sha256)
    if row.status != PlanStatus.PAUSED:
        raise PlanNotChangeable("This plan is not paused: there is nothing to resume.")
    if row.method_id is None:
        raise PlanNotChangeable("Store a card first: nothing is known that this plan could be paid with.")
    require_uncontested(session, plan_id=plan_id)
    terms.check_options(session, row)
    run(session, row, now=now)
    return plan_of(row)


def cancel(
    session: Session,
    *,
    plan_id: str,
    email_sha256: str | None,
    now: datetime,
    reason: Reason = Reason.DONOR,
) -> Plan:
    """End a plan permanently, with a letter of confirmation. Idempotent.

    Raises:
        PlanNotFound: No plan has this id for this caller.
    """
    row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
    if row.status != PlanStatus.ENDED:
        rest(session, row, status=PlanStatus.ENDED, reason=reason, now=now)
        owe_letter(session, row, kind=LetterKind.ENDED, key=LetterKind.ENDED, now=now)
    return plan_of(row)


def _changeable(session: Session, *, plan_id: str, email_sha256: str | None) -> PlanRow:
    row = lock_plan(session, plan_id=plan_id, email_sha256=email_sha256)
    if row.status not in CHANGEABLE:
        raise PlanNotChangeable("This plan has ended or has not begun yet; begin another one.")
    return row
