"""A payout as files: every one adds up to the payout, names no donor, and is refused where it would be wrong."""

import csv
import io
from decimal import Decimal

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import payouts
from amply.modules.payouts import PayoutStatus, ReportFormat
from tests.backend.committed.test_payout_reconciliation import RECONCILED, REFUND, refund
from tests.backend.payout_world import PAYOUT, Treasury, euros, of_payout, transaction

OWN_FEE = transaction(
    id="txn_own", category="fee", gross=euros(-200), fee=euros(0), source_id=None, intent_id=None
)
SHOP = transaction(id="txn_shop", intent_id="pi_shop", source_id="ch_shop", gross=euros(900), fee=euros(40))
PAID_OUT = 2437 - 500 - 200 + 860


@pytest.fixture
def treasury(database: Database) -> Treasury:
    """A payout of a gift, a refund, a fee of the account, and money that the organisation took elsewhere."""
    made = Treasury(database)
    made.succeed()
    refund(made)
    made.remote.items = [of_payout(minor_units=-PAID_OUT), OWN_FEE, SHOP, REFUND, transaction()]
    made.hear(RECONCILED, PayoutStatus.PAID, amount=euros(PAID_OUT), bank_reference="TRACE7")
    return made


def written(treasury: Treasury, file_format: ReportFormat) -> list[list[str]]:
    with treasury.database.transaction() as session:
        report = payouts.report(session, payout_id=PAYOUT, file_format=file_format)
    assert report.endswith("\r\n")
    return list(csv.reader(io.StringIO(report)))


def records(rows: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_a_line_an_item_and_one_for_the_payout_come_to_nothing(treasury: Treasury) -> None:
    lines = records(written(treasury, ReportFormat.CSV))

    assert sorted(line["item"] for line in lines) == [
        "fee",
        "fee",
        "gift",
        "other",
        "other",
        "payout",
        "refund",
    ]
    assert sum(int(line["minor_units"]) for line in lines) == 0
    for line in lines:
        assert Decimal(line["amount"]) * 100 == int(line["minor_units"])
        assert (line["payout"], line["bank_reference"], line["currency"]) == (PAYOUT, "TRACE7", "EUR")
    entries = {row.id for row in treasury.rows("entry")}
    assert {line["entry"] for line in lines if line["state"] == "matched"} <= entries
    assert {line["state"] for line in lines} == {"matched", "outside"}


def test_the_journal_balances_and_says_what_is_on_the_bank(treasury: Treasury) -> None:
    lines = records(written(treasury, ReportFormat.JOURNAL))

    assert sum(Decimal(line["*Amount"]) for line in lines) == 0
    amounts = {line["*AccountCode"]: Decimal(line["*Amount"]) for line in lines}
    assert amounts == {
        "bank": Decimal("25.97"),
        "gifts": Decimal("-20.00"),
        "other": Decimal("-8.60"),
        "processor_fees": Decimal("2.63"),
    }
    assert {line["*Date"] for line in lines} == {"24/11/2026"}
    assert len({line["*Narration"] for line in lines}) == 1


def test_the_same_journal_for_quickbooks(treasury: Treasury) -> None:
    lines = records(written(treasury, ReportFormat.QUICKBOOKS))
    debits, credits_ = (
        sum(Decimal(line[side]) for line in lines if line[side]) for side in ("Debits", "Credits")
    )
    assert debits == credits_ == Decimal("28.60")
    assert {line["Journal No"] for line in lines} == {PAYOUT}


def test_the_disbursement_tells_gift_by_gift_and_of_no_donor(treasury: Treasury) -> None:
    rows = written(treasury, ReportFormat.DISBURSEMENT)
    head, table = {row[0]: row[1] for row in rows[:4]}, records(rows[5:])

    assert head == {
        "Disbursement ID": PAYOUT,
        "Bank Date": "2026-11-24",
        "Bank Reference ID": "TRACE7",
        "Currency": "EUR",
    }
    *lines, total = table
    gift = next(line for line in lines if line["Item"] == "gift" and line["Gross"] == "25.00")
    assert (gift["Fee"], gift["Net"], gift["Donor"]) == ("-0.63", "24.37", "Not shared")
    for column in ("Gross", "Fee", "Net"):
        assert sum(Decimal(line[column]) for line in lines) == Decimal(total[column])
    assert total["Net"] == "25.97"
    assert [line["Donor"] for line in lines if line["Item"] != "gift"] == ["", "", ""]
    assert not any("Ada" in cell for row in rows for cell in row)


@pytest.mark.parametrize("file_format", list(ReportFormat))
def test_no_file_is_better_than_a_wrong_one(file_format: ReportFormat, treasury: Treasury) -> None:
    treasury.remote.items.append(transaction(id="txn_late", intent_id="pi_late", fee=euros(0)))
    treasury.hear(RECONCILED)
    with pytest.raises(payouts.PayoutTotalsDiffer, match=r"come to 50\.97 EUR and the payout to 25\.97 EUR"):
        written(treasury, file_format)


def test_a_payout_whose_items_are_not_known_has_no_report(database: Database) -> None:
    treasury = Treasury(database)
    treasury.hear("payout.created")
    with pytest.raises(payouts.PayoutNotReconciled, match="asks now"):
        written(treasury, ReportFormat.CSV)


def test_a_bank_that_has_said_nothing_yet_is_said_so(treasury: Treasury) -> None:
    with treasury.database.transaction() as session:
        session.execute(text("UPDATE payout SET bank_reference = NULL"))
    rows = written(treasury, ReportFormat.DISBURSEMENT)
    assert ["Bank Reference ID", "not known yet"] in rows
