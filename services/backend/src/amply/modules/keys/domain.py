"""What an API key looks like, and what is refused about one.

`sk_live_` or `sk_test_`, 30 random characters of base 62, and 6 that check them: CRC-32 of all before. So a typing error, and
somebody who guesses, is refused without asking the database, and a scanner for leaked secrets can tell a key from what merely
looks like one (as GitHub's tokens, "Behind GitHub's new authentication token formats").
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules.access import Scope

PATTERN: Final = r"sk_(?:live|test)_[0-9A-Za-z]{36}"
"""What scanners look for (docs/access.md)."""
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
KEYS_OF_A_NAME_MAX: Final = 2
KEYS_MAX: Final = 50
LIFETIME_DAYS_MAX: Final = 730
_NAME_LENGTH_MAX: Final = 100
_RANDOM: Final = 30
_CHECK: Final = 6
_KEY: Final = re.compile(PATTERN)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A key as its program sends it: 178 random bits, so that its plain digest gives nothing away."""

    text: str = field(repr=False)

    @property
    def is_live(self) -> bool:
        """Whether it moves real money."""
        return self.text.startswith("sk_live_")

    @property
    def digest(self) -> bytes:
        """What is kept of it: SHA-256 over the key, with what it is for."""
        return hashlib.sha256(b"amply/api-key/v1\0" + self.text.encode()).digest()

    @property
    def last_four(self) -> str:
        """What tells keys apart for people."""
        return self.text[-4:]

    @classmethod
    def fresh(cls, *, is_live: bool) -> "Secret":
        """One that nobody has."""
        stem = f"sk_{'live' if is_live else 'test'}_"
        stem += "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
        return cls(text=stem + check_of(stem))

    @classmethod
    def parse(cls, text: str) -> "Secret | None":
        """A key as it was sent; None when it was not made here, or not sent whole."""
        if not _KEY.fullmatch(text) or check_of(text[:-_CHECK]) != text[-_CHECK:]:
            return None
        return cls(text=text)


def check_of(stem: str) -> str:
    """CRC-32 in six digits of base 62, the highest first."""
    number, digits = zlib.crc32(stem.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as it is known after it was made: all but the secret."""

    id: str
    organization_id: str
    name: str
    last_four: str
    is_live: bool
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def works(self, *, now: datetime) -> bool:
        """Whether it lets a program in."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class KeyNotFound(NotFound):
    """The organisation has no such key."""

    code = "key_not_found"


class KeyNotAcceptable(InvalidRequest):
    """No key can be called so."""

    code = "key_not_acceptable"


class TooManyKeys(Conflict):
    """Two keys of a name work already, or fifty in all."""

    code = "too_many_keys"


def name_of(text: str) -> str:
    """A key's name in one line.

    Raises:
        KeyNotAcceptable: It is empty, too long, or has characters that cannot be printed.
    """
    named = " ".join(text.split())
    if not 0 < len(named) <= _NAME_LENGTH_MAX or not named.isprintable():
        raise KeyNotAcceptable(f"Name the key in 1 to {_NAME_LENGTH_MAX} characters.", param="name")
    return named
