"""Gifts that never passed the processor: recorded, booked, acknowledged, corrected, and never twice."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from amply.entrypoints.admin import main
from amply.kernel.clock import system_clock
from amply.kernel.errors import NotFound
from amply.kernel.money import Money
from amply.modules import donations, ledger, organizations, receipts
from amply.modules.donations import OfflineGift, ReversalReason, record_offline, reverse_offline
from amply.modules.donations import queries as donation_queries
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, LedgerWorld
from tests.backend.world import FakeMailer

CHEQUE = donations.OfflineMethod.CHEQUE


class Office:
    """A charity's office, and the ledger's processes."""

    def __init__(self, books: LedgerWorld) -> None:
        self.books = books
        self.database = books.app
        self.mailer = FakeMailer()
        with self.database.transaction() as session:
            made = organizations.create(session, name="River Trust", slug="river", country="US", now=NOW)
        self.organization_id = made.id
        self.sending = donations.ReceiptDependencies(
            database=self.database,
            mailer=self.mailer,
            secrets=books.secrets,
            ledger_page="https://edge.example/ledger/",
        )

    def settle_in(self, jurisdiction: receipts.Jurisdiction, **said: Any) -> None:
        settings = receipts.ReceiptSettings(
            **{
                "organization_id": self.organization_id,
                "jurisdiction": jurisdiction,
                "legal_name": "River Trust Inc.",
                "registration_number": "12-3456789",
                "address": ("1 Water Street",),
                **said,
            }
        )
        with self.database.transaction() as session:
            receipts.save_settings(session, settings=settings, now=NOW)

    def gift(self, **changes: Any) -> OfflineGift:
        plain = OfflineGift(
            organization_id=self.organization_id,
            method=CHEQUE,
            amount=Money(minor_units=5000, currency="USD"),
            received_on=date(2026, 11, 20),
            reference="000123",
            donor_name="Ada Lovelace",
            donor_email="ada@example.org",
        )
        return replace(plain, **changes)

    def record(self, **changes: Any) -> str:
        return record_offline(self.database, self.books.secrets, gift=self.gift(**changes), now=NOW)

    def reverse(self, donation_id: str, reason: ReversalReason = ReversalReason.BOUNCED) -> bool:
        return reverse_offline(
            self.database, self.books.secrets, donation_id=donation_id, reason=reason, now=NOW
        )

    def publish_and_send(self, *, later: timedelta = timedelta()) -> None:
        self.books.sequence()
        self.books.publish()
        donations.send_due_receipts(self.sending, now=NOW + later)

    def entries(self) -> list[tuple[str, str, str, int]]:
        with self.database.transaction() as session:
            rows = session.execute(
                text("""
                    SELECT entry.kind, transfer.debit, transfer.credit, transfer.amount_minor
                    FROM entry JOIN transfer ON transfer.entry_id = entry.id
                    ORDER BY entry.xid, entry.id
                """)
            ).all()
        return [(row.kind, _code(row.debit), _code(row.credit), int(row.amount_minor)) for row in rows]

    def standing(self, donation_id: str) -> str:
        with self.database.transaction() as session:
            return donation_queries.get(session, donation_id=donation_id).standing

    def letter(self, number: int = -1) -> str:
        return self.mailer.sent[number].text


def _code(account: str) -> str:
    return account.partition("/")[2]


@pytest.fixture
def office(books: LedgerWorld) -> Office:
    return Office(books)


def test_a_cheque_is_booked_apart_from_what_the_processor_holds_and_gets_its_receipt(office: Office) -> None:
    office.settle_in(receipts.Jurisdiction.US)
    donation_id = office.record()

    assert office.entries() == [("donation.offline", "offline_received", "gifts", 5000)]
    office.publish_and_send()
    (sent,) = office.mailer.sent
    assert sent.to == "ada@example.org"
    assert "Receipt for a charitable contribution" in sent.text
    assert "50.00" in sent.text
    assert "The organisation received the gift itself" in " ".join(sent.text.split())
    assert "straight to the organisation's own account" not in " ".join(sent.text.split())
    with office.database.transaction() as session:
        shown = donation_queries.get(session, donation_id=donation_id)
    assert (shown.channel, shown.standing) == ("offline", "succeeded")


def test_a_thing_is_described_and_its_value_stated_nowhere_in_the_us(office: Office) -> None:
    office.settle_in(receipts.Jurisdiction.US)
    office.record(
        method=donations.OfflineMethod.IN_KIND,
        amount=Money(minor_units=123_456, currency="USD"),
        description="A piano, upright",
        reference="list 7",
    )

    assert office.entries() == [("donation.in_kind", "in_kind", "gifts_in_kind", 123_456)]
    office.publish_and_send()
    (sent,) = office.mailer.sent
    for words in (sent.subject, sent.text, sent.html):
        assert "1,234.56" not in words
    assert "A piano, upright" in sent.text
    assert "states no value" in " ".join(sent.text.split())


def test_the_same_cheque_is_recorded_once_however_it_is_written(office: Office) -> None:
    first = office.record(reference="ab 000123")

    with pytest.raises(donations.OfflineGiftKnown) as refused:
        office.record(reference="AB000123", donor_name="Somebody Else")
    assert refused.value.donation_id == first
    assert len(office.entries()) == 1
    office.record(reference="AB000123", method=donations.OfflineMethod.BANK_TRANSFER)


def test_two_who_record_one_cheque_at_once_record_it_once(office: Office) -> None:
    def record(_: int) -> str | None:
        try:
            return office.record()
        except donations.OfflineGiftKnown:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [done for done in pool.map(record, range(4)) if done is not None]
    assert len(made) == 1
    assert len(office.entries()) == 1


def test_what_was_recorded_wrongly_is_reversed_once_and_its_receipt_is_void(office: Office) -> None:
    donation_id = office.record()
    office.publish_and_send()

    assert office.reverse(donation_id)
    assert not office.reverse(donation_id), "again: nothing"
    assert office.entries()[1:] == [("donation.reversed", "gifts", "offline_received", 5000)]
    assert office.standing(donation_id) == "reversed"
    office.publish_and_send(later=timedelta(minutes=1))
    assert "has taken the gift back out of its books" in " ".join(office.letter().split())
    assert len(office.mailer.sent) == 2

    office.record(amount=Money(minor_units=5500, currency="USD"))
    assert office.entries()[2:] == [("donation.offline", "offline_received", "gifts", 5500)]


def test_one_reversed_before_its_receipt_left_sends_nothing(office: Office) -> None:
    donation_id = office.record()
    office.reverse(donation_id)
    office.publish_and_send()

    assert office.mailer.sent == []


def test_without_an_address_the_receipt_is_issued_and_printed(office: Office) -> None:
    donation_id = office.record(donor_email=None)
    with pytest.raises(receipts.ReceiptNotFound):
        donations.printed_receipt(office.sending, donation_id=donation_id, now=NOW)
    office.publish_and_send()
    assert office.mailer.sent == []

    printed = donations.printed_receipt(office.sending, donation_id=donation_id, now=NOW)
    again = donations.printed_receipt(office.sending, donation_id=donation_id, now=NOW)
    names = [each.filename for each in printed.attachments]
    assert names == [f"{donation_id}.tlog-proof", "A-000001.pdf"]
    assert printed.attachments[1].content == again.attachments[1].content


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"reference": " "}, "reference"),
        ({"reference": "x" * 61}, "reference"),
        ({"donor_name": ""}, "donor_name"),
        ({"amount": Money(minor_units=0, currency="USD")}, "amount"),
        ({"description": "A piano"}, "description"),
        ({"method": donations.OfflineMethod.IN_KIND}, "description"),
        ({"appraiser": "Somebody"}, "appraiser"),
        ({"received_on": date(2026, 11, 23)}, "received_on"),
        ({"received_on": date(2020, 1, 1)}, "received_on"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    office: Office, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(donations.OfflineGiftNotAcceptable) as refused:
        office.record(**changes)
    assert refused.value.param == param
    assert office.entries() == []


def test_nothing_is_refunded_or_reversed_the_wrong_way_round(office: Office) -> None:
    donation_id = office.record()
    refunding = donations.RefundDependencies(
        database=office.database,
        processor=office,  # type: ignore[arg-type] # nobody asks it
        secrets=office.books.secrets,
        clock=lambda: NOW,
    )
    with pytest.raises(donations.DonationNotRefundable, match="never passed the processor"):
        donations.refund(refunding, donation_id=donation_id, amount=None, reason="duplicate")  # type: ignore[arg-type] # its word
    with pytest.raises(NotFound):
        office.reverse("don_unknown")


def test_an_erased_donors_gift_keeps_its_entry_and_can_still_be_reversed(office: Office) -> None:
    donation_id = office.record()
    office.books.sequence()
    donations.erase_donor(
        office.database, office.books.secrets, email_sha256=None, donation_id=donation_id, now=NOW
    )

    with office.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM offline_gift")) == 0
        renamed = session.scalars(text("SELECT id FROM donation")).one()
    assert renamed != donation_id
    assert office.reverse(renamed)


def test_totals_show_offline_gifts_by_themselves(office: Office) -> None:
    office.record()
    office.record(
        method=donations.OfflineMethod.CASH, reference="slip 1", amount=Money(minor_units=700, currency="USD")
    )
    office.books.sequence()
    office.books.publish()
    ledger.fold_days(office.database)

    with office.database.transaction() as session:
        (row,) = session.execute(text("SELECT kind, entries, amount_minor FROM ledger_day")).all()
    assert (row.kind, row.entries, int(row.amount_minor)) == ("donation.offline", 2, 5700)


@pytest.fixture
def command(
    office: Office, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> tuple[Office, CliRunner]:
    databases.sign_commands_in(monkeypatch, user="amply_app")
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", "k" * 43)
    monkeypatch.setenv("AMPLY_EDGE_URL", "https://edge.example")
    return office, CliRunner()


def test_the_operators_command_records_prints_and_reverses(command: tuple[Office, CliRunner]) -> None:
    office, runner = command
    received = system_clock().date() - timedelta(days=30)
    words = (
        f"donation offline record --organization {office.organization_id} --method cash --amount 20.00 --currency EUR "
        f"--received {received} --from -"
    )
    address = {"lines": ["1 Street"], "city": "London", "country": "GB"}
    said = json.dumps({"reference": "slip-9", "donor": {"name": "Ada", "address": address}})
    done = runner.invoke(main, words.split(), input=said, catch_exceptions=False)
    donation_id = json.loads(done.stdout.splitlines()[-1])["id"]
    assert office.entries() == [("donation.offline", "offline_received", "gifts", 2000)]

    reversed_ = runner.invoke(
        main,
        ["donation", "offline", "reverse", donation_id, "--reason", "wrong_amount"],
        catch_exceptions=False,
    )
    assert json.loads(reversed_.stdout.splitlines()[-1]) == {"id": donation_id, "reversed": True, "now": True}
    wrong = runner.invoke(main, words.replace("20.00", "ten").split(), input=said)
    assert wrong.exit_code == 2
    assert "digits above zero" in wrong.output
