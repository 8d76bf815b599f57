"""What a buyer of released data paid too much goes back to it: booked once, and never more than it has in credit."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules import ledger, marketplace, organizations
from amply.modules.marketplace import AgreedAmount, Payment, Period, RecordedPayment, TransferKind
from amply_verify.cli import cli
from amply_verify.outcome import Exit
from tests.backend.committed.test_reconcile import publish
from tests.backend.ledger_world import LedgerWorld
from tests.backend.revenue_world import NOVEMBER, SETTLED_AT, Revenue

NOTED_AT = SETTLED_AT + timedelta(days=20)
DAY = date(2026, 12, 14)


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


class Buyer:
    """One whose November came to 100.00 EUR."""

    def __init__(self, books: LedgerWorld) -> None:
        self.revenue = Revenue(books)
        with books.app.transaction() as session:
            self.seller = organizations.create(
                session, name="River", slug="river", country="DE", now=SETTLED_AT
            ).id
        self.revenue.control.owners["gifts"] = self.seller
        self.contract_id = self.revenue.opens("gifts").contract_id
        self.revenue.settles()

    def notes(
        self,
        way: TransferKind,
        minor_units: int,
        reference: str,
        *,
        is_new: bool = False,
        also_of_another: bool = False,
        day: date = DAY,
        now: datetime = NOTED_AT,
        contract_id: str = "",
        in_books: Money | None = None,
    ) -> RecordedPayment:
        party = contract_id or self.contract_id
        return marketplace.note_payment(
            self.revenue.books.app,
            self.revenue.books.secrets,
            Payment(
                way=way,
                party=party,
                amount=euros(minor_units),
                reference=reference,
                happened_on=day,
            ),
            is_new=is_new,
            also_of_another=also_of_another,
            contract=self.revenue.control.contracts[party],
            in_books=in_books,
            now=now,
        )

    def reverses(self) -> None:
        marketplace.reverse_settlement(
            self.revenue.books.app,
            self.revenue.books.secrets,
            settlement_id=self.revenue.settlements()[0]["id"],
            reason="volume_disputed",
            now=NOTED_AT,
        )

    def settles(self, minor_units: int, reason: str = "volume_disputed") -> None:
        contract = self.revenue.control.contracts[self.contract_id]
        agreed = AgreedAmount(owed=euros(minor_units), reason=reason)
        assert marketplace.settle(self.revenue.settling, contract, NOVEMBER, agreed=agreed, now=NOTED_AT)[1]

    def held(self) -> tuple[int, int]:
        """What buyers owe, and what is in the platform's bank of theirs."""
        names = ("platform/data_receivable", "platform/offline_received")
        owed, bank = (self.revenue.books.standing(name).minor_units for name in names)
        return owed, bank


@pytest.fixture
def buyer(books: LedgerWorld) -> Buyer:
    return Buyer(books)


def test_what_was_paid_too_much_is_sent_back_once_by_its_reference(buyer: Buyer) -> None:
    assert buyer.notes(TransferKind.RECEIVED, 12_500, "E2E-1").open_minor == -2_500
    first = buyer.notes(TransferKind.SENT_BACK, 2_000, "BACK-1")
    assert (first.created, first.open_minor) == (True, -500)
    again = buyer.notes(TransferKind.SENT_BACK, 2_000, "BACK-1")
    assert (again.id, again.created, again.open_minor) == (first.id, False, -500)
    with pytest.raises(marketplace.PaymentContradicts):
        buyer.notes(TransferKind.SENT_BACK, 500, "BACK-1")
    assert buyer.revenue.entries()[-1] == (
        *("data.sent_back", "platform/data_receivable", "platform/offline_received"),
        2_000,
    )
    assert buyer.notes(TransferKind.SENT_BACK, 500, "E2E-1").open_minor == 0, (
        "another way has references of its own"
    )
    assert buyer.held() == (0, 10_000)
    assert not buyer.notes(TransferKind.SENT_BACK, 2_000, "BACK-1").created, "all is back, and it stays noted"


def test_no_more_is_sent_back_than_the_buyer_has_in_credit(buyer: Buyer) -> None:
    for paid, most in ((9_000, "0.00 EUR"), (1_001, "0.01 EUR")):
        buyer.notes(TransferKind.RECEIVED, paid, f"E2E-{paid}")
        before = buyer.revenue.entries()
        with pytest.raises(marketplace.MoreThanCredit, match=f"has {most} in credit"):
            buyer.notes(TransferKind.SENT_BACK, 2, "BACK-1")
        assert buyer.revenue.entries() == before
    assert buyer.notes(TransferKind.SENT_BACK, 1, "BACK-1").open_minor == 0


