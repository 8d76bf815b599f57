"""A donor's year and an organisation's claim, as an operator asks for them."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from odfdo import Document

from amply.entrypoints.admin import main as admin
from amply.kernel.money import Money
from amply.modules import receipts
from amply.modules.donations import (
    OfflineGift,
    OfflineMethod,
    record_offline,
    statement_of_donor,
    void_receipt,
)
from amply.modules.donations.domain import Donor
from amply.modules.donations.donor_years import NoGiftsFound
from amply.modules.mail import address_digest
from amply.modules.receipts import Jurisdiction, Language
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases, environment_of
from tests.backend.ledger_world import LedgerWorld
from tests.backend.receipt_office import ADA, ReceiptOffice
from tests.backend.unit.receipt_samples import DECLARED, HOME
from tests.backend.unit.test_receipt_paper import text_of
from tests.backend.world import NOW

DIGEST = address_digest("Ada@Example.org ")
BOB = Donor(name="Bob", email="bob@example.org")


def at(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
def office(books: LedgerWorld) -> ReceiptOffice:
    return ReceiptOffice(books)


@pytest.fixture
def typed(databases: Databases) -> Any:
    """Types a command as an operator does, with the database user it needs."""

    def run(*arguments: str, user: str = "amply_app") -> Result:
        settings = databases.server.settings(name=databases.name, user=user)
        return CliRunner().invoke(admin, list(arguments), env=environment_of(settings))

    return run


def statement(office: ReceiptOffice, year: int = 2026) -> receipts.Statement:
    return statement_of_donor(
        office.database, organization_id=office.organization_id, email_sha256=DIGEST, year=year
    )


def test_a_statement_sums_each_currency_and_nobody_elses_gifts(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.US)
    office.gives(10_000, "USD", at=at(2026, 3, 1))
    office.gives(5_000, "USD", at=at(2026, 2, 1))
    office.gives(700, "EUR", at=at(2026, 4, 1))
    office.gives(99_900, "USD", donor=BOB, at=at(2026, 4, 1))
    office.publish_and_send()
    page = receipts.as_html(statement(office))

    assert "Total USD" in page
    assert "150.00 USD" in page
    assert "7.00 EUR" in page
    assert "0.00 EUR" in page, "an acknowledgement claims nothing"
    assert "999.00" not in page
    assert page.index("50.00 USD") < page.index("100.00 USD"), "the earliest first"


def test_a_gift_given_back_counts_nothing(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.CA)
    wholly = office.gives(10_000, "CAD", at=at(2026, 3, 1), address=HOME)
    partly = office.gives(20_000, "CAD", at=at(2026, 3, 2), address=HOME)
    office.publish_and_send()
    for donation_id, left in ((wholly, 0), (partly, 5_000)):
        with office.database.transaction() as session:
            remaining = Money(minor_units=left, currency="CAD")
            void_receipt(session, donation_id=donation_id, remaining=remaining, now=NOW)

    assert [
        (gift.number, gift.amount.minor_units, gift.eligible.minor_units) for gift in statement(office).gifts
    ] == [
        (None, 0, 0),
        ("CA-000003", 5_000, 5_000),
    ]


def test_what_went_back_before_a_receipt_was_issued_counts_nothing_either(office: ReceiptOffice) -> None:
    """A refund within seconds, or while the log waits for its witnesses: then there is no receipt to be void."""
    office.issues_in(Jurisdiction.CA)
    for day, left in ((1, 0), (2, 5_000)):
        donation_id = office.gives(20_000, "CAD", at=at(2026, 3, day), address=HOME)
        with office.database.transaction() as session:
            remaining = Money(minor_units=left, currency="CAD")
            void_receipt(session, donation_id=donation_id, remaining=remaining, now=NOW)
    unissued = [(gift.amount.minor_units, gift.eligible.minor_units) for gift in statement(office).gifts]
    office.publish_and_send()

    assert unissued == [(0, 0), (5_000, 0)]
    assert [gift.amount.minor_units for gift in statement(office).gifts] == [0, 5_000]


def test_the_year_is_the_organisations_own(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.CA, fiscal_year_starts=7)
    for month, day, hour in ((7, 1, 3), (7, 1, 5), (12, 31, 12)):
        office.gives(10_000, "CAD", at=at(2026, month, day, hour), address=HOME)
    office.gives(10_000, "CAD", at=at(2027, 7, 1, 3), address=HOME)
    office.publish_and_send()
    year = statement(office)

    assert (str(year.year.first), str(year.year.last)) == ("2026-07-01", "2027-06-30")
    assert [gift.given_at for gift in year.gifts] == [at(2026, 7, 1, 5), at(2026, 12, 31), at(2027, 7, 1, 3)]
    assert len(statement(office, 2025).gifts) == 1


def test_nobody_is_told_so(office: ReceiptOffice) -> None:
    office.gives(at=at(2026, 3, 1))

    with pytest.raises(NoGiftsFound, match="2025-01-01 to 2025-12-31"):
        statement(office, 2025)


def test_the_statement_is_in_the_language_of_the_donors_last_gift(office: ReceiptOffice) -> None:
    office.gives(at=at(2026, 1, 1), language=Language.DE)
    office.gives(at=at(2026, 2, 1), language=Language.FR)
    office.gives(at=at(2026, 3, 1))
    made = statement(office)

    assert made.language is Language.FR
    assert "Relevé des dons" in text_of(receipts.as_pdf(made, now=NOW))
    assert receipts.as_pdf(made, now=NOW) == receipts.as_pdf(made, now=NOW)


def records_a_thing(office: ReceiptOffice, *, name: str = "Ada") -> None:
    thing = OfflineGift(
        organization_id=office.organization_id,
        method=OfflineMethod.IN_KIND,
        amount=Money(minor_units=77_700, currency="EUR"),
        received_on=date(2026, 5, 1),
        reference="slip 1",
        donor_name=name,
        donor_email=ADA.email,
        description="A piano, upright",
    )
    record_offline(office.database, SECRETS, gift=thing, now=NOW)


def test_things_stand_apart_without_an_amount(office: ReceiptOffice) -> None:
    office.gives(10_000, at=at(2026, 3, 1))
    records_a_thing(office)
    office.publish_and_send()
    made = statement(office)
    page, paper = receipts.as_html(made), text_of(receipts.as_pdf(made, now=NOW))

    for written in (page, paper):
        assert "A piano, upright" in written
        assert "100.00 EUR" in written
        assert "777.00" not in written, "no amount of a thing, and none in a total"
    assert "A-000002" in page[page.index("Gifts in kind") :], "its own receipt is named"


def test_a_year_of_things_alone_has_a_statement(office: ReceiptOffice) -> None:
    records_a_thing(office)
    page = receipts.as_html(statement(office))

    assert "A piano, upright" in page
    assert "Total" not in page


def test_a_companys_gifts_are_the_companys_and_not_the_persons(office: ReceiptOffice) -> None:
    office.gives(10_000, at=at(2026, 3, 1), company=receipts.Company(name="Angstrom Ltd"))
    office.publish_and_send()
    alone = receipts.as_html(statement(office))
    assert "Donor: Angstrom Ltd" in alone
    assert "Donor: Ada" not in alone

    office.gives(5_000, at=at(2026, 4, 1))
    office.publish_and_send()
    made = statement(office)
    assert [(giver.name, [gift.amount.minor_units for gift in giver.gifts]) for giver in made.givers] == [
        ("Ada", [5_000]),
        ("Angstrom Ltd", [10_000]),
    ]
    assert "150.00 EUR" not in receipts.as_html(made), "nobody's total holds what somebody else gave"
    assert "Angstrom Ltd" in text_of(receipts.as_pdf(made, now=NOW))


def test_an_operator_gets_a_statement_as_two_files(office: ReceiptOffice, typed: Any, tmp_path: Path) -> None:
    office.gives(at=at(2026, 3, 1), donor=Donor(name='Ada "<b>" #x', email=ADA.email))
    office.publish_and_send()
    asked = ("--organization", office.organization_id, "--email-sha256", DIGEST, "--year", "2026")
    done = typed("donor", "statement", *asked, "--out", str(tmp_path))

    assert done.exit_code == 0, done.output + str(done.exception)
    pdf, html = (Path(path) for path in json.loads(done.stdout)["files"])
    assert 'Ada "<b>" #x' in text_of(pdf.read_bytes())
    assert "&lt;b&gt;" in html.read_text()
    assert pdf.stat().st_mode & 0o077 == 0, "it names a donor: for whoever asked alone"


def test_gift_aid_is_claimed_on_what_was_declared_and_stayed(
    office: ReceiptOffice, typed: Any, tmp_path: Path
) -> None:
    office.issues_in(Jurisdiction.GB)
    office.gives(1_000, "GBP", at=at(2026, 4, 6), gift_aid=DECLARED)
    office.gives(2_000, "GBP", at=at(2026, 4, 7))
    back = office.gives(3_000, "GBP", at=at(2026, 4, 8), gift_aid=DECLARED)
    part = office.gives(4_000, "GBP", at=at(2026, 4, 9), gift_aid=DECLARED)
    office.gives(5_000, "GBP", at=at(2026, 5, 1), gift_aid=DECLARED)
    office.publish_and_send()
    for donation_id, left in ((back, 0), (part, 1_500)):
        with office.database.transaction() as session:
            remaining = Money(minor_units=left, currency="GBP")
            void_receipt(session, donation_id=donation_id, remaining=remaining, now=NOW)
    out = tmp_path / "schedule.ods"
    days = ("--from", "2026-04-06", "--until", "2026-04-30", "--out", str(out))
    done = typed("organization", "gift-aid-schedule", "--id", office.organization_id, *days)

    assert done.exit_code == 0, done.output + str(done.exception)
    assert json.loads(done.stdout)["minor_units"] == "2500"
    table = Document(io.BytesIO(out.read_bytes())).body.tables[0]
    assert [table.get_cell(f"K{row}").text_recursive.strip() for row in (25, 26)] == ["10.00", "15.00"]


def test_an_operator_says_how_receipts_are_issued_a_piece_at_a_time(
    office: ReceiptOffice, typed: Any
) -> None:
    said = ("organization", "receipts", "--id", office.organization_id)
    first = typed(
        *said,
        *("--jurisdiction", "CA", "--legal-name", "River Trust", "--registration-number", "123456789RR0001"),
        *(
            "--address",
            "1 Water Street",
            "--address",
            "Toronto ON",
            "--place",
            "Toronto",
            "--signatory",
            "Grace",
        ),
        user="amply_operator",
    )
    then = typed(*said, "--language", "fr", user="amply_operator")

    assert first.exit_code == then.exit_code == 0, first.output + str(first.exception)
    shown = json.loads(typed(*said, user="amply_operator").stdout)
    assert (shown["jurisdiction"], shown["language"]) == ("CA", "fr")
    assert shown["address"] == ["1 Water Street", "Toronto ON"]


def test_what_is_wrong_with_settings_is_one_sentence(office: ReceiptOffice, typed: Any) -> None:
    said = ("organization", "receipts", "--id", office.organization_id, "--jurisdiction", "US")
    number = ("--legal-name", "River Trust", "--registration-number", "12")
    done = typed(*said, *number, user="amply_operator")

    assert isinstance(done.exception, receipts.ReceiptSettingsNotAcceptable)
    assert done.exception.detail == "Give the EIN as 12-3456789."


def test_an_operator_sees_how_many_gifts_got_no_receipt_and_why(office: ReceiptOffice, typed: Any) -> None:
    office.issues_in(Jurisdiction.CA)
    office.gives(1_000, "CAD")
    office.publish_and_send()
    done = typed("organization", "receipt-problems", "--id", office.organization_id, user="amply_operator")

    assert done.exit_code == 0, done.output + str(done.exception)
    assert json.loads(done.stdout)["reasons"] == {"no_donor_address": 1}


def test_an_operator_sends_a_receipt_again_and_states_an_advantage(office: ReceiptOffice, typed: Any) -> None:
    office.issues_in(Jurisdiction.US)
    donation_id = office.gives(10_000, "USD")
    office.publish_and_send()
    again = typed("donation", "resend-receipt", donation_id, user="amply_operator")
    stated = typed(
        *("donation", "advantage", donation_id, "--description", "Dinner"),
        *("--minor-units", "4000", "--currency", "USD"),
    )

    assert again.exit_code == stated.exit_code == 0, again.output + stated.output + str(stated.exception)
    assert json.loads(stated.stdout)["receipt"] == "US-000002"
