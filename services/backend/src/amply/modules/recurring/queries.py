"""Queries of plans: by their donor, and by staff."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.vault.reencryption import SealedRows, of_records
from amply.kernel.money import Money
from amply.modules import donations, organizations
from amply.modules.donations import Costs, DonationStatus
from amply.modules.recurring import terms
from amply.modules.recurring.domain import Charge, Plan, PlanStatus
from amply.modules.recurring.models import PlanChargeRow, PlanRow
from amply.modules.recurring.plan_transitions import charge_of, plan_of

LISTED_MAX: Final = 1_000
_PLANS_MAX: Final = 100
_GIFTS_MAX: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class PeriodInView:
    """One period: its charge, the state of its gift, and its cost; None where there is no gift."""

    charge: Charge
    status: DonationStatus | None
    costs: Costs | None


@dataclass(frozen=True, kw_only=True)
class PlanInView:
    """A plan as its donor sees it, with its periods, newest first. `next_cover`: the next fee cover at today's fees."""

    plan: Plan
    organization: str
    fund: str | None
    next_cover: Money
    periods: Sequence[PeriodInView]


def plans_of(session: Session, *, email_sha256: str, plan_id: str | None = None) -> list[PlanInView]:
    """Started plans of an address, newest first."""
    owned = (
        select(PlanRow)
        .where(PlanRow.is_of(session, email_sha256), PlanRow.status != PlanStatus.INCOMPLETE)
        .order_by(PlanRow.id.desc())
        .limit(_PLANS_MAX)
    )
    if plan_id is not None:
        owned = owned.where(PlanRow.id == plan_id)
    rows = session.scalars(owned).all()
    periods = _periods_of(session, [row.id for row in rows])
    return [
        PlanInView(
            plan=plan_of(row),
            organization=organizations.get(session, organization_id=row.organization_id).name,
            fund=_fund_name(session, row),
            next_cover=_next_cover(session, row),
            periods=[period for period in periods if period.charge.plan_id == row.id],
        )
        for row in rows
    ]


def _fund_name(session: Session, row: PlanRow) -> str | None:
    if row.fund_id is None:
        return None
    return organizations.find_fund(session, organization_id=row.organization_id, fund_id=row.fund_id).name


def _next_cover(session: Session, row: PlanRow) -> Money:
    cover = terms.cover_of(session, row)
    return cover.amount if cover is not None else Money(minor_units=0, currency=row.currency)


def _periods_of(session: Session, plan_ids: Sequence[str]) -> list[PeriodInView]:
    charges = _charges_of(session, plan_ids)
    named = [charge.donation_id for charge in charges if charge.donation_id is not None]
    stands = donations.statuses(session, donation_ids=named)
    costs = donations.costs(session, donation_ids=named)
    return [
        PeriodInView(
            charge=charge,
            status=stands.get(charge.donation_id or ""),
            costs=costs.get(charge.donation_id or ""),
        )
        for charge in charges
    ]


def newest_address(session: Session, *, email_sha256: str) -> str | None:
    """The address in the donor's newest plan, or None."""
    row = session.scalar(
        select(PlanRow)
        .where(PlanRow.is_of(session, email_sha256), PlanRow.status != PlanStatus.INCOMPLETE)
        .order_by(PlanRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.donor_email


def sealed_rows() -> SealedRows:
    """Rows that key rotation re-encrypts."""
    return of_records(PlanRow)


def plans_of_gifts(session: Session, *, donation_ids: Collection[str]) -> dict[str, str]:
    """The plan of each gift that has one."""
    rows = session.execute(
        select(PlanChargeRow.donation_id, PlanChargeRow.plan_id).where(
            PlanChargeRow.donation_id.in_(donation_ids)
        )
    )
    return {str(row.donation_id): row.plan_id for row in rows}


def _charges_of(session: Session, plan_ids: Sequence[str]) -> list[Charge]:
    rows = session.scalars(
        select(PlanChargeRow)
        .where(PlanChargeRow.plan_id.in_(plan_ids))
        .order_by(PlanChargeRow.period.desc())
        .limit(_GIFTS_MAX)
    )
    return [charge_of(row) for row in rows]


def listed(
    session: Session, *, organization_id: str | None, status: PlanStatus | None, limit: int
) -> list[Mapping[str, Any]]:
    """Plans without their donors, next due first, for operators."""
    chosen = select(
        PlanRow.id,
        PlanRow.organization_id,
        PlanRow.minor_units,
        PlanRow.currency,
        PlanRow.every,
        PlanRow.status,
        PlanRow.reason,
        PlanRow.next_due_at,
        PlanRow.method_kind,
        PlanRow.created_at,
    ).order_by(PlanRow.next_due_at.asc().nulls_last(), PlanRow.id)
    if organization_id is not None:
        chosen = chosen.where(PlanRow.organization_id == organization_id)
    if status is not None:
        chosen = chosen.where(PlanRow.status == status)
    return [dict(row._mapping) for row in session.execute(chosen.limit(limit))]  # noqa: SLF001 -- SQLAlchemy's public way to a row's names
