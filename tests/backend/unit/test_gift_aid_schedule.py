"""HMRC's schedule, opened again: the sheet, the cells and the forms of values that its form has."""

import io
from datetime import date
from decimal import Decimal

import pytest
from odfdo import Document, Table

from amply.kernel.money import Money
from amply.modules.receipts import ClaimedGift, GiftAidDeclaration, ScheduleNotPossible, schedule
from tests.backend.unit.receipt_samples import DECLARED


def claimed(day: int, minor_units: int, declaration: GiftAidDeclaration = DECLARED) -> ClaimedGift:
    return ClaimedGift(
        declaration=declaration,
        given_on=date(2026, 4, day),
        amount=Money(minor_units=minor_units, currency="GBP"),
    )


def sheet(content: bytes) -> Table:
    document = Document(io.BytesIO(content))
    (table,) = document.body.tables
    assert isinstance(table, Table)
    assert table.name == "R68GAD_V1_00_0_EN"
    return table


def test_gifts_stand_from_row_25_on_the_earliest_first() -> None:
    untitled = GiftAidDeclaration(
        title="", first_name="J", last_name="O'Neill & Co", house="The Mill", postcode="X"
    )
    table = sheet(schedule([claimed(9, 12_345), claimed(3, 1_000, untitled)]))

    assert table.get_value("D13") == "03/04/26"
    assert [table.get_value(f"{column}23") for column in "BCDEFGHIJK"] == [
        *("Item", "Title", "First name", "Last name", "House name or number", "Postcode"),
        *("Aggregated donations", "Sponsored event", "Donation date", "Amount"),
    ]
    rows = [[table.get_value(f"{column}{row}") for column in "BCDEFGHIJK"] for row in (25, 26)]
    assert rows == [
        [1, None, "J", "O'Neill & Co", "The Mill", "X", None, None, "03/04/26", Decimal("10.00")],
        [2, "Mrs", "Ada", "Lovelace", "12", "AB1 2CD", None, None, "09/04/26", Decimal("123.45")],
    ]


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_schedule_has_between_one_and_a_thousand_gifts(count: int) -> None:
    with pytest.raises(ScheduleNotPossible, match=f"this period has {count}"):
        schedule([claimed(1, 1_000)] * count)


def test_a_formula_in_a_name_is_text() -> None:
    hostile = GiftAidDeclaration(
        title="Mr", first_name="=1+1", last_name="<x>", house="5", postcode="AB1 2CD"
    )
    table = sheet(schedule([claimed(1, 1_000, hostile)]))

    assert table.get_value("D25") == "=1+1"
    assert table.get_cell("D25").formula is None
    assert table.get_value("E25") == "<x>"
