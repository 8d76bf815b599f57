"""Is this receipt true? Needs the file and a key, and no network."""

from collections.abc import Sequence

from amply_verify.sources import read_file
from ledger_format.notes import VerifierKey
from ledger_format.receipts import MAX_RECEIPT_BYTES, VerifiedReceipt, decode_receipt, verify_receipt


def check_receipt(name: str, keys: Sequence[VerifierKey]) -> VerifiedReceipt:
    """Read and verify a receipt file.

    Raises:
        CheckFailure: It cannot be read.
        FormatError: It is malformed or not true.
    """
    return verify_receipt(decode_receipt(read_file(name, limit=MAX_RECEIPT_BYTES)), keys)
