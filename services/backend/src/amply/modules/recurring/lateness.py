"""Counts late plans: due and not attempted, or abandoned without an answer.

What somebody else has to settle first is listed, and no alarm rings for it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from amply.modules.recurring.domain import ChargeState, WaitsFor
from amply.modules.recurring.letters import ATTEMPTS_MAX
from amply.modules.recurring.models import PlanChargeRow, PlanLetterRow, PlanRow

LATE_AFTER: Final = timedelta(hours=6)
"""Gifts are attempted within a minute; those waiting for an organisation are checked this often."""

GIVEN_UP_RINGS_FOR: Final = timedelta(days=7)
"""How long an abandoned gift is counted, so that the alarm outlasts the last attempt."""

NOTICE_MAY_TAKE: Final = timedelta(days=4)
"""A donor who changes the amount of a debit on the eve of its day is announced another one: three days, and one to send it."""


def late(
    session: Session, *, organization_id: str | None, now: datetime, limit: int
) -> list[Mapping[str, Any]]:
    """Late plans without their donors, latest first, for operators."""
    rows = _late(now=now).order_by("late_since", PlanRow.id).limit(limit)
    if organization_id is not None:
        rows = rows.where(PlanRow.organization_id == organization_id)
    return [dict(row._mapping) for row in session.execute(rows)]  # noqa: SLF001 -- SQLAlchemy's public way to a row's names


def count_late(session: Session, *, now: datetime) -> int:
    """Count plans that are late through our fault, and gifts of the last week abandoned without an answer.

    Those that wait for their organisation are not counted.
    """
    ours = _late(now=now).where(
        or_(
            PlanRow.waits_for.is_(None),
            and_(PlanRow.waits_for == WaitsFor.NOTICE, PlanRow.due_since <= now - NOTICE_MAY_TAKE),
        )
    )
    given_up = select(func.count()).where(PlanChargeRow.unanswered_at > now - GIVEN_UP_RINGS_FOR)
    waiting = session.scalars(select(func.count()).select_from(ours.subquery())).one()
    return waiting + session.scalars(given_up).one()


def unanswered(session: Session, *, organization_id: str | None, limit: int) -> list[Mapping[str, Any]]:
    """Abandoned gifts without an answer from the processor, newest first, for operators."""
    chosen = (
        select(
            PlanRow.id,
            PlanRow.organization_id,
            PlanRow.status,
            PlanChargeRow.period,
            PlanChargeRow.due_on,
            (PlanChargeRow.minor_units + PlanChargeRow.fee_cover_minor_units).label("minor_units"),
            PlanChargeRow.currency,
            PlanChargeRow.state,
            PlanChargeRow.unanswered,
            PlanChargeRow.unanswered_at,
        )
        .join(PlanChargeRow, PlanChargeRow.plan_id == PlanRow.id)
        .where(PlanChargeRow.unanswered.is_not(None))
        .order_by(PlanChargeRow.unanswered_at.desc(), PlanRow.id)
        .limit(limit)
    )
    if organization_id is not None:
        chosen = chosen.where(PlanRow.organization_id == organization_id)
    return [dict(row._mapping) for row in session.execute(chosen)]  # noqa: SLF001 -- SQLAlchemy's public way to a row's names


def count_exhausted_letters(session: Session) -> int:
    """Count letters about plans that used up their attempts."""
    return session.scalars(
        select(func.count()).where(
            PlanLetterRow.sent_at.is_(None),
            PlanLetterRow.withheld.is_(None),
            PlanLetterRow.attempts >= ATTEMPTS_MAX,
        )
    ).one()


def _late(*, now: datetime) -> Select[Any]:
    """Due and not opened, or opened and never answered by the processor."""
    before = now - LATE_AFTER
    untried: ColumnElement[bool] = and_(
        PlanChargeRow.plan_id == PlanRow.id,
        PlanChargeRow.state == ChargeState.OPEN,
        PlanChargeRow.declines == 0,
        PlanChargeRow.opened_at <= before,
    )
    since = func.least(PlanRow.due_since, PlanRow.next_due_at, PlanChargeRow.opened_at)
    return (
        select(
            PlanRow.id,
            PlanRow.organization_id,
            PlanRow.status,
            PlanRow.waits_for,
            func.coalesce(PlanChargeRow.period, PlanRow.next_period).label("period"),
            since.label("late_since"),
        )
        .outerjoin(PlanChargeRow, untried)
        .where(
            or_(
                PlanRow.next_due_at <= before,
                PlanRow.due_since <= before,
                PlanChargeRow.plan_id.is_not(None),
            )
        )
    )
