"""What a sealed value looks like, and what it is bound to."""

import secrets
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amply.kernel.errors import InvariantViolation

FORMAT: Final = b"\2"
"""In front of every sealed value. `\\1` is what people's secret sealed before there were envelope keys."""

_HEAD: Final = struct.Struct(">I")
PREFIX_BYTES: Final = len(FORMAT) + _HEAD.size
_NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class SealedBytesUnreadable(InvariantViolation):
    """Another key, another place, changed bytes, or a format this release does not know."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a value stands. Copied to another table, column or row it does not open there."""

    table: str
    column: str
    row: str

    def bound(self, scope: str) -> bytes:
        """The associated data of AES-GCM (NIST SP 800-38D §5.2.1.1). None of the parts can hold the separator."""
        return f"amply/sealed/2\0{scope}\0{self.table}\0{self.column}\0{self.row}".encode()


def prefix(version: int) -> bytes:
    """What everything sealed by this version of a key begins with: the format's byte, and the version in four."""
    return FORMAT + _HEAD.pack(version)


def version_of(sealed: bytes) -> int:
    """The version of the key that sealed this.

    Raises:
        SealedBytesUnreadable: It is not of this format.
    """
    version = version_in(sealed[:PREFIX_BYTES])
    if version is None:
        raise SealedBytesUnreadable("these bytes are not sealed in a format this release knows")
    return version


def version_in(head: bytes) -> int | None:
    """The version that the first bytes of a value name; None where they are not of this format."""
    if head[: len(FORMAT)] != FORMAT or len(head) < PREFIX_BYTES:
        return None
    (version,) = _HEAD.unpack_from(head, len(FORMAT))
    return int(version)


def seal(key: bytes, content: bytes, *, version: int, bound: bytes) -> bytes:
    """AES-256-GCM: the prefix, a random nonce of 12 bytes, the ciphertext with its tag of 16.

    With random nonces one key seals 2^32 values (NIST SP 800-38D §8.3): years of gifts, and a rotation begins anew.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    head = prefix(version)
    return head + nonce + AESGCM(key).encrypt(nonce, content, head + bound)


def unseal(key: bytes, sealed: bytes, *, bound: bytes) -> bytes:
    """What was sealed.

    Raises:
        SealedBytesUnreadable: As it says.
    """
    head, rest = sealed[:PREFIX_BYTES], sealed[PREFIX_BYTES:]
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + bound)
    except InvalidTag:
        raise SealedBytesUnreadable("a sealed value does not open where it stands") from None
