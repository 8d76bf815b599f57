"""Post, sequence, publish, prove: the whole way of an entry, with real commits."""

from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.ledger_world import LedgerWorld


def test_a_posted_entry_is_sequenced_published_and_proved(books: LedgerWorld) -> None:
    posted = books.post(personal={"donor_name": "Zoë Ångström", "donor_email": "zoe@example.org"})

    assert books.receipt(posted.id) is None, "not sequenced yet"
    assert books.sequence() == 1
    assert books.receipt(posted.id) is None, "not published yet"
    published = books.publish()

    assert published is not None
    text = books.receipt(posted.id)
    assert text is not None
    verified = verify_receipt(decode_receipt(text.encode()), [books.verifier])
    assert verified.entry.id == posted.id
    assert verified.opened == {"donor_name": "Zoë Ångström", "donor_email": "zoe@example.org"}
