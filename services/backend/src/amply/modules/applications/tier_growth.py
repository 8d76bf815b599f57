"""Notices when an organisation's yearly volume nears or exceeds its verification tier, for the organisation and staff.

Nothing stops by itself (ADR 0120). What arrived is read from the public ledger's sums by day, so that anybody can count it
after us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.kernel import ids
from amply.kernel.money import CURRENCIES, Money
from amply.modules import ledger, organizations
from amply.modules.applications import documents
from amply.modules.applications.domain import TOPIC_LETTER_OWED, ApplicationIncomplete
from amply.modules.applications.models import ApplicationRow, TierNoticeRow
from amply.modules.applications.queries import application_for_staff
from amply.modules.applications.tasks import ApplicationTaskDependencies, deliver, write_owed
from amply.modules.applications.tiers import TIERS, Tier
from amply.modules.organizations import Organization
from amply.modules.receipts import Language, Wording

LOOKED_BACK: Final = timedelta(days=365)
NEARING_PERCENT: Final = 80
"""Of a tier's bound: whoever grows by half in a year has five months from here."""
SETTLED_WITHIN: Final = timedelta(days=60)
"""After a tier is exceeded; then an alarm notifies staff."""

_log = structlog.get_logger()


class Growth(StrEnum):
    """How far beyond a tier a year's gifts are."""

    NEARING = "nearing"
    PASSED = "passed"


@dataclass(frozen=True, kw_only=True)
class Outgrowing:
    """An organisation near or above its tier's limit. `volume`: of the last 365 days, in its strongest currency."""

    organization_id: str
    tier: Tier
    growth: Growth
    volume: Money
    noticed_at: datetime
    is_overdue: bool


def growth_of(volume: Money, *, tier: Tier) -> Growth | None:
    """Growth relative to a tier's limit; None below the notice threshold."""
    most = TIERS[tier].units_max
    if most is None:
        return None
    bound = most * 10 ** CURRENCIES[volume.currency].exponent
    if volume.minor_units > bound:
        return Growth.PASSED
    return Growth.NEARING if volume.minor_units * 100 >= bound * NEARING_PERCENT else None


def watch(parts: ApplicationTaskDependencies, *, now: datetime) -> int:
    """Record organisations that near or exceed their tier, each tier once; return how many are new."""
    with parts.database.transaction() as session:
        received = ledger.received_since(session, since=(now - LOOKED_BACK).date())
        tiers = organizations.tiers(session, organization_ids={each.organization_id for each in received})
        return sum(
            _note(session, each.organization_id, Tier(tiers[each.organization_id]), each.amount, now=now)
            for each in received
            if each.organization_id in tiers
        )


def tell(parts: ApplicationTaskDependencies, *, now: datetime) -> int:
    """Send letters to these organisations; return how many were handed over."""
    return write_owed(parts, TierNoticeRow, partial(_tell, parts, now=now), now=now)


def outgrowing(session: Session, *, now: datetime) -> list[Outgrowing]:
    """Organisations near or above their tier's limit, longest noticed first; 200 at most."""
    rows: Sequence[TierNoticeRow] = session.scalars(
        select(TierNoticeRow)
        .where(TierNoticeRow.tier == organizations.tier_of(TierNoticeRow.organization_id))
        .order_by(TierNoticeRow.noticed_at, TierNoticeRow.id)
        .limit(200)
    ).all()
    return [
        Outgrowing(
            organization_id=row.organization_id,
            tier=Tier(row.tier),
            growth=Growth(row.growth),
            volume=Money(minor_units=row.minor_units, currency=row.currency),
            noticed_at=row.noticed_at,
            is_overdue=row.growth == Growth.PASSED and now - row.noticed_at > SETTLED_WITHIN,
        )
        for row in rows
    ]


def count_overdue(session: Session, *, now: datetime) -> int:
    """Count organisations that exceeded their tier long ago and are not verified for the next one."""
    counted = select(func.count()).where(
        TierNoticeRow.tier == organizations.tier_of(TierNoticeRow.organization_id),
        TierNoticeRow.growth == Growth.PASSED,
        TierNoticeRow.noticed_at < now - SETTLED_WITHIN,
    )
    return session.scalars(counted).one()


def verify_for(session: Session, *, organization_id: str, tier: Tier) -> None:
    """Verify an organisation for the next tier, after review by staff. Gifts are not interrupted.

    Raises:
        OrganizationNotFound, ApplicationNotFound: There is none of this id, or it never applied.
        ApplicationIncomplete: A document of the tier is missing.
    """
    row = application_for_staff(session, organization_id=organization_id)
    there = {each.kind for each in documents.documents_for_staff(session, organization_id=organization_id)}
    missing = documents.missing_kinds(there, tier=tier)
    if missing:
        raise ApplicationIncomplete(f"Ask for what is missing first: {', '.join(missing)}.")
    organizations.set_tier(session, organization_id=row.organization_id, tier=tier)
    session.execute(
        update(ApplicationRow)
        .where(ApplicationRow.organization_id == organization_id)
        .values(tier=tier)
        .execution_options(synchronize_session=False)
    )


def _note(session: Session, organization_id: str, tier: Tier, volume: Money, *, now: datetime) -> int:
    growth = growth_of(volume, tier=tier)
    if growth is None:
        return 0
    noticed = session.execute(
        insert(TierNoticeRow)
        .values(
            id=ids.new_id("tier"),
            organization_id=organization_id,
            tier=tier,
            growth=growth,
            minor_units=volume.minor_units,
            currency=volume.currency,
            noticed_at=now,
            next_attempt_at=now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "tier", "growth"])
        .returning(TierNoticeRow.id)
    ).one_or_none()
    if noticed is not None:
        outbox.put(session, topic=TOPIC_LETTER_OWED, payload={"notice_id": noticed.id}, now=now)
        _log.warning("tier_outgrown", organization_id=organization_id, tier=tier, growth=growth)
    return int(noticed is not None)


def _tell(parts: ApplicationTaskDependencies, notice: TierNoticeRow, *, now: datetime) -> int:
    return deliver(parts, TierNoticeRow, notice, filled=partial(_filled, notice), step=notice.growth, now=now)


def _filled(notice: TierNoticeRow, organization: Organization, language: Language) -> dict[str, str]:
    wording = Wording.of(language, country=organization.country)
    bound = (TIERS[Tier(notice.tier)].units_max or 0) * 10 ** CURRENCIES[notice.currency].exponent
    return {
        "amount": wording.amount(Money(minor_units=notice.minor_units, currency=notice.currency)),
        "bound": wording.amount(Money(minor_units=bound, currency=notice.currency)),
    }
