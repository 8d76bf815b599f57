"""HMRC's Gift Aid schedule as an OpenDocument spreadsheet, with the sheet and the cells of HMRC's own form.

Source: gov.uk, "Schedule spreadsheet to claim back tax on Gift Aid donations" (updated 2025-11-28): the sheet's name, the
earliest date in D13, the headings in row 23 from B to K, gifts from row 25; at most 1,000 rows; blank rather than 0.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from amply.kernel.errors import InvalidRequest
from amply.kernel.money import Money
from amply.modules.receipts.domain import GiftAidDeclaration

if TYPE_CHECKING:
    from odfdo import Table

SHEET: Final = "R68GAD_V1_00_0_EN"
ROWS_MAX: Final = 1_000
HEADINGS: Final = (
    *("Item", "Title", "First name", "Last name", "House name or number", "Postcode"),
    *("Aggregated donations", "Sponsored event", "Donation date", "Amount"),
)
_EARLIEST_LABEL: Final = "Earliest donation date in the period of claim. (DD/MM/YY)"
_FIRST_ROW: Final = 25


class ScheduleNotPossible(InvalidRequest):
    """A schedule would have no gifts, or more than HMRC takes in one."""

    code = "schedule_not_possible"


@dataclass(frozen=True, kw_only=True)
class ClaimedGift:
    """One line of the schedule: a gift in pounds, with its donor's declaration."""

    declaration: GiftAidDeclaration
    given_on: date
    amount: Money


def schedule(gifts: Sequence[ClaimedGift]) -> bytes:
    """The spreadsheet of these gifts, earliest first.

    Raises:
        ScheduleNotPossible: There are none, or more than 1,000: choose a shorter period.
    """
    if not 0 < len(gifts) <= ROWS_MAX:
        raise ScheduleNotPossible(
            f"A schedule holds 1 to {ROWS_MAX} gifts, and this period has {len(gifts)}; choose another one."
        )
    from odfdo import Document, Table  # noqa: PLC0415 -- no other process of the platform writes spreadsheets

    ordered = sorted(gifts, key=lambda gift: gift.given_on)
    table = Table(SHEET)
    table.set_value("D12", _EARLIEST_LABEL)
    table.set_value("D13", _day(ordered[0].given_on))
    for column, heading in zip("BCDEFGHIJK", HEADINGS, strict=True):
        table.set_value(f"{column}23", heading)
    for number, gift in enumerate(ordered, start=1):
        _write(table, number, gift)
    document = Document("spreadsheet")
    document.body.clear()
    document.body.append(table)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _write(table: "Table", number: int, gift: ClaimedGift) -> None:
    from odfdo import Cell  # noqa: PLC0415 -- as above

    row, donor = _FIRST_ROW + number - 1, gift.declaration
    said = (donor.title, donor.first_name, donor.last_name, donor.house, donor.postcode)
    table.set_value(f"B{row}", number)
    for column, text in zip("CDEFG", said, strict=True):
        if text:  # a blank, where there is no title
            table.set_value(f"{column}{row}", text)
    table.set_value(f"J{row}", _day(gift.given_on))
    pounds = Decimal(gift.amount.minor_units).scaleb(-2)
    table.set_cell(f"K{row}", Cell(pounds, text=f"{pounds:.2f}", cell_type="float"))


def _day(day: date) -> str:
    return f"{day:%d/%m/%y}"
