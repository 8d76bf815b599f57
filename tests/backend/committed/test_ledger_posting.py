"""Entries are booked once, whoever posts them how often."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from amply.kernel.money import Money
from amply.modules import ledger
from ledger_format.commitments import verify_opening
from ledger_format.entries import decode
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.ledger_world import NOW, ORG, OTHER_ORG, LedgerWorld


def count(books: LedgerWorld, table: str) -> int:
    with books.app.transaction() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 -- named below


def test_the_same_key_is_booked_once(books: LedgerWorld) -> None:
    first = books.post(key="evt_1:donation.succeeded")
    again = books.post(key="evt_1:donation.succeeded")

    assert first.created
    assert not again.created
    assert again.id == first.id
    assert count(books, "entry") == count(books, "transfer") == 1


def test_the_same_key_at_the_same_moment_is_booked_once(books: LedgerWorld) -> None:
    with ThreadPoolExecutor(8) as pool:
        posted = list(pool.map(lambda _: books.post(key="k", personal={"donor_name": "Zoë"}), range(24)))

    assert len({entry.id for entry in posted}) == 1
    assert sum(entry.created for entry in posted) == 1
    assert count(books, "entry") == count(books, "transfer") == count(books, "opening") == 1


def test_the_same_key_for_something_else_is_refused(books: LedgerWorld) -> None:
    first = books.post(key="k", minor_units=2_500)

    with pytest.raises(ledger.EntryContradicts) as other_amount:
        books.post(key="k", minor_units=2_501)
    with pytest.raises(ledger.EntryContradicts):
        books.post(key="k", organization_id=OTHER_ORG)
    assert other_amount.value.entry_id == first.id
    assert count(books, "entry") == 1


def test_an_entry_of_a_rolled_back_transaction_never_was(books: LedgerWorld) -> None:
    def post_and_fail() -> None:
        with books.app.transaction() as session:
            ledger.post(session, entry=books.entry(), now=NOW, secrets=books.secrets)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        post_and_fail()

    assert count(books, "entry") == count(books, "account") == 0
    assert books.sequence() == 0


def test_accounts_are_opened_by_whoever_needs_them_first(books: LedgerWorld) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: books.post(), range(16)))

    assert count(books, "account") == 2


def test_a_reversal_names_what_it_takes_back(books: LedgerWorld) -> None:
    gift = books.post()
    amount = Money(minor_units=2_500, currency="EUR")
    back = ledger.NewTransfer(debit=f"{ORG}/gifts", credit=f"{ORG}/processor_balance", amount=amount)
    entry = replace(books.entry(), kind="donation.refunded", reverses=gift.id, transfers=(back,))

    with books.app.transaction() as session:
        refund = ledger.post(session, entry=entry, now=NOW, secrets=books.secrets)
    books.sequence()

    assert decode(books.leaves()[1]).reverses == gift.id
    assert refund.id != gift.id
    assert books.balance(f"{ORG}/gifts") == (2_500, 2_500)


def test_commitments_open_for_who_holds_the_receipt_and_only_there(books: LedgerWorld) -> None:
    posted = books.post(personal={"donor_email": "zoe@example.org"})
    books.sequence()
    books.publish()
    text_of_receipt = books.receipt(posted.id)
    assert text_of_receipt is not None
    receipt = decode_receipt(text_of_receipt.encode())
    opening = receipt.openings["donor_email"]

    committed = decode(receipt.leaf).commitments["donor_email"]
    verify_opening(field="donor_email", value="zoe@example.org", salt=opening.salt, commitment=committed)
    everything_public = b"".join(books.public_log.objects.values())
    assert b"zoe" not in everything_public
    assert opening.salt not in everything_public


def test_after_erasure_the_log_stands_and_says_nothing_more(books: LedgerWorld) -> None:
    kept = books.post(personal={"donor_name": "Ada"})
    erased = books.post(personal={"donor_name": "Zoë", "donor_email": "zoe@example.org"})
    books.sequence()
    books.publish()
    before = books.receipt(erased.id)
    assert before is not None

    with books.app.transaction() as session:
        assert ledger.erase_openings(session, entry_ids=[erased.id]) == 1
        assert ledger.erase_openings(session, entry_ids=[erased.id]) == 0

    after = books.receipt(erased.id)
    assert after is not None
    verified = verify_receipt(decode_receipt(after.encode()), [books.verifier])
    assert verified.opened == {}
    assert set(verified.entry.commitments) == {"donor_name", "donor_email"}
    old = verify_receipt(decode_receipt(before.encode()), [books.verifier])
    assert old.opened["donor_name"] == "Zoë", "a receipt given before proves what it proved"
    untouched = books.receipt(kept.id)
    assert untouched is not None
    assert verify_receipt(decode_receipt(untouched.encode()), [books.verifier]).opened == {
        "donor_name": "Ada"
    }


def test_where_an_entry_is_becomes_known_step_by_step(books: LedgerWorld) -> None:
    books.post()
    posted = books.post()

    def look() -> tuple[ledger.EntryLocation | None, ledger.Inclusion | None]:
        with books.app.transaction() as session:
            return (
                ledger.entry_location(session, entry_id=posted.id),
                ledger.inclusion(session, entry_id=posted.id),
            )

    assert look() == (None, None)
    books.sequence()
    assert look() == (None, None), "a place that no published checkpoint covers may still be nobody's to see"
    books.publish()
    location, _ = look()
    assert location is not None
    assert location.index == 1
    books.post()
    books.sequence()
    books.publish()
    assert look()[1] == ledger.Inclusion(index=1, checkpoint_size=2), "the first that covers it"
