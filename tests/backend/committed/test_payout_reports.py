"""A payout as files: every one adds up to the payout, names no donor, and is refused where it would be wrong."""

import csv
import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import organizations, payouts
from amply.modules.donations.options import GiftOptions
from amply.modules.payouts import PayoutStatus, ReportFormat
from tests.backend.committed.money_back import COVER
from tests.backend.committed.test_payout_exchanges import EXCHANGED, dollars, given_in_dollars
from tests.backend.conftest import Databases
from tests.backend.payout_world import (
    PAYOUT,
    RECONCILED,
    REFUND,
    Treasury,
    euros,
    of_payout,
    refund,
    transaction,
)
from tests.backend.world import NOW

OWN_FEE = transaction(
    id="txn_own", category="fee", gross=euros(-200), fee=euros(0), source_id=None, intent_id=None
)
SHOP = transaction(id="txn_shop", intent_id="pi_shop", source_id="ch_shop", gross=euros(900), fee=euros(40))
PAID_OUT = 2437 - 500 - 200 + 860


@pytest.fixture(autouse=True)
def sequencer(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals are of what the log holds."""
    monkeypatch.setattr(Treasury, "sequencer", databases.as_role("amply_sequencer"))


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
    treasury.sequence()
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
    assert {(line["Journal No"], line["Journal Date"]) for line in lines} == {(PAYOUT, "11/24/2026")}


def test_quickbooks_takes_no_more_than_twenty_one_characters_as_a_number(database: Database) -> None:
    long = "po_1QxYzA2eZvKYlo2C0abcdefg"
    made = Treasury(database)
    made.succeed()
    made.remote.items = [replace(of_payout(), source_id=long), transaction()]
    made.remote.told = replace(made.remote.told, status=PayoutStatus.PAID)
    made.deliver("evt_long", RECONCILED, object={"id": long, "object": "payout"})
    made.follow("evt_long")
    made.sequence()

    with database.transaction() as session:
        report = payouts.report(session, payout_id=long, file_format=ReportFormat.QUICKBOOKS)
    lines = records(list(csv.reader(io.StringIO(report))))
    assert {line["Journal No"] for line in lines} == {long[-21:]}
    assert all(long in line["Description"] for line in lines)


class Restricted(Treasury):
    """One gift for a fund, whose donor covered the fee too."""

    def give(self, **_: Any) -> Any:
        with self.database.transaction() as session:
            self.fund = organizations.create_fund(
                session,
                organization_id=self.organization_id,
                name="=Wells",
                kind=organizations.FundKind.PROJECT,
                now=NOW,
            )
        return super().give(
            minor_units=2500 - COVER, fee_cover=COVER, options=GiftOptions(fund_id=self.fund.id)
        )


def paid_out_for_a_fund(database: Database) -> Restricted:
    made = Restricted(database)
    made.succeed()
    made.processor.tell_refund("pi_0", "re_1", minor_units=500)
    made.deliver("evt_back", "refund.created", object=made.charge() | {"object": "refund", "id": "re_1"})
    made.handle("evt_back")
    made.remote.items = [of_payout(minor_units=-1937), REFUND, transaction()]
    made.hear(RECONCILED, PayoutStatus.PAID, amount=euros(1937))
    return made


def test_what_is_for_a_fund_and_what_covers_the_fee_are_lines_of_their_own(database: Database) -> None:
    made = paid_out_for_a_fund(database)
    lines = records(written(made, ReportFormat.JOURNAL))

    in_fund = f"gifts/{made.fund.id}"
    assert {line["*AccountCode"]: Decimal(line["*Amount"]) for line in lines} == {
        "bank": Decimal("19.37"),
        "fee_cover": Decimal("-0.63"),
        in_fund: Decimal("-19.37"),
        "processor_fees": Decimal("0.63"),
    }
    assert [line["Description"] for line in lines if line["*AccountCode"] == in_fund] == [
        f"2 items of {PAYOUT} for =Wells"
    ]
    accounts = {line["Account Name"] for line in records(written(made, ReportFormat.QUICKBOOKS))}
    assert accounts == {"bank", "fee_cover", in_fund, "processor_fees"}
    *gifts, _ = records(written(made, ReportFormat.DISBURSEMENT)[5:])
    assert {line["Fund"] for line in gifts} == {"'=Wells"}, "a spreadsheet would run it"


def test_an_operator_prints_the_same(database: Database, databases: Databases) -> None:
    """The database user of the administration sees books, and no donor."""
    made = paid_out_for_a_fund(database)
    made.sequence()
    operator = databases.as_role("amply_operator")
    try:
        with operator.transaction() as session:
            printed = payouts.report(session, payout_id=PAYOUT, file_format=ReportFormat.JOURNAL)
    finally:
        operator.close()
    assert f"gifts/{made.fund.id}" in printed


def test_the_journal_of_what_was_exchanged_is_in_the_accounts_currency(database: Database) -> None:
    made = given_in_dollars(database)
    made.remote.items = [of_payout(minor_units=-2230), EXCHANGED]
    made.hear(RECONCILED, PayoutStatus.PAID, amount=euros(2230))

    lines = records(written(made, ReportFormat.JOURNAL))
    assert {line["*AccountCode"]: Decimal(line["*Amount"]) for line in lines} == {
        "bank": Decimal("22.30"),
        "gifts": Decimal("-23.00"),
        "processor_fees": Decimal("0.70"),
    }


class RestrictedInDollars(Restricted):
    """The same gift in the donor's currency: 24.37 USD for the fund, and 0.63 USD for the fee."""

    def arrive(self) -> None:
        self.processor.gross, self.processor.fee = dollars(2500), None
        self.succeed()


def test_a_funds_share_of_an_exchanged_gift_is_the_funds_line(database: Database) -> None:
    made = RestrictedInDollars(database)
    made.arrive()
    made.remote.items = [of_payout(minor_units=-2230), EXCHANGED]
    made.hear(RECONCILED, PayoutStatus.PAID, amount=euros(2230))

    lines = records(written(made, ReportFormat.JOURNAL))
    assert {line["*AccountCode"]: Decimal(line["*Amount"]) for line in lines} == {
        "bank": Decimal("22.30"),
        "fee_cover": Decimal("-0.58"),
        f"gifts/{made.fund.id}": Decimal("-22.42"),
        "processor_fees": Decimal("0.70"),
    }
    *gifts, _ = records(written(made, ReportFormat.DISBURSEMENT)[5:])
    assert {line["Fund"] for line in gifts} == {"'=Wells"}


def test_a_journal_waits_for_the_log(treasury: Treasury) -> None:
    with (
        treasury.database.transaction() as session,
        pytest.raises(payouts.PayoutNotInLog, match="ask again in a minute"),
    ):
        payouts.report(session, payout_id=PAYOUT, file_format=ReportFormat.JOURNAL)


def test_what_an_operator_has_explained_is_none_of_our_gifts(treasury: Treasury) -> None:
    late = transaction(id="txn_open", category="reserve", gross=euros(300), fee=euros(0), intent_id=None)
    treasury.remote.items.append(late)
    treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(PAID_OUT + 300))
    (waiting,) = [row for row in treasury.rows("movement") if row.state == "open"]
    with treasury.database.transaction() as session:
        session.execute(text("UPDATE payout SET minor_units = items_minor_units"))
        payouts.explain(session, movement_id=waiting.id, reason="paid_before_joining", now=NOW)

    lines = records(written(treasury, ReportFormat.JOURNAL))
    (other,) = (line["*Amount"] for line in lines if line["*AccountCode"] == "other")
    assert Decimal(other) == Decimal("-8.60") - 3


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
