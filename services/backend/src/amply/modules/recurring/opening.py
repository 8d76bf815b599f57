"""Opens due charges: charge, donation and payment, in the transaction that advances the plan.

The charge's key is plan and period, so that two schedulers, a repeat and a crash open it once: the plan is locked, and
whoever comes second finds the next period.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from amply.infra.database import Database
from amply.kernel import ids
from amply.kernel.money import Money
from amply.modules import donations, organizations, payments
from amply.modules.recurring import terms
from amply.modules.recurring.contested import contested_period, rest_contested
from amply.modules.recurring.declines import notice_before
from amply.modules.recurring.domain import ChargeState, PlanStatus, Reason, WaitsFor
from amply.modules.recurring.models import PlanChargeRow, PlanLetterRow, PlanRow
from amply.modules.recurring.plan_transitions import (
    FIRST,
    Amounts,
    LetterKind,
    forget_donor,
    notice_key,
    owe_letter,
    put_next,
    rest,
    schedule_of,
)

BATCH_MAX: Final = 100
"""Plans in one run; the next one follows in half a minute."""

ABANDONED_AFTER: Final = timedelta(days=1)
"""Time for a donor to complete the first gift."""

_ASKED_AGAIN_AFTER: Final = timedelta(hours=1)
_ORGANIZATION_AGAIN_AFTER: Final = timedelta(hours=6)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _DuePlan:
    """A locked plan that is due, and the period to open."""

    session: Session
    row: PlanRow
    period: int
    now: datetime


def open_due(database: Database, *, now: datetime) -> int:
    """Open due charges; return how many plans were processed."""
    return _each(database, PlanRow.next_due_at, _open, now=now)


def announce_due(database: Database, *, now: datetime) -> int:
    """Schedule due advance notices; return how many."""
    return _each(database, PlanRow.next_notice_at, _announce, now=now)


def end_abandoned(database: Database, *, now: datetime) -> int:
    """End plans without a first gift, and erase their donors; return how many."""
    with database.transaction() as session:
        begun = select(PlanChargeRow.plan_id).where(
            PlanChargeRow.plan_id == PlanRow.id, PlanChargeRow.period == FIRST
        )
        rows = session.scalars(
            select(PlanRow)
            .where(
                PlanRow.status == PlanStatus.INCOMPLETE,
                PlanRow.created_at < now - ABANDONED_AFTER,
                ~begun.exists(),
            )
            .limit(BATCH_MAX)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            rest(session, row, status=PlanStatus.ENDED, reason=Reason.NEVER_STARTED, now=now)
            forget_donor(session, row, now=now)
    return len(rows)


def _each(
    database: Database,
    moment: InstrumentedAttribute[datetime | None],
    work: Callable[[_DuePlan], None],
    *,
    now: datetime,
) -> int:
    """Do something with each plan whose moment has come, in a transaction of its own; whatever stops one stops no other."""
    done, passed = 0, list[str]()
    for _ in range(BATCH_MAX):
        try:
            with database.transaction() as session:
                row = session.scalars(
                    select(PlanRow)
                    .where(moment <= now, PlanRow.id.not_in(passed))
                    .order_by(moment)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                ).one_or_none()
                if row is None:
                    break
                passed.append(row.id)
                period = schedule_of(row).last_due(now, at_least=row.next_period)
                if row.donor_email is None:
                    _forget_again(session, row, now=now)
                else:
                    work(_DuePlan(session=session, row=row, period=period, now=now))
                done += 1
        except Exception:  # noqa: BLE001 -- one plan that cannot be opened must not hold back the others
            _log.exception("plan_not_opened", plan_id=passed[-1] if passed else None)
            _put_off(database, plan_id=passed[-1] if passed else "", moment=moment, now=now)
    return done


def _forget_again(session: Session, row: PlanRow, *, now: datetime) -> None:
    """The donor was erased, and this database was restored to a moment before: nobody may be charged."""
    rest(session, row, status=PlanStatus.ENDED, reason=Reason.ERASED, now=now)
    forget_donor(session, row, now=now)
    _log.info("plan_forgotten_again", plan_id=row.id)


def _put_off(
    database: Database, *, plan_id: str, moment: InstrumentedAttribute[datetime | None], now: datetime
) -> None:
    """Look at it again in an hour: a hundred of its kind would be all that every run looks at. Meanwhile it is late."""
    values: dict[str, Any] = {moment.key: now + _ASKED_AGAIN_AFTER}
    if moment.key == PlanRow.next_due_at.key:
        values["due_since"] = func.coalesce(PlanRow.due_since, now)
    with database.transaction() as session:
        session.execute(
            update(PlanRow)
            .where(PlanRow.id == plan_id, moment <= now)
            .values(values)
            .execution_options(synchronize_session=False)
        )


def _open(due: _DuePlan) -> None:
    row, session, now = due.row, due.session, due.now
    if _organization_has_left(due) or _is_contested(due) or not _is_taken(due) or not _was_announced(due):
        return
    account_id = payments.find_account(session, organization_id=row.organization_id)
    if account_id is None:
        # The organisation has something to settle with the processor: its donors need not hear of it.
        _wait(due, until=now + _ORGANIZATION_AGAIN_AFTER, waits_for=WaitsFor.ORGANIZATION)
        _log.warning("plan_waits_for_organization", plan_id=row.id, organization_id=row.organization_id)
        return
    if row.customer_id is None or row.method_id is None:
        rest(session, row, status=PlanStatus.PAUSED, reason=Reason.REFUSED, now=now)
        _write(due, LetterKind.PAUSED)
        return
    _record_charge(due, customer_id=row.customer_id)
    row.status, row.reason, row.updated_at = PlanStatus.ACTIVE, None, now
    put_next(row, period=due.period + 1)


def _is_taken(due: _DuePlan) -> bool:
    """Whether the organisation still takes gifts that say what this plan's say; otherwise the plan rests."""
    try:
        terms.check_options(due.session, due.row)
    except (organizations.FundNotAcceptable, donations.GiftOptionsNotAcceptable):
        rest(due.session, due.row, status=PlanStatus.PAUSED, reason=Reason.CONDITIONS, now=due.now)
        _write(due, LetterKind.CONDITIONS)
        return False
    return True


