"""Commitments to personal data: the ledger holds an HMAC, the donor holds what opens it.

Each field of each entry has a fresh random salt, so that equal values give unrelated commitments and guessing a value
is hopeless. Once value and salt are erased the commitment says nothing, and nothing in the ledger has to change.
"""

import hashlib
import hmac
import re
from typing import Final

from ledger_format.errors import CommitmentError
from ledger_format.literals import show

SALT_BYTES: Final = 32
MAX_VALUE_BYTES: Final = 4_096

_CONTEXT: Final = b"amply/commitment/v1\0"
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def commit(*, field: str, value: str, salt: bytes) -> bytes:
    """Commit to `value` under the 32-byte `salt`, which the caller takes from a secure random source.

    HMAC-SHA-256 with the salt as key over `"amply/commitment/v1" NUL field NUL length value`, the value in UTF-8 and
    its length in bytes as four big-endian bytes.

    Raises:
        CommitmentError: The field is no field name, the salt not 32 bytes, the value not UTF-8 or over 4,096 bytes.
    """
    if _FIELD.fullmatch(field) is None:
        raise CommitmentError(
            f"a field's name is lower-case letters, digits and underscores, not {show(field)}"
        )
    if len(salt) != SALT_BYTES:
        raise CommitmentError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError as failure:
        raise CommitmentError("a committed value is valid Unicode") from failure
    if len(encoded) > MAX_VALUE_BYTES:
        raise CommitmentError(
            f"a committed value has at most {MAX_VALUE_BYTES} bytes in UTF-8, not {len(encoded)}"
        )
    message = _CONTEXT + field.encode("ascii") + b"\0" + len(encoded).to_bytes(4, "big") + encoded
    return hmac.digest(salt, message, hashlib.sha256)


def verify_opening(*, field: str, value: str, salt: bytes, commitment: bytes) -> None:
    """Verify that `value` and `salt` open `commitment`.

    Raises:
        CommitmentError: They do not.
    """
    if not hmac.compare_digest(commit(field=field, value=value, salt=salt), commitment):
        raise CommitmentError(f"the {field} in the receipt is not the one that was committed to")
