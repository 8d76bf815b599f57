"""Keys of a log as people pin them, each former one with the size of the last tree that it signed.

A key that signs no more may still be stolen, or brought back to life by whoever held it: without its last size it would
make a second history of the log look as true as the first, to everybody who kept it for old receipts.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Final

from ledger_format.errors import NoteError
from ledger_format.literals import parse_decimal
from ledger_format.notes import NoteSignature, VerifierKey

MAX_KEY_LIST_BYTES: Final = 65_536
MAX_LISTED_KEYS: Final = 64

_DIGITS: Final = re.compile(r"[0-9]+")
_AROUND_A_LINE: Final = " \t\r"
"""What may stand around a key; the last of them for files whose lines end as Windows has them."""


@dataclasses.dataclass(frozen=True, slots=True)
class FormerKey:
    """A key that a log signed with before; on a tree of more than `last_size` entries its signature means nothing."""

    key: VerifierKey
    last_size: int

    @property
    def name(self) -> str:
        """The log's origin."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """As the key's own."""
        return self.key.key_id

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether the signature is this key's over the text, whatever tree it speaks of."""
        return self.key.verify(text, signature)

    def __str__(self) -> str:
        """Write the key as `parse_log_key` reads it."""
        return f"{self.last_size} {self.key}"


LogKey = VerifierKey | FormerKey


def parse_log_key(text: str) -> LogKey:
    """Read a line of a key list: a verifier key or, for a former one, its last tree's size, a space, and the key.

    Raises:
        NoteError: It is malformed.
    """
    size, space, key = text.partition(" ")  # no key has a space in it
    if not (space and _DIGITS.fullmatch(size)):
        return VerifierKey.parse(text)
    return FormerKey(VerifierKey.parse(key), parse_decimal(size, what="a last size", error=NoteError))


def parse_key_list(text: str) -> list[LogKey]:
    """Read a key list (docs/ledger-format.md 5.3): a key a line; empty lines and those that begin with `#` say nothing.

    Raises:
        NoteError: A line is something else, or there are too many.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_KEY_LIST_BYTES:
        raise NoteError(f"a key list has at most {MAX_KEY_LIST_BYTES} bytes")
    # By newlines alone: what other characters end a line differs from reader to reader, and a comment is a line.
    lines = (line.strip(_AROUND_A_LINE) for line in text.split("\n"))
    keys = [parse_log_key(line) for line in lines if line and not line.startswith("#")]
    if len(keys) > MAX_LISTED_KEYS:
        raise NoteError(f"a key list has at most {MAX_LISTED_KEYS} keys")
    return keys


def signers_in_time(
    signatures: Iterable[NoteSignature], size: int, keys: Sequence[LogKey]
) -> set[tuple[str, bytes]]:
    """Who signed, by name and key id, without former keys that had ended before a tree of this size.

    A key that is given twice, with a size and without or with two of them, ended at the smallest.
    """
    signed = {signature.signer for signature in signatures}
    ended = {(key.name, key.key_id) for key in keys if isinstance(key, FormerKey) and size > key.last_size}
    return signed - ended


def last_size_signed(signatures: Iterable[NoteSignature], keys: Sequence[LogKey]) -> int | None:
    """The largest last size of the former keys among those that signed; None when none did."""
    signed = {signature.signer for signature in signatures}
    sizes = [key.last_size for key in keys if isinstance(key, FormerKey) and (key.name, key.key_id) in signed]
    return max(sizes, default=None)
