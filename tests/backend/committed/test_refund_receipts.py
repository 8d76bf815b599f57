"""A refund that the processor tells of is in the gift's receipt: the first one, or one that replaces it."""

import pytest

from amply.infra.database import Database
from amply.modules import donations, receipts
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.receipting import gift_facts
from tests.backend.committed.money_back import DISPUTE, INTENT, REFUND, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.world import NOW


@pytest.fixture
def books(database: Database) -> Returns:
    return Returns(database)


def issued(books: Returns) -> list[tuple[int, int, bool]]:
    rows = sorted(books.rows("issued_receipt"), key=lambda row: row.serial)
    return [(row.serial, row.minor_units, row.voided_at is None) for row in rows]


def test_a_refund_before_the_letter_is_in_the_first_receipt(books: Returns) -> None:
    books.refund("10.00")
    books.news("refund.created")
    books.news("charge.refunded")

    (waiting,) = books.rows("receipt")
    assert waiting.left_minor_units == 1500
    assert issued(books) == []


def issues(books: Returns) -> None:
    with books.database.transaction() as session:
        (row,), (waiting,) = session.query(DonationRow).all(), session.query(ReceiptRow).all()
        receipts.issue(session, gift=gift_facts(session, row, waiting), now=NOW)


def test_refunds_replace_and_then_cancel_the_receipt(books: Returns) -> None:
    issues(books)
    books.refund("10.00")
    for told in ("refund.created", "charge.refunded", "refund.created"):
        books.news(told)
    assert issued(books) == [(1, 2500, False), (2, 1500, True)]

    books.refund()
    for told in ("charge.refunded", "refund.created"):
        books.news(told)
    assert issued(books) == [(1, 2500, False), (2, 1500, False)]


@pytest.mark.parametrize("minor_units", [1000, 2500])
def test_a_refund_after_the_donors_erasure_leaves_no_receipt_valid(books: Returns, minor_units: int) -> None:
    """The number, with what it was over, is nobody's name."""
    issues(books)
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    assert books.rows("receipt") == []
    # On the processor's own page: for us the gift has no name there any more.
    books.processor.tell_refund(INTENT, REFUND, minor_units=minor_units)
    for told in ("refund.created", "charge.refunded", "refund.created"):
        books.news(told)
    assert issued(books) == [(1, 2500, False)]


def test_a_lost_dispute_after_the_donors_erasure_leaves_no_receipt_valid(books: Returns) -> None:
    issues(books)
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    books.processor.tell_dispute(INTENT, DISPUTE, (-2500, 1500), status="lost", minor_units=2500)
    books.news("charge.dispute.closed")
    assert issued(books) == [(1, 2500, False)]