def _wait(due: _DuePlan, *, until: datetime, waits_for: WaitsFor) -> None:
    due.row.next_due_at, due.row.waits_for = until, waits_for
    due.row.due_since = due.row.due_since or due.now


def _amounts(due: _DuePlan) -> Amounts:
    """What would be charged now."""
    gift, cover = terms.amount_of(due.row), terms.cover_of(due.session, due.row)
    added = cover.amount if cover is not None else Money(minor_units=0, currency=gift.currency)
    return Amounts(total=gift + added, fee_cover=added)


def _was_announced(due: _DuePlan) -> bool:
    """Whether the charge may be made; otherwise when it is looked at again is written down."""
    row = due.row
    notice = notice_before(method_kind=row.method_kind, months=schedule_of(row).every.months)
    if notice is None or not notice.is_required:
        return True
    letter = due.session.get(PlanLetterRow, (row.id, notice_key(_amounts(due), period=due.period)))
    if letter is None:
        _owe_notice(due)
    elif letter.withheld is not None:
        rest(due.session, row, status=PlanStatus.PAUSED, reason=Reason.UNREACHABLE, now=due.now)
        return False
    elif letter.sent_at is not None:
        may_be_charged_at = letter.sent_at + timedelta(days=notice.days_min)
        if may_be_charged_at <= due.now:
            return True
        _wait(due, until=may_be_charged_at, waits_for=WaitsFor.NOTICE)
        return False
    _wait(due, until=due.now + _ASKED_AGAIN_AFTER, waits_for=WaitsFor.NOTICE)
    _log.info("plan_waits_for_notice", plan_id=row.id, period=due.period)
    return False


def _organization_has_left(due: _DuePlan) -> bool:
    """A plan whose organisation has left its account rests; its donor hears of it now, when the gift would have been next.

    Whether it comes back nobody knows: donors let a plan go on themselves, so that nobody is charged unawares.
    """
    row = due.row
    if not payments.has_left(due.session, organization_id=row.organization_id, account_id=row.account_id):
        return False
    rest(due.session, row, status=PlanStatus.PAUSED, reason=Reason.ORGANIZATION, now=due.now)
    _write(due, LetterKind.PAUSED)
    return True


def _is_contested(due: _DuePlan) -> bool:
    """A plan rests while its donor's bank wants a gift of it back, and once that has kept one."""
    period = contested_period(due.session, plan_id=due.row.id)
    if period is None:
        return False
    rest_contested(due.session, due.row, period=period, now=due.now)
    return True


def _write(due: _DuePlan, kind: LetterKind) -> None:
    """Tell of the gift that would have been collected now, with what it would have been."""
    owe_letter(
        due.session,
        due.row,
        kind=kind,
        key=f"{kind}:{due.period}",
        due_on=schedule_of(due.row).due_on(due.period),
        amounts=_amounts(due),
        now=due.now,
    )


def _announce(due: _DuePlan) -> None:
    if not _organization_has_left(due) and not _is_contested(due) and _is_taken(due):
        _owe_notice(due)
        due.row.next_notice_at = None


def _owe_notice(due: _DuePlan) -> None:
    """Of the day it will be: the calendar's, or the earliest one that the notice leaves where that is later."""
    row, schedule = due.row, schedule_of(due.row)
    notice = notice_before(method_kind=row.method_kind, months=schedule.every.months)
    days_min = notice.days_min if notice is not None else 0
    amounts = _amounts(due)
    owe_letter(
        due.session,
        row,
        kind=LetterKind.NOTICE,
        key=notice_key(amounts, period=due.period),
        due_on=max(schedule.due_on(due.period), schedule.today(due.now + timedelta(days=days_min))),
        amounts=amounts,
        now=due.now,
    )
    row.announced_minor_units = amounts.total.minor_units


def _record_charge(due: _DuePlan, *, customer_id: str) -> None:
    """The period's gift is an ordinary one, and says what the plan's gifts say."""
    row, session = due.row, due.session
    gift = terms.gift_of(session, row)
    payment = donations.record_gift(
        session,
        donation_id=ids.new_id("don"),
        gift=gift,
        now=due.now,
        customer=payments.Customer(id=customer_id, keeps_method=False),
        is_agreed=True,
        plan_id=row.id,
    )
    session.add(
        PlanChargeRow(
            plan_id=row.id,
            period=due.period,
            due_on=schedule_of(row).due_on(due.period),
            minor_units=gift.amount.minor_units,
            fee_cover_minor_units=(gift.total - gift.amount).minor_units,
            currency=gift.amount.currency,
            state=ChargeState.OPEN,
            donation_id=payment.donation_id,
            next_attempt_at=due.now,
            opened_at=due.now,
            updated_at=due.now,
        )
    )
