"""Format of secrets with a prefix and a checksum: secret scanners recognise them, and typing errors are detected.

A prefix, 30 random characters of base 62, and 6 that check them: CRC-32 of all before. So a typing error, and somebody who
guesses, is refused without asking the database, and a scanner for leaked secrets can tell one from what merely looks like it (as
GitHub's tokens, "Behind GitHub's new authentication token formats").
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 30
_CHECK: Final = 6
TAIL: Final = rf"[0-9A-Za-z]{{{_RANDOM + _CHECK}}}"
"""Regular expression of what follows the prefix."""


@dataclass(frozen=True)
class CheckedSecret:
    """A secret with checksum, as sent: 178 random bits, so that an unsalted digest is safe.

    A kind of secret says its `FORM` (prefix and tail, as a regular expression) and its `PURPOSE`, which its digest begins with.
    """

    FORM: ClassVar[str]
    PURPOSE: ClassVar[bytes]

    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """The stored digest: SHA-256 over the purpose and the secret."""
        return hashlib.sha256(self.PURPOSE + b"\0" + self.text.encode()).digest()

    @property
    def last_four(self) -> str:
        """The last four characters, to tell secrets apart."""
        return self.text[-4:]

    @classmethod
    def random(cls, prefix: str) -> Self:
        """A new random secret."""
        stem = prefix + "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM))
        return cls(stem + check_of(stem))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Parse a secret; None if prefix or checksum is wrong."""
        if not re.fullmatch(cls.FORM, text) or check_of(text[:-_CHECK]) != text[-_CHECK:]:
            return None
        return cls(text)


def check_of(stem: str) -> str:
    """The checksum: CRC-32 in six digits of base 62, the highest first."""
    number, digits = zlib.crc32(stem.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
