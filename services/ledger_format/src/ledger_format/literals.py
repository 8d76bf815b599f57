"""Numbers, hashes, names and base64 as they stand in text: exactly one spelling each, everything else refused."""

import base64
import binascii
import hashlib
import re
from typing import Final

from ledger_format.errors import FormatError

HASH_BYTES: Final = 32
# Sizes, indexes and amounts fit a signed 64-bit integer, the widest that every database and language has.
MAX_INTEGER: Final = 2**63 - 1
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()  # RFC 6962 §2.1: the hash of an empty list

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ORIGIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:/-]{0,198}[A-Za-z0-9])?")


def parse_decimal(text: str, *, what: str, error: type[FormatError]) -> int:
    """Read a non-negative ASCII decimal without leading zeros, at most 2^63-1."""
    if _DECIMAL.fullmatch(text) is None or (number := int(text)) > MAX_INTEGER:
        raise error(
            f"{what} must be a decimal from 0 to {MAX_INTEGER} without leading zeros, not {show(text)}"
        )
    return number


def check_integer(number: int, *, what: str, error: type[FormatError], minimum: int = 0) -> None:
    """Refuse what is not a whole number from `minimum` to 2^63-1 (`True` is not one)."""
    if type(number) is not int or not minimum <= number <= MAX_INTEGER:
        raise error(f"{what} must be a whole number from {minimum} to {MAX_INTEGER}")


def parse_hex_hash(text: str, *, what: str, error: type[FormatError]) -> bytes:
    """Read 64 lower-case hexadecimal digits as 32 bytes."""
    if _HEX_HASH.fullmatch(text) is None:
        raise error(f"{what} must be 64 lower-case hexadecimal digits, not {show(text)}")
    return bytes.fromhex(text)


def check_hash(value: bytes, *, what: str, error: type[FormatError]) -> None:
    """Refuse what is not exactly 32 bytes."""
    if len(value) != HASH_BYTES:
        raise error(f"{what} must be {HASH_BYTES} bytes")


def parse_base64(text: str, *, what: str, error: type[FormatError]) -> bytes:
    """Read RFC 4648 §4 base64 with its padding and with zero trailing bits: one spelling for one value."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as failure:
        raise error(f"{what} is not base64") from failure
    if to_base64(value) != text:
        raise error(f"{what} is not base64 in its only spelling")
    return value


def parse_base64_hash(text: str, *, what: str, error: type[FormatError]) -> bytes:
    """Read the base64 of exactly 32 bytes."""
    value = parse_base64(text, what=what, error=error)
    check_hash(value, what=what, error=error)
    return value


def to_base64(value: bytes) -> str:
    """Write RFC 4648 §4 base64 with padding."""
    return base64.b64encode(value).decode("ascii")


def check_origin(origin: str, *, error: type[FormatError]) -> None:
    """Refuse what cannot name a log: 1 to 200 of letters, digits and `._:/-`, a letter or digit at both ends."""
    if _ORIGIN.fullmatch(origin) is None:
        raise error(f"a log's origin looks like log.example/name, not {show(origin)}")


def show(value: object) -> str:
    """Quote hostile input for a message: escaped, and short."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 -- a message stays one line
