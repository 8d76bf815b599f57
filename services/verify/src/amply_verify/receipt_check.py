"""Is this receipt true? Needs the file and a key, and no network."""

from amply_verify.keys import Trust
from amply_verify.sources import read_file
from ledger_format.receipts import MAX_RECEIPT_BYTES, VerifiedReceipt, decode_receipt, verify_receipt


def check_receipt(name: str, trusted: Trust) -> VerifiedReceipt:
    """Read and verify a receipt file.

    Raises:
        CheckFailure: It cannot be read.
        FormatError: It is malformed or not true.
    """
    receipt = decode_receipt(read_file(name, limit=MAX_RECEIPT_BYTES))
    return verify_receipt(receipt, trusted.keys, policy=trusted.policy)
