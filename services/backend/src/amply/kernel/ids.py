"""Identifiers: a readable prefix and 128 bits in Crockford's base 32.

`don_01k9z3v8x4e5t6y7m8n9p0q1r2`: the prefix says what it names. The bits are a UUIDv7, so that ids sort by creation
time, or nothing but random where an id is published for ever and must not tell when it was made.
"""

import re
import secrets
from typing import Final

import uuid_utils

from amply.kernel.errors import invariant

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_BODY_LENGTH: Final = 26
_ID: Final = re.compile(rf"[a-z]{{2,8}}_[{_ALPHABET}]{{{_BODY_LENGTH}}}")


def new_id(prefix: str) -> str:
    """Make a fresh identifier such as `org_…`; later ones sort after earlier ones to the millisecond."""
    return f"{prefix}_{_encode(uuid_utils.uuid7().int)}"


def new_random_id(prefix: str) -> str:
    """Make a random identifier, which does not reveal its creation time."""
    return f"{prefix}_{_encode(secrets.randbits(128))}"


def id_of(prefix: str, number: int) -> str:
    """The identifier of given 128 bits, for callers that draw them from a seed."""
    return f"{prefix}_{_encode(number)}"


def is_id(text: str, *, prefix: str) -> bool:
    """Whether `text` has the shape of an identifier with this prefix."""
    return text.startswith(f"{prefix}_") and _ID.fullmatch(text) is not None


def _encode(number: int) -> str:
    invariant(0 <= number < 1 << 128, "an identifier has 128 bits")
    digits = [_ALPHABET[(number >> shift) & 31] for shift in range(5 * (_BODY_LENGTH - 1), -1, -5)]
    return "".join(digits)
