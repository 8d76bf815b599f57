"""Digest of a receipt's text. The database computes it from plain text and forbids changes.

Of words that are sealed it cannot see whether they change when they are sealed anew: whoever opens them compares.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from amply.kernel.errors import InvariantViolation
from amply.modules.receipts.models import IssuedReceiptRow


class ReceiptWordsChanged(InvariantViolation):
    """A decrypted receipt does not match the digest from its issuing."""


def fresh_salt() -> str:
    """A random salt, so that the digest cannot be checked against guesses; encrypted with the text."""
    return secrets.token_hex(32)


def words_of(document: Mapping[str, Any], *, salt: str) -> str:
    """SHA-256 of the salt and the document as PostgreSQL writes its `jsonb` (`receipt_words`, revision 0046)."""
    return hashlib.sha256(f"{salt}{json.dumps(_ordered(document), ensure_ascii=False)}".encode()).hexdigest()


def document_in(row: IssuedReceiptRow) -> dict[str, Any] | None:
    """A receipt's contents; None once its donor was erased.

    Raises:
        ReceiptWordsChanged: A receipt opens, and says something other than when it was issued.
    """
    document = row.document
    if document is not None and words_of(document, salt=row.salt or "") != row.words:
        raise ReceiptWordsChanged(f"receipt {row.id} does not say what it said when it was issued")
    return document


def _ordered(value: Any) -> Any:
    """Keys as `jsonb` has them: the shorter first, then by their bytes."""
    if isinstance(value, Mapping):
        keys = sorted((key.encode() for key in value), key=lambda key: (len(key), key))
        return {key.decode(): _ordered(value[key.decode()]) for key in keys}
    return [_ordered(each) for each in value] if isinstance(value, list | tuple) else value
