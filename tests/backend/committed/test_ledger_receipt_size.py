"""A receipt stays small enough for any mailbox: its leaf, its openings, a proof, and three witnesses."""

from pathlib import Path

from ledger_format.receipts import Receipt, decode_receipt, encode_receipt
from tests.backend.ledger_world import LedgerWorld
from tests.backend.partners import asking, partners

BYTES_MAX = 3_072
DEEPEST_PROOF = 30
"""Hashes for a log of a thousand million entries."""


def test_a_receipt_with_three_witnesses_leaf_and_openings_has_at_most_3_kb(
    books: LedgerWorld, tmp_path: Path
) -> None:
    books.witnesses = asking(partners(tmp_path, books.verifier))
    personal = {
        "donor_email": "zoe.angstroem-lindqvist@mail.example.org",
        "donor_name": "Zoë Ångström-Lindqvist",
        "donation": "don_01k9z3v8x4e5t6y7m8n9p0q1r2",
        "reference": "stripe:payment_intent:pi_3Q9exampleexampleexample",
    }
    posted = books.post(personal=personal)
    books.post_many(1_000)
    books.sequence()
    books.publish()
    receipt = books.receipt(posted.id)
    assert receipt is not None
    assert receipt.count("\n— ") == 4
    assert len(receipt.encode()) <= BYTES_MAX, len(receipt.encode())


def test_how_large_the_same_would_be_in_a_log_of_a_thousand_million(
    books: LedgerWorld, tmp_path: Path
) -> None:
    """Proofs grow by a line of 45 bytes whenever the log doubles: what the format adds, computed and not hoped for."""
    books.witnesses = asking(partners(tmp_path, books.verifier))
    posted = books.post(personal={"donor_name": "Zoë"})
    books.sequence()
    books.publish()
    small = decode_receipt((books.receipt(posted.id) or "").encode())
    deep = Receipt(
        leaf=small.leaf,
        openings=small.openings,
        index=small.index,
        proof=(bytes(32),) * DEEPEST_PROOF,
        checkpoint_note=small.checkpoint_note,
    )
    assert len(encode_receipt(deep)) - len(encode_receipt(small)) == DEEPEST_PROOF * 45
