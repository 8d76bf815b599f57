"""Months and payments that the books have from before a database was restored: people are asked, and nothing is booked twice."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import TextClause, text
from structlog.testing import capture_logs

from amply.kernel.money import Money
from amply.modules import ledger, marketplace
from amply.modules.marketplace import AgreedAmount, Payment, TransferKind, paying, reversing, settling
from tests.backend.ledger_world import LedgerWorld
from tests.backend.revenue_world import NOVEMBER, SETTLED_AT, Revenue, euros, owner


@pytest.fixture
def revenue(books: LedgerWorld) -> Revenue:
    return Revenue(books)


def booked_alone(
    revenue: Revenue,
    kind: ledger.Kind,
    lines: ledger.postings.Lines,
    *,
    key: str,
    at: datetime,
    of: str = ledger.PLATFORM,
    reverses: str | None = None,
) -> str:
    """What was put back from the log, and stands in the books alone."""
    entry = ledger.NewEntry(
        kind=kind,
        organization_id=of,
        idempotency_key=key,
        transfers=lines,
        event_at=at,
        reference=None,
        reverses=reverses,
        reason=None if reverses is None else "volume_disputed",
    )
    with revenue.books.app.transaction() as session:
        return ledger.post(session, entry=entry, now=SETTLED_AT, secrets=revenue.books.secrets).id


def test_a_month_that_the_books_have_from_before_a_restoration_is_not_booked_again_by_itself(
    revenue: Revenue,
) -> None:
    river = owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    of_month = ledger.postings.data_settled(fee=euros(3_000), shares=euros(7_000))
    key = "restored:ent_" + "7" * 26
    lost = booked_alone(revenue, ledger.Kind.DATA_SETTLED, of_month, key=key, at=NOVEMBER.ends_at)
    with capture_logs() as logs:
        assert revenue.settles() == 0
    assert [line["reason"] for line in logs] == ["data_books_know_more"]
    with pytest.raises(marketplace.BooksKnowMore, match=lost):
        marketplace.settle(revenue.settling, contract, NOVEMBER, agreed=None, now=SETTLED_AT)
    assert len(revenue.entries()) == 2

    agreed = AgreedAmount(owed=euros(0), reason="database_restored")
    _, created = marketplace.settle(revenue.settling, contract, NOVEMBER, agreed=agreed, now=SETTLED_AT)
    assert created
    assert revenue.books.standing("platform/data_receivable").minor_units == 10_000
    assert revenue.books.standing(f"{river}/data_shares").minor_units == 0

    def note(
        way: TransferKind, minor_units: int, *, is_new: bool = False, in_books: Money | None = None
    ) -> marketplace.RecordedPayment:
        payment = Payment(
            way=way,
            party=contract.contract_id,
            amount=euros(minor_units),
            reference="E2E-1",
            happened_on=date(2026, 12, 1),
        )
        return marketplace.note_payment(
            revenue.books.app,
            revenue.books.secrets,
            payment,
            is_new=is_new,
            contract=contract,
            in_books=in_books,
            now=SETTLED_AT,
        )

    assert note(TransferKind.RECEIVED, 10_100).open_minor == -10_100, "what the books alone have is not in it"
    for is_new in (False, True):
        with pytest.raises(marketplace.BooksKnowMore, match="--in-books"):
            note(TransferKind.SENT_BACK, 100, is_new=is_new)
    with pytest.raises(marketplace.MoreThanCredit, match=r"1\.00 EUR in credit"):
        note(TransferKind.SENT_BACK, 101, in_books=euros(10_000))
    assert note(TransferKind.SENT_BACK, 100, in_books=euros(10_000)).created
    assert revenue.books.standing("platform/data_receivable").minor_units == 0

    assert revenue.settles(datetime(2027, 1, 1, 1, 0, tzinfo=UTC)) == 1, "the next month is not in doubt"


@pytest.mark.parametrize(
    ("asked", "named", "index"),
    [
        (settling._UNKNOWN, {}, "ix_entry_data_settled"),
        (paying._UNKNOWN, {"kind": "data.paid", "owner": "platform", "but": "ent_1"}, "ix_entry_data_moved"),
        (
            paying._UNKNOWN_RECEIVED,
            {
                "kind": "data.paid",
                "owner": "platform",
                "but": "ent_1",
                "currency": "EUR",
                "amount_minor": 1,
            },
            "ix_entry_data_moved",
        ),
        (
            paying._UNKNOWN_EVER,
            {"kind": "data.sent_back", "owner": "platform", "but": "ent_1"},
            "ix_entry_data_moved",
        ),
        (reversing._REVERSED, {"original": "ent_1", "kind": "data.reversed"}, "ix_entry_reverses"),
    ],
)
def test_what_nothing_names_is_found_by_an_index(
    revenue: Revenue, asked: TextClause, named: dict[str, object], index: str
) -> None:
    with revenue.books.app.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.scalars(text(f"EXPLAIN {asked.text}"), {"at": NOVEMBER.ends_at, **named}).all()
    assert index in "".join(plan)


def test_a_payment_that_the_books_have_from_before_a_restoration_is_not_booked_again_unasked(
    revenue: Revenue,
) -> None:
    river = owner(revenue, "river", "gifts")
    contract = revenue.opens("gifts")
    revenue.settles()
    day = date(2026, 12, 14)

    def put_back(way: TransferKind, key: str, amount: Money) -> str:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if way is TransferKind.RECEIVED:
            paid = ledger.postings.data_paid(amount=amount)
            return booked_alone(revenue, ledger.Kind.DATA_PAID, paid, key=key, at=at)
        passed_on = ledger.postings.data_share_paid(organization_id=river, amount=amount)
        return booked_alone(revenue, ledger.Kind.DATA_SHARE_PAID, passed_on, key=key, at=at, of=river)

    def note(
        way: TransferKind,
        party: str,
        minor_units: int,
        reference: str,
        *,
        is_new: bool = False,
        on: date = day,
    ) -> marketplace.RecordedPayment:
        return marketplace.note_payment(
            revenue.books.app,
            revenue.books.secrets,
            Payment(way=way, party=party, amount=euros(minor_units), reference=reference, happened_on=on),
            is_new=is_new,
            now=SETTLED_AT + timedelta(days=20),
        )

    for way, party, left in (
        (TransferKind.RECEIVED, contract.contract_id, 6_000),
        (TransferKind.PASSED_ON, river, 3_000),
    ):
        of_a_fact = put_back(way, f"data/{way}/{party}/E2E-1", euros(4_000))
        with pytest.raises(marketplace.PaymentContradicts, match=f"{day} .{of_a_fact}"):
            note(way, party, 4_000, "E2E-1", on=day + timedelta(days=1))
        noted = note(way, party, 4_000, "E2E-1")
        assert (noted.created, noted.open_minor) == (True, left)
        named = dict(map(tuple, revenue.rows("SELECT party, entry_id FROM data_payment")))
        assert named[party] == of_a_fact, "its own entry is found again"

        lost = put_back(way, f"restored:{way}", euros(500))
        before = revenue.entries()
        with pytest.raises(marketplace.BooksKnowMore, match=lost):
            note(way, party, 1_000, "E2E-2")
        if way is TransferKind.RECEIVED:
            other_day = day + timedelta(days=3)
            with pytest.raises(marketplace.BooksKnowMore, match=lost):
                note(way, party, 500, "E2E-3", on=other_day)
            noted = note(way, party, 600, "E2E-4", on=other_day)
            assert noted.created, "another amount on another day is not in doubt"
            before = revenue.entries()
        assert revenue.entries() == before
        assert note(way, party, 1_000, "E2E-2", is_new=True).created
        assert len(revenue.entries()) > len(before)
        assert not note(way, party, 1_000, "E2E-2").created, "what is noted stays noted"


def test_a_reversal_that_the_books_have_from_before_a_restoration_is_not_booked_again(
    revenue: Revenue,
) -> None:
    river = owner(revenue, "river", "gifts")
    revenue.opens("gifts")
    revenue.settles()
    (settled,) = revenue.settlements()

    def put_back(kind: ledger.Kind, whose: str, original: str, lines: ledger.postings.Lines) -> str:
        back, key = ledger.postings.reverse(lines), f"restored:{original}"
        return booked_alone(revenue, kind, back, key=key, at=SETTLED_AT, of=whose, reverses=original)

    share = settled["shares"][0]["entry"]
    of_month = ledger.postings.data_settled(fee=euros(3_000), shares=euros(7_000))
    of_share = ledger.postings.data_share_credited(organization_id=river, amount=euros(7_000))
    known = {
        put_back(ledger.Kind.DATA_REVERSED, ledger.PLATFORM, settled["entry"], of_month),
        put_back(ledger.Kind.DATA_SHARE_REVERSED, river, share, of_share),
    }
    before = revenue.entries()

    def reverse(reason: str) -> bool:
        return marketplace.reverse_settlement(
            revenue.books.app,
            revenue.books.secrets,
            settlement_id=settled["id"],
            reason=reason,
            now=SETTLED_AT + timedelta(days=1),
        )

    with pytest.raises(ledger.EntryContradicts):
        reverse("agreed_otherwise")
    assert (reverse("volume_disputed"), reverse("volume_disputed")) == (True, False)
    assert revenue.entries() == before
    named = revenue.rows(
        "SELECT reversal_entry_id FROM data_settlement UNION SELECT reversal_entry_id FROM data_share"
    )
    assert {row.reversal_entry_id for row in named} == known
    for account in ("platform/data_receivable", f"{river}/data_shares_receivable"):
        assert revenue.books.standing(account).minor_units == 0
