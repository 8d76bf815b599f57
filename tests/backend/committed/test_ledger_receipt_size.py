"""A receipt stays small enough for any mailbox: its leaf, its openings, a proof, and three witnesses."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.apparatus.donors_receipt import receipt_bytes
from benchmarks.apparatus.huge_tree import receipt_in_a_huge_log
from ledger_format.notes import add_signatures, sign_note
from ledger_format.receipts import Receipt, decode_receipt, encode_receipt, verify_receipt
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld
from tests.backend.partners import Partner, asking, two_of

ROOT = Path(__file__).parents[3]
BYTES_MAX = 3_072
PERSONAL = {
    "donor_email": "zoe.angstroem-lindqvist@mail.example.org",
    "donor_name": "Zoë Ångström-Lindqvist",
    "donation": "don_01k9z3v8x4e5t6y7m8n9p0q1r2",
    "reference": "stripe:payment_intent:pi_3Q9exampleexampleexample",
}


@pytest.fixture
def given_out(books: LedgerWorld, three: Mapping[str, Partner]) -> Receipt:
    """What a donor is given while the log is small."""
    books.witnesses = asking(three)
    posted = books.post(personal=PERSONAL)
    books.post_many(1_000)
    books.sequence()
    books.publish()
    receipt = books.receipt(posted.id)
    assert receipt is not None
    return decode_receipt(receipt.encode())


def test_a_receipt_with_three_witnesses_leaf_and_openings_has_at_most_3_kb(given_out: Receipt) -> None:
    assert given_out.checkpoint_note.count("\n— ") == 4
    assert len(given_out.openings) == 4
    assert len(encode_receipt(given_out)) <= BYTES_MAX


def in_a_log_of(
    size: int, small: Receipt, books: LedgerWorld, three: Mapping[str, Partner], *opened: str
) -> bytes:
    """The same entry's receipt in a log so large, signed by the log and cosigned by all three; it verifies."""

    def sign(text: str) -> str:
        note = sign_note(text, ORIGIN, books.signer.public_key(), books.signer.sign)
        seconds = int(NOW.timestamp())
        return add_signatures(
            note, [each.witness.key.cosign(text, seconds=seconds) for each in three.values()]
        )

    openings = {field: small.openings[field] for field in opened or small.openings}
    made = receipt_in_a_huge_log(small.leaf, openings, origin=ORIGIN, size=size, sign=sign)
    raw = encode_receipt(made)
    verified = verify_receipt(decode_receipt(raw), [books.verifier], policy=two_of(three))
    assert verified.opened == {field: PERSONAL[field] for field in openings}
    assert (verified.checkpoint.size, len(verified.signed.witnessed)) == (size, 3)
    return raw


_TOLD = (
    (ROOT / "docs/benchmarks.md").read_text().partition("\nThe receipt of a gift with four commitments")[2]
)
SIZES = {
    int(size.replace(",", "")): int(told.replace(",", ""))
    for size, told in re.findall(r"^\| ([\d,]+) \| ([\d,]+) \|$", _TOLD.split("\n\n")[1], re.MULTILINE)
}
"""What docs/benchmarks.md says: a receipt's bytes by the size of the log."""


def test_the_sizes_that_are_told_are_those_of_a_receipt_and_3_kb_hold_while_the_log_is_small() -> None:
    assert {1_000, 32_768, 10**9} <= SIZES.keys()
    assert {size: receipt_bytes(size) for size in SIZES} == SIZES
    assert SIZES[32_768] <= BYTES_MAX < SIZES[10**9]


@pytest.mark.parametrize("size", [1_001, 131_072, 10**9])
def test_the_receipt_that_is_given_out_is_no_larger_than_the_one_that_is_measured(
    given_out: Receipt, books: LedgerWorld, three: Mapping[str, Partner], size: int
) -> None:
    """But for names of another length."""
    assert abs(len(in_a_log_of(size, given_out, books, three)) - receipt_bytes(size)) <= 150


def test_what_takes_the_room_in_a_log_of_a_thousand_million_is_the_proof_and_not_what_is_opened(
    given_out: Receipt, books: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    """Leaving openings out would not bring it below 3 kB, so that nobody need be given less than they can have."""
    raw = in_a_log_of(10**9, given_out, books, three, "donor_name")
    assert len(raw) > BYTES_MAX
    assert len(raw) < len(in_a_log_of(10**9, given_out, books, three)) - 300


def test_a_proof_grows_by_a_line_whenever_the_log_doubles(
    given_out: Receipt, books: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    """Base64 of a hash and a newline: 45 bytes that the format (c2sp.org/tlog-proof) leaves nobody to save."""
    sizes = [len(in_a_log_of(2**height, given_out, books, three)) for height in (20, 21, 29, 30)]
    digits = [len(str(2 * 2**height // 3)) + len(str(2**height)) for height in (20, 21, 29, 30)]
    bare = [size - digit for size, digit in zip(sizes, digits, strict=True)]
    assert [bare[1] - bare[0], bare[3] - bare[2], bare[2] - bare[0]] == [45, 45, 9 * 45]
