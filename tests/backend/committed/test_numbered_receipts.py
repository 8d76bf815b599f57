"""Receipts have numbers without gaps that are never used twice; they are cancelled and replaced, and never changed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from amply.kernel.money import Money
from amply.modules import receipts
from amply.modules.donations import erase_donor, resend_receipt, state_advantage, void_receipt
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.receipting import gift_facts
from amply.modules.receipts import Jurisdiction
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.ledger_world import LedgerWorld
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.unit.receipt_samples import HOME, dinner
from tests.backend.world import NOW, death

CA = Jurisdiction.CA


def cad(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="CAD")


@pytest.fixture
def office(books: LedgerWorld) -> ReceiptOffice:
    made = ReceiptOffice(books)
    made.issues_in(CA)
    return made


def void(office: ReceiptOffice, donation_id: str, remaining: Money) -> receipts.IssuedReceipt | None:
    with office.database.transaction() as session:
        return void_receipt(session, donation_id=donation_id, remaining=remaining, now=NOW)


def issue(office: ReceiptOffice, donation_id: str) -> receipts.IssuedReceipt:
    with office.database.transaction() as session:
        row, waiting = session.get_one(DonationRow, donation_id), session.get_one(ReceiptRow, donation_id)
        return receipts.issue(session, gift=gift_facts(session, row, waiting), now=NOW)


def test_an_official_receipt_is_issued_with_the_first_number(office: ReceiptOffice) -> None:
    office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()

    (mail,) = office.mailer.sent
    assert [attachment.filename for attachment in mail.attachments][1] == "CA-000001.pdf"
    assert "Official receipt for income tax purposes" in mail.text
    (row,) = office.issued()
    assert (row.serial, row.kind, row.reasons, row.eligible_minor_units) == (1, "official", [], 30_000)


def test_a_gift_that_tells_too_little_is_acknowledged_and_the_organisation_can_see_why(
    office: ReceiptOffice,
) -> None:
    office.gives(30_000, "CAD")
    office.gives(2_500, "EUR", address=HOME)
    office.publish_and_send()

    assert all("makes no statement about taxes" in mail.text for mail in office.mailer.sent)
    with office.database.transaction() as session:
        found = receipts.problems(session, organization_id=office.organization_id)
    assert found == {"no_donor_address": 1, "wrong_currency": 1}


def test_numbers_are_each_organisations_and_each_jurisdictions_own(office: ReceiptOffice) -> None:
    office.gives(30_000, "CAD", address=HOME)
    office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    office.issues_in(Jurisdiction.US)
    office.gives(30_000, "USD")
    office.publish_and_send()

    assert [(row.jurisdiction, row.serial) for row in office.issued()] == [("CA", 1), ("CA", 2), ("US", 1)]


def test_many_at_once_take_each_number_once(office: ReceiptOffice) -> None:
    given = [office.gives(30_000, "CAD", address=HOME) for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        serials = list(pool.map(lambda donation_id: issue(office, donation_id).serial, given))

    assert sorted(serials) == list(range(1, 13))


def test_an_issuing_that_is_rolled_back_takes_no_number(office: ReceiptOffice) -> None:
    first, second = (office.gives(30_000, "CAD", address=HOME) for _ in range(2))
    with suppress(ConnectionError), office.database.transaction() as session:
        row, waiting = session.get_one(DonationRow, first), session.get_one(ReceiptRow, first)
        assert receipts.issue(session, gift=gift_facts(session, row, waiting), now=NOW).serial == 1
        raise ConnectionError

    assert issue(office, second).serial == 1
    assert issue(office, first).serial == 2


def test_killed_around_sending_the_same_receipt_is_sent_again(office: ReceiptOffice) -> None:
    office.gives(30_000, "CAD", address=HOME)
    office.make_public()
    office.mailer.dies_after_send = True
    with death():
        office.send()
    office.mailer.dies_after_send = False
    office.send(later=timedelta(minutes=2))

    first, again = office.mailer.sent
    assert first == again, "to the last byte"
    assert len(office.issued()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE issued_receipt SET serial = 9",
        "UPDATE issued_receipt SET minor_units = 1",
        "DELETE FROM issued_receipt",
        "UPDATE receipt_series SET last_serial = 0",
        "INSERT INTO receipt_series VALUES ('org_x', 'CA', 5)",
        "DELETE FROM receipt_series",
    ],
)
def test_the_application_moves_no_number(statement: str, office: ReceiptOffice) -> None:
    office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()

    with pytest.raises(ProgrammingError, match="permission denied"), office.database.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE issued_receipt SET serial = 9",
        "UPDATE issued_receipt SET document = '{}'",
        "UPDATE issued_receipt SET issued_at = now()",
        "UPDATE issued_receipt SET voided_at = NULL, void_reason = NULL",
        "DELETE FROM issued_receipt",
        "DELETE FROM receipt_series",
        "TRUNCATE issued_receipt CASCADE",
    ],
)
def test_the_owner_changes_no_receipt_either(
    statement: str, office: ReceiptOffice, databases: Databases
) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    void(office, donation_id, cad(0))
    owner = databases.as_role("master")
    with pytest.raises(IntegrityError), owner.transaction() as session:
        session.execute(text(f"SET ROLE amply_owner; {statement}"))
    owner.close()


# ---- cancelled, corrected, sent again ----------------------------------------------------------------------------


def test_a_gift_given_back_cancels_its_receipt_and_the_donor_is_told(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    standing = void(office, donation_id, cad(0))

    assert standing is not None
    assert standing.voided_at == NOW
    assert office.send() == 1
    mail = office.mailer.sent[-1]
    assert mail.subject == "Cancelled: the receipt for your gift to River Trust"
    assert "CA-000001" in mail.text
    assert "CANCELLED" in mail.text


def test_a_gift_given_back_in_part_gets_a_receipt_with_a_number_of_its_own(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    standing = void(office, donation_id, cad(10_000))

    assert standing is not None
    assert (standing.number, standing.amount) == ("CA-000002", cad(10_000))
    assert office.send() == 1
    mail = office.mailer.sent[-1]
    assert "cancels and replaces receipt CA-000001" in mail.text
    assert "100.00 CAD" in mail.text
    assert [row.voided_at is None for row in office.issued()] == [False, True]


def test_the_same_refund_told_twice_changes_nothing(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    for remaining in (10_000, 10_000, 0, 0):
        void(office, donation_id, cad(remaining))

    assert [row.serial for row in office.issued()] == [1, 2]
    assert all(row.voided_at is not None for row in office.issued())
    office.send()
    assert len(office.mailer.sent) == 2


def test_many_that_tell_of_one_refund_at_once_replace_once(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    with ThreadPoolExecutor(4) as pool:
        standing = list(pool.map(lambda _: void(office, donation_id, cad(5_000)), range(8)))

    assert {receipt.number for receipt in standing if receipt} == {"CA-000002"}
    assert len(office.issued()) == 2


def test_a_refund_while_the_letter_leaves_is_told_in_the_next_one(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.make_public()
    office.mailer.meanwhile = lambda: void(office, donation_id, cad(0))
    office.send()
    office.send()

    assert [mail.subject for mail in office.mailer.sent] == [
        "Your gift of 300.00 CAD to River Trust",
        "Cancelled: the receipt for your gift to River Trust",
    ]
    assert office.waiting(donation_id).sent_at is not None


def test_a_donor_erased_while_the_letter_leaves_stops_no_other(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.gives(40_000, "CAD", address=HOME)
    office.make_public()
    office.mailer.meanwhile = lambda: erase_donor(
        office.database, SECRETS, email_sha256=None, donation_id=donation_id, now=NOW
    )

    assert office.send() == 2
    assert len(office.rows("receipt")) == 1


def test_a_refund_before_the_receipt_leaves_is_in_the_first_receipt(office: ReceiptOffice) -> None:
    partly, wholly = (office.gives(30_000, "CAD", address=HOME) for _ in range(2))
    assert void(office, partly, cad(20_000)) is None
    assert void(office, wholly, cad(0)) is None
    office.publish_and_send()

    (mail,) = office.mailer.sent
    assert "200.00 CAD" in mail.subject
    assert [row.minor_units for row in office.issued()] == [20_000]
    assert office.waiting(wholly).withheld == "refunded"


def test_a_refund_that_failed_gives_the_gift_a_receipt_again(office: ReceiptOffice) -> None:
    sent, unsent = (office.gives(30_000, "CAD", address=HOME) for _ in range(2))
    issue(office, sent)
    void(office, unsent, cad(0))
    office.publish_and_send()
    void(office, sent, cad(0))
    assert void(office, sent, cad(30_000)) is not None
    void(office, unsent, cad(30_000))
    office.send()

    valid = [row for row in office.issued() if row.voided_at is None]
    assert {row.donation_id for row in valid} == {sent, unsent}
    assert sorted(row.serial for row in office.issued()) == [1, 2, 3]


def test_what_came_in_return_corrects_the_receipt(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    with office.database.transaction() as session:
        corrected = state_advantage(session, donation_id=donation_id, advantage=dinner(4_000, "CAD"), now=NOW)

    assert corrected is not None
    assert (corrected.number, corrected.amount, corrected.eligible) == ("CA-000002", cad(30_000), cad(26_000))
    office.send()
    assert "A dinner" in office.mailer.sent[-1].text


@pytest.mark.parametrize(
    "advantage",
    [
        dinner(4_000, "EUR"),
        dinner(0, "CAD"),
        receipts.Advantage(kind=receipts.AdvantageKind.GOODS_OR_SERVICES, description="x", value=None),
        receipts.Advantage(kind=receipts.AdvantageKind.INTANGIBLE_RELIGIOUS, description="x", value=cad(1)),
        receipts.Advantage(kind=receipts.AdvantageKind.GOODS_OR_SERVICES, description=" ", value=cad(1)),
    ],
)
def test_an_advantage_that_is_none_is_refused(advantage: receipts.Advantage, office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)

    with pytest.raises(receipts.AdvantageNotAcceptable), office.database.transaction() as session:
        state_advantage(session, donation_id=donation_id, advantage=advantage, now=NOW)


def test_a_receipt_sent_again_is_the_same_receipt(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    with office.database.transaction() as session:
        resend_receipt(session, donation_id=donation_id, now=NOW)
    office.send()

    first, again = office.mailer.sent
    assert first == again
    assert len(office.issued()) == 1


def test_an_operator_has_a_receipt_sent_again_without_seeing_it(
    office: ReceiptOffice, databases: Databases
) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    operator = databases.as_role("amply_operator")
    with operator.transaction() as session:
        resend_receipt(session, donation_id=donation_id, now=NOW)
    with pytest.raises(receipts.ReceiptNotFound), operator.transaction() as session:
        resend_receipt(session, donation_id="don_x", now=NOW)
    operator.close()

    assert office.send() == 1


def test_settings_that_change_later_change_no_issued_receipt(office: ReceiptOffice) -> None:
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    office.issues_in(CA, legal_name="Another Name")
    with office.database.transaction() as session:
        resend_receipt(session, donation_id=donation_id, now=NOW)
    office.send()

    assert "Another Name" not in office.mailer.sent[-1].text