def test_a_month_that_was_paid_and_reversed_is_sent_back_whole(buyer: Buyer) -> None:
    buyer.notes(TransferKind.RECEIVED, 6_000, "E2E-1")
    buyer.reverses()
    assert buyer.notes(TransferKind.RECEIVED, 4_000, "E2E-2").open_minor == -10_000, (
        "it came after the reversal"
    )
    with pytest.raises(marketplace.MonthNotSettled, match="2026-11"):
        buyer.notes(TransferKind.SENT_BACK, 10_000, "BACK-1")
    buyer.settles(0)
    assert buyer.notes(TransferKind.SENT_BACK, 10_000, "BACK-1").open_minor == 0
    assert buyer.held() == (0, 0)


def test_money_that_the_books_have_as_sent_back_from_before_a_restoration_is_not_booked_again(
    buyer: Buyer,
) -> None:
    buyer.notes(TransferKind.RECEIVED, 12_500, "E2E-1")
    books = buyer.revenue.books

    def put_back(key: str) -> str:
        entry = ledger.NewEntry(
            kind=ledger.Kind.DATA_SENT_BACK,
            organization_id=ledger.PLATFORM,
            idempotency_key=key,
            transfers=ledger.postings.data_sent_back(amount=euros(1_000)),
            event_at=datetime.combine(DAY, time(), tzinfo=UTC),
            reference=None,
        )
        with books.app.transaction() as session:
            return ledger.post(session, entry=entry, now=SETTLED_AT, secrets=books.secrets).id

    put_back(f"data/sent_back/{buyer.contract_id}/BACK-1")
    assert buyer.notes(TransferKind.SENT_BACK, 1_000, "BACK-1").open_minor == -1_500, (
        "its own entry is found again"
    )
    lost = put_back("restored:BACK-2")
    for day in (DAY, DAY + timedelta(days=1)):
        with pytest.raises(marketplace.BooksKnowMore, match=lost):
            buyer.notes(TransferKind.SENT_BACK, 500, "BACK-3", day=day)
    assert buyer.notes(TransferKind.RECEIVED, 1, "E2E-2", day=DAY).created, "another way is not in doubt"
    before = buyer.revenue.entries()
    with pytest.raises(marketplace.BooksKnowMore, match=f"{lost}.*--in-books"):
        buyer.notes(TransferKind.SENT_BACK, 500, "BACK-3", is_new=True)
    with pytest.raises(marketplace.MoreThanCredit, match=r"has 5\.01 EUR in credit"):
        buyer.notes(TransferKind.SENT_BACK, 502, "BACK-3", is_new=True, in_books=euros(1_000))
    assert buyer.revenue.entries() == before
    assert buyer.notes(TransferKind.SENT_BACK, 500, "BACK-3", is_new=True, in_books=euros(1_000)).created
    assert buyer.notes(TransferKind.SENT_BACK, 1, "BACK-4", is_new=True, in_books=euros(0)).created, (
        "it was another's"
    )


def test_what_was_put_back_is_not_booked_again_where_months_were_lost_too(buyer: Buyer) -> None:
    """What such a contract owes by the books alone says nothing of whether its payment is a new one."""
    buyer.notes(TransferKind.RECEIVED, 12_500, "E2E-1")
    buyer.reverses()
    buyer.settles(0, "database_restored")
    books = buyer.revenue.books
    entry = ledger.NewEntry(
        kind=ledger.Kind.DATA_SENT_BACK,
        organization_id=ledger.PLATFORM,
        idempotency_key="restored:BACK-7",
        transfers=ledger.postings.data_sent_back(amount=euros(1_000)),
        event_at=datetime.combine(DAY, time(), tzinfo=UTC),
        reference=None,
    )
    with books.app.transaction() as session:
        lost = ledger.post(session, entry=entry, now=SETTLED_AT, secrets=books.secrets).id
    before = buyer.revenue.entries()
    with pytest.raises(marketplace.BooksKnowMore, match=lost):
        buyer.notes(TransferKind.SENT_BACK, 1_000, "BACK-7", in_books=euros(10_000))
    assert buyer.revenue.entries() == before


