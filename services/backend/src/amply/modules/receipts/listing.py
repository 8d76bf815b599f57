"""Lists the receipts of gifts for their donors: numbers and states, without contents."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from amply.kernel.money import Money
from amply.modules.receipts.domain import Jurisdiction, ReceiptKind, number_of
from amply.modules.receipts.models import IssuedReceiptRow, ReceiptSettingsRow


class ReceiptState(StrEnum):
    """Whether a receipt holds. `REPLACED`: by another one of the same gift."""

    VALID = "valid"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class ListedReceipt:
    """A receipt of a gift; `amount` is the receipted amount."""

    id: str
    number: str
    kind: ReceiptKind
    state: ReceiptState
    amount: Money
    issued_at: datetime


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """An organisation's time zone and fiscal year (default: UTC, January)."""

    zone: ZoneInfo
    fiscal_year_starts: int

    def days_of(self, year: int) -> tuple[date, date]:
        """First and last day of the fiscal year beginning in `year`."""
        first = date(year, self.fiscal_year_starts, 1)
        return first, first.replace(year=year + 1) - timedelta(days=1)


def listed(session: Session, *, donation_ids: Collection[str]) -> Mapping[str, Sequence[ListedReceipt]]:
    """Receipts of each gift that has any, newest first."""
    row, later = IssuedReceiptRow, aliased(IssuedReceiptRow)
    found = session.execute(
        select(
            row.id,
            row.donation_id,
            row.jurisdiction,
            row.serial,
            row.kind,
            row.minor_units,
            row.currency,
            row.issued_at,
            row.voided_at,
            select(later.id).where(later.replaces == row.id).exists().label("is_replaced"),
        )
        .where(row.donation_id.in_(donation_ids))
        .order_by(row.issued_at.desc(), row.serial.desc())
    )
    receipts: dict[str, list[ListedReceipt]] = defaultdict(list)
    for each in found:
        receipts[each.donation_id].append(
            ListedReceipt(
                id=each.id,
                number=number_of(Jurisdiction(each.jurisdiction), each.serial),
                kind=ReceiptKind(each.kind),
                state=_state(is_void=each.voided_at is not None, is_replaced=each.is_replaced),
                amount=Money(minor_units=each.minor_units, currency=each.currency),
                issued_at=each.issued_at,
            )
        )
    return receipts


def calendars_of(session: Session, *, organization_ids: Collection[str]) -> Mapping[str, Calendar]:
    """Time zone and fiscal year of each of these organisations."""
    row = ReceiptSettingsRow
    found = session.execute(
        select(row.organization_id, row.time_zone, row.fiscal_year_starts).where(
            row.organization_id.in_(organization_ids)
        )
    )
    calendars = dict.fromkeys(organization_ids, Calendar(zone=ZoneInfo("UTC"), fiscal_year_starts=1))
    calendars |= {
        each.organization_id: Calendar(
            zone=ZoneInfo(each.time_zone), fiscal_year_starts=each.fiscal_year_starts
        )
        for each in found
    }
    return calendars


def _state(*, is_void: bool, is_replaced: bool) -> ReceiptState:
    if not is_void:
        return ReceiptState.VALID
    return ReceiptState.REPLACED if is_replaced else ReceiptState.CANCELLED
