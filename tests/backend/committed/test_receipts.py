"""Receipts leave once the log covers their entries: proven, once, and despite every interruption."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from amply.modules.donations import ReceiptDependencies, queries, send_due_receipts
from amply.modules.donations.models import DonationRow
from amply.modules.donations.schemas import DonationOut
from amply.modules.ledger import inclusion
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.committed.test_provider_events import Books
from tests.backend.ledger_world import LedgerWorld
from tests.backend.world import NOW, FakeMailer, death


class PostOffice(Books):
    """Books whose receipts can be sent."""

    def __init__(self, world: LedgerWorld) -> None:
        super().__init__(world.app)
        self.world = world
        self.mailer = FakeMailer()
        self.sending = ReceiptDependencies(
            database=self.database,
            mailer=self.mailer,
            secrets=self.parts.secrets,
            ledger_page="https://edge.example/ledger/",
        )

    def make_public(self) -> None:
        self.world.sequence()
        assert self.world.publish() is not None

    def send(self, *, later: timedelta = timedelta()) -> int:
        return send_due_receipts(self.sending, now=NOW + later)


@pytest.fixture
def office(books: LedgerWorld) -> PostOffice:
    made = PostOffice(books)
    made.give()
    made.succeed()
    return made


def test_no_receipt_leaves_before_its_entry_is_public(office: PostOffice) -> None:
    assert office.send() == 0

    office.world.sequence()
    assert office.send() == 0


def test_a_receipt_proves_the_gift_against_the_published_checkpoint(office: PostOffice) -> None:
    office.make_public()

    assert office.send() == 1
    (mail,) = office.mailer.sent
    assert mail.to == "ada@example.org"
    assert "25.00 EUR" in mail.subject
    verified = verify_receipt(decode_receipt(mail.attachments[0].content), [office.world.verifier])
    assert verified.opened["donor_email"] == "ada@example.org"


def test_a_clock_that_is_behind_does_not_hold_up_a_receipt(office: PostOffice) -> None:
    office.make_public()

    assert office.send(later=-timedelta(hours=1)) == 1


def test_a_receipt_is_sent_once(office: PostOffice) -> None:
    office.make_public()
    office.send()

    assert office.send(later=timedelta(days=30)) == 0
    assert len(office.mailer.sent) == 1


def test_killed_before_the_mail_left_it_leaves_later(office: PostOffice) -> None:
    office.make_public()
    office.mailer.dies_before_send = True
    with death():
        office.send()
    office.mailer.dies_before_send = False

    assert office.send() == 0, "somebody may still be sending it"
    assert office.send(later=timedelta(minutes=2)) == 1


def test_killed_after_the_mail_left_it_is_sent_again_rather_than_never(office: PostOffice) -> None:
    office.make_public()
    office.mailer.dies_after_send = True
    with death():
        office.send()
    office.mailer.dies_after_send = False

    assert office.send(later=timedelta(minutes=2)) == 1
    assert len(office.mailer.sent) == 2


def test_a_letter_that_cannot_be_written_holds_back_no_other(office: PostOffice) -> None:
    office.make_public()
    with office.database.transaction() as session:
        for row in session.scalars(select(DonationRow)):
            row.donor_email = None

    assert office.send() == 0
    assert office.send() == 0, "it waits its turn"
    (receipt,) = office.rows("receipt")
    assert (receipt.attempts, receipt.sent_at) == (1, None)


def test_a_receipt_that_cannot_be_sent_holds_back_no_other(office: PostOffice) -> None:
    office.make_public()
    office.mailer.refuses = True
    assert office.send() == 0
    (receipt,) = office.rows("receipt")
    assert (receipt.attempts, receipt.sent_at) == (1, None)

    office.mailer.refuses = False
    assert office.send() == 0, "it waits its turn"
    assert office.send(later=timedelta(minutes=2)) == 1


def test_the_donation_shows_where_it_stands_in_the_log(office: PostOffice) -> None:
    (row,) = office.rows("donation")

    def ledger() -> dict[str, object] | None:
        with office.database.transaction() as session:
            donation = queries.get(session, donation_id=row.id)
            shown = DonationOut.of(donation, inclusion(session, entry_id=row.entry_id), waits_for_books=False)
        return shown.ledger.model_dump() if shown.ledger else None

    assert ledger() == {"entry_id": row.entry_id, "index": None, "checkpoint_size": None}
    office.make_public()
    shown = ledger()
    assert shown is not None
    assert shown["index"] in (0, 1), "the gift and its fee became public together"
    assert shown["checkpoint_size"] == 2