def test_one_reference_is_one_day_and_one_contract(buyer: Buyer) -> None:
    other = buyer.revenue.opens("gifts", buyer="other-research").contract_id
    buyer.revenue.settles()
    for contract_id, reference in ((buyer.contract_id, "E2E-1"), (other, "E2E-2")):
        buyer.notes(TransferKind.RECEIVED, 12_500, reference, contract_id=contract_id)
    buyer.notes(TransferKind.SENT_BACK, 1_000, "OUT-16")
    before = buyer.revenue.entries()
    for way, reference, amount in (
        (TransferKind.RECEIVED, "E2E-1", 12_500),
        (TransferKind.SENT_BACK, "OUT-16", 1_000),
    ):
        with pytest.raises(marketplace.PaymentContradicts, match=f"on {DAY}"):
            buyer.notes(way, amount, reference, day=DAY + timedelta(days=3))
    shared = ((TransferKind.RECEIVED, "E2E-1", -3_000), (TransferKind.SENT_BACK, "OUT-16", -2_500))
    for way, reference, _ in shared:
        for is_new in (False, True):
            with pytest.raises(marketplace.ReferenceKnown, match=f"{buyer.contract_id}.*--also-of-another"):
                buyer.notes(way, 500, reference, contract_id=other, is_new=is_new)
    assert buyer.revenue.entries() == before
    for way, reference, left in shared:
        noted = buyer.notes(way, 500, reference, contract_id=other, also_of_another=True)
        assert (noted.created, noted.open_minor) == (True, left)
        assert not buyer.notes(way, 500, reference, contract_id=other).created, "what is noted stays noted"


def test_a_month_that_is_over_and_not_settled_is_no_credit(buyer: Buyer) -> None:
    buyer.notes(TransferKind.RECEIVED, 20_000, "E2E-1")
    over = Period(2026, 12).ends_at
    for late in (timedelta(), timedelta(minutes=59), timedelta(days=60)):
        with pytest.raises(marketplace.MonthNotSettled, match="2026-12"):
            buyer.notes(TransferKind.SENT_BACK, 10_000, "BACK-1", now=over + late)
    buyer.revenue.settles(over + timedelta(hours=1))
    later = over + timedelta(hours=2)
    with pytest.raises(marketplace.MoreThanCredit):
        buyer.notes(TransferKind.SENT_BACK, 1, "BACK-1", now=later)
    buyer.notes(TransferKind.RECEIVED, 100, "E2E-2", now=later)
    assert buyer.notes(TransferKind.SENT_BACK, 100, "BACK-1", now=later).open_minor == 0


def test_while_a_month_is_settled_nobody_counts_its_buyers_credit(buyer: Buyer) -> None:
    buyer.revenue.control.owners["visits"] = "platform"
    contract = buyer.revenue.opens("visits", buyer="other-research")
    held: list[bool] = []

    def people(_session: Session, _until: datetime) -> Mapping[str, int]:
        """Asked for in the transaction that settles."""
        with buyer.revenue.books.app.engine.begin() as other:
            asked = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
            held.append(not other.scalar(asked, {"name": f"amply/data/paid/{contract.contract_id}"}))
        return {buyer.seller: 20}

    settling = replace(buyer.revenue.settling, people=people)
    assert marketplace.settle(settling, contract, NOVEMBER, agreed=None, now=SETTLED_AT)[1]
    assert held == [True]


def test_two_who_send_the_same_credit_back_at_once_do_not_both(buyer: Buyer) -> None:
    buyer.notes(TransferKind.RECEIVED, 12_500, "E2E-1")
    together = threading.Barrier(2, timeout=30)
    done: list[str] = []

    def send(reference: str) -> None:
        together.wait()
        try:
            buyer.notes(TransferKind.SENT_BACK, 2_500, reference)
        except marketplace.MoreThanCredit:
            done.append("refused")
        else:
            done.append("sent")

    threads = [threading.Thread(target=send, args=(name,)) for name in ("BACK-1", "BACK-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["refused", "sent"]
    assert buyer.held() == (0, 10_000)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_whoever_audits_the_log_accepts_money_sent_back(buyer: Buyer, tmp_path: Path) -> None:
    buyer.notes(TransferKind.RECEIVED, 12_500, "E2E-1")
    buyer.notes(TransferKind.SENT_BACK, 2_500, "BACK-1")
    books = buyer.revenue.books
    publish(books, tmp_path)
    audited = CliRunner().invoke(cli, ["audit", str(tmp_path), "--key", str(books.verifier), "--json"])
    assert audited.exit_code == Exit.VERIFIED, audited.output
