"""Somebody is told of a gift made for another: once, after it has arrived, and then forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from amply.entrypoints.backlog import measure
from amply.modules.donations import DedicationDependencies, erase_donor, send_due_dedications
from amply.modules.donations.domain import Donor
from amply.modules.donations.models import DonationRow
from amply.modules.donations.options import Anonymity, Dedication, DedicationKind, GiftOptions, Recipient
from amply.modules.mail import address_digest
from amply.modules.receipts import Company, Language, is_name_alone
from tests.backend.committed.test_donate import Desk
from tests.backend.committed.test_gift_options import takes_anonymous_gifts
from tests.backend.committed.test_mail_feedback import BOUNCE, heard
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.ledger_world import LedgerWorld
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.world import NOW, death

ANN = "ann@example.org"


def dedicated(email: str = ANN, **changes: Any) -> GiftOptions:
    anonymity = changes.pop("anonymity", Anonymity.PUBLIC)
    said = {"kind": DedicationKind.IN_MEMORY_OF, "honouree": "Grace Hopper", **changes}
    notify = Recipient(name="Ann", email=email)
    return GiftOptions(anonymity=anonymity, dedication=Dedication(**said, notify=notify))


class Parlour(ReceiptOffice):
    """An organisation, its donors, and those who are told of gifts."""

    def tell(self, *, later: timedelta = timedelta()) -> int:
        parts = DedicationDependencies(database=self.database, mailer=self.mailer)
        return send_due_dedications(parts, now=NOW + later)

    def row(self) -> Any:
        (found,) = self.rows("dedication")
        return found


@pytest.fixture
def parlour(books: LedgerWorld) -> Parlour:
    return Parlour(books)


def test_nobody_is_told_of_a_gift_that_has_not_arrived(parlour: Parlour) -> None:
    Desk.give(parlour, options=dedicated())

    assert parlour.tell() == 0


def test_who_is_told_reads_names_and_no_amount_and_is_forgotten(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())

    assert parlour.tell() == 1
    (mail,) = parlour.mailer.sent
    assert (mail.to, mail.subject) == (ANN, "A gift in memory of Grace Hopper")
    told = " ".join(mail.text.split())
    assert "Dear Ann, Ada has made a gift to River Trust in memory of Grace Hopper" in told
    for said in (mail.text, mail.html):
        assert [leak for leak in ("25", "EUR", "http", "ada@") if leak in said] == []
    assert (parlour.row().recipient_name, parlour.row().recipient_email) == (None, None)
    assert parlour.tell(later=timedelta(days=30)) == 0
    assert len(parlour.mailer.sent) == 1


def test_a_letter_is_in_the_donors_language_and_names_the_company(parlour: Parlour) -> None:
    parlour.gives(
        options=dedicated(kind=DedicationKind.IN_HONOUR_OF),
        company=Company(name="Ångström & Söhne"),
        language=Language.DE,
    )
    parlour.tell()

    (mail,) = parlour.mailer.sent
    assert "Ångström & Söhne hat zu Ehren von Grace Hopper" in " ".join(mail.text.split())
    assert "Ångström &amp; Söhne" in mail.html


def test_who_gives_anonymously_is_not_named_in_the_letter(parlour: Parlour) -> None:
    takes_anonymous_gifts(parlour.database, parlour.organization_id)
    parlour.gives(options=dedicated(anonymity=Anonymity.ORGANIZATION))
    parlour.tell()

    assert "Somebody who would rather not be named has made a gift" in " ".join(
        parlour.mailer.sent[0].text.split()
    )
    assert "Ada" not in parlour.mailer.sent[0].text


@pytest.mark.parametrize("name", ["Win at https://evil.example", "evil.example", "x" * 101])
def test_a_donors_name_that_leads_away_stands_in_no_letter(name: str, parlour: Parlour) -> None:
    parlour.gives(options=dedicated(), donor=Donor(name=name, email="ada@example.org"))
    parlour.tell()

    (mail,) = parlour.mailer.sent
    assert name not in mail.text
    assert name not in mail.html
    assert "Somebody who would rather not be named" in " ".join(mail.text.split())


@pytest.mark.parametrize("name", ["J.R.R. Tolkien", "Martin Luther King Jr.", "O'Neill & Sons, Inc."])
def test_a_name_with_dots_is_a_name(name: str) -> None:
    assert is_name_alone(name)


def test_killed_while_handing_over_it_is_not_sent_twice_and_forgotten_a_day_later(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())
    parlour.mailer.dies_after_send = True
    with death():
        parlour.tell()
    parlour.mailer.dies_after_send = False

    assert parlour.tell(later=timedelta(hours=1)) == 0
    assert len(parlour.mailer.sent) == 1
    assert parlour.row().recipient_email == ANN
    assert parlour.tell(later=timedelta(days=2)) == 0
    assert parlour.row().recipient_email is None


def test_what_the_mail_service_refuses_is_tried_again_five_times_and_no_more(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())
    parlour.mailer.refuses = True
    for attempt in range(1, 8):
        assert parlour.tell(later=timedelta(hours=attempt)) == 0
    assert (parlour.row().attempts, parlour.row().recipient_email) == (5, None)
    given_up = NOW + timedelta(hours=6)
    assert measure(parlour.database, now=given_up).exhausted_letters == 1
    assert measure(parlour.database, now=given_up + timedelta(days=1)).exhausted_letters == 0, (
        "nobody is left to write to"
    )

    parlour.mailer.refuses = False
    assert parlour.tell(later=timedelta(days=9)) == 0
    assert parlour.mailer.sent == []


def test_one_that_was_refused_leaves_later_and_holds_back_no_other(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())
    parlour.mailer.refuses = True
    parlour.tell()
    parlour.mailer.refuses = False
    parlour.gives(options=dedicated("bob@example.org"))

    assert parlour.tell() == 1, "the first one waits its turn"
    assert parlour.tell(later=timedelta(minutes=3)) == 1
    assert sorted(mail.to for mail in parlour.mailer.sent) == [ANN, "bob@example.org"]


def test_who_wants_no_letters_gets_none(parlour: Parlour) -> None:
    heard(parlour, BOUNCE)
    parlour.gives(options=dedicated("ada@example.org"))

    assert parlour.tell() == 0
    assert (parlour.row().withheld, parlour.row().recipient_email) == ("suppressed", None)


def test_one_address_gets_three_a_day(parlour: Parlour) -> None:
    for _ in range(4):
        parlour.gives(options=dedicated(ANN.upper()))

    assert parlour.tell() == 3
    assert sorted(str(row.withheld) for row in parlour.rows("dedication")) == ["None"] * 3 + ["too_many"]


def test_nobody_is_told_of_a_gift_that_went_back(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())
    with parlour.database.transaction() as session:
        session.execute(text("UPDATE donation SET refunded_minor_units = minor_units"))

    assert parlour.tell() == 0
    assert parlour.row().withheld == "given_back"


def test_with_the_donor_everything_of_the_dedication_is_erased(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())
    erase_donor(
        parlour.database,
        SECRETS,
        email_sha256=address_digest("ada@example.org"),
        donation_id=None,
        now=NOW,
    )

    assert parlour.rows("dedication") == []
    assert parlour.tell() == 0


def test_who_was_to_be_told_is_erased_alone_and_the_gift_stays(parlour: Parlour) -> None:
    parlour.gives(options=dedicated())
    done = erase_donor(parlour.database, SECRETS, email_sha256=address_digest(ANN), donation_id=None, now=NOW)

    assert (done.gifts, done.dedications) == (0, 1)
    row = parlour.row()
    assert (row.recipient_name, row.recipient_email, row.recipient_sha256) == (None, None, None)
    assert row.honouree == "Grace Hopper"
    assert parlour.tell() == 0
    with parlour.database.transaction() as session:
        assert session.scalars(select(DonationRow)).one().donor_name == "Ada"
    (record,) = parlour.rows("erasure")
    assert (record.gifts, record.dedications) == (0, 1)
