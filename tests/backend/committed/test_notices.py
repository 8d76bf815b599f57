"""Donors hear that a debit was refused: once, an hour later, and only while that is so."""

import html
from datetime import timedelta

import pytest
from sqlalchemy import text

from amply.entrypoints.backlog import measure
from amply.infra.database import Database
from amply.modules import donations, mail
from amply.modules.donations import ReceiptDependencies, send_due_notices
from tests.backend.committed.test_delayed_payments import FAILED, PROCESSING, SUCCEEDED, Debits
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.world import NOW, FakeMailer, death

HOUR = timedelta(hours=1)


class Desk(Debits):
    """Debits, and the letters about them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.mailer = FakeMailer()

    def is_refused_after_days(self) -> None:
        self.stands("processing")
        self.hear(PROCESSING)
        self.stands("failed")
        self.hear(FAILED)

    def send(self, *, after: timedelta = HOUR) -> int:
        sending = ReceiptDependencies(
            database=self.database, mailer=self.mailer, secrets=SECRETS, ledger_page="https://edge.example/"
        )
        return send_due_notices(sending, now=NOW + after)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_refused_debit_is_told_once_and_claims_nothing(desk: Desk) -> None:
    desk.is_refused_after_days()
    assert desk.send(after=HOUR / 2) == 0
    assert desk.send() == 1
    assert desk.send(after=30 * 24 * HOUR) == 0

    (letter,) = desk.mailer.sent
    assert letter.to == "ada@example.org"
    assert letter.subject == "Your gift to River Trust did not arrive"
    assert "You wanted to give 25.00 EUR to River Trust" in letter.text
    assert "There is no receipt" in letter.text
    assert letter.attachments == ()
    assert all(line in html.unescape(letter.html) for line in letter.text.strip().split("\n\n"))


def test_who_pays_otherwise_meanwhile_hears_nothing_of_it(desk: Desk) -> None:
    desk.is_refused_after_days()
    desk.hear(SUCCEEDED)

    assert desk.send() == 0


def test_a_declined_card_that_was_never_on_its_way_needs_no_letter(desk: Desk) -> None:
    desk.stands("failed")
    desk.hear(FAILED)

    assert desk.rows("payment_notice") == []


def test_a_second_refusal_is_told_again(desk: Desk) -> None:
    desk.is_refused_after_days()
    desk.send()
    desk.stands("processing", "ch_2")
    desk.hear(PROCESSING)
    assert desk.send(after=2 * HOUR) == 0
    desk.stands("failed", "ch_2")
    desk.hear(FAILED)

    assert desk.send(after=2 * HOUR) == 1


def test_killed_before_it_left_it_leaves_later(desk: Desk) -> None:
    desk.is_refused_after_days()
    desk.mailer.dies_before_send = True
    with death():
        desk.send()
    desk.mailer.dies_before_send = False

    assert desk.send(after=2 * HOUR) == 1


def test_who_wants_no_letters_gets_none(desk: Desk) -> None:
    desk.is_refused_after_days()
    with desk.database.transaction() as session:
        session.execute(
            text("INSERT INTO mail_suppression VALUES (:digest, 'complaint', :now)"),
            {"digest": mail.address_digest("ada@example.org"), "now": NOW},
        )

    assert desk.send() == 0
    assert [notice.withheld for notice in desk.rows("payment_notice")] == ["suppressed"]


def test_an_erased_donor_is_told_nothing(desk: Desk) -> None:
    desk.is_refused_after_days()
    donations.erase_donor(
        desk.database, SECRETS, email_sha256=None, donation_id=desk.donation_id, now=desk.clock()
    )

    assert desk.rows("payment_notice") == []
    assert desk.send() == 0


def test_one_that_never_leaves_rings_until_somebody_acts(desk: Desk) -> None:
    desk.is_refused_after_days()
    desk.mailer.refuses = True
    for day in range(1, 11):
        assert measure(desk.database, now=NOW).exhausted_letters == 0
        desk.send(after=timedelta(days=2 * day))

    assert measure(desk.database, now=NOW + timedelta(days=90)).exhausted_letters == 1
