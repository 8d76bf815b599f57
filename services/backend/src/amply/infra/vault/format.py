"""Binary format of an encrypted value, and the associated data that binds it to its cell."""

import secrets
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amply.infra.vault.puncturable_prf import LEAF_BYTES
from amply.kernel.errors import InvariantViolation

FORMAT: Final = b"\2"
"""Format byte of values encrypted by a scope's key. `\1`: by the people secret, before there were envelope keys."""
LEAFED: Final = b"\3"
"""Format byte of values encrypted under a leaf of the scope's key tree (ADR 0129)."""

_HEAD: Final = struct.Struct(">I")
PREFIX_BYTES: Final = len(FORMAT) + _HEAD.size
LEAFED_BYTES: Final = PREFIX_BYTES + LEAF_BYTES
"""Length of the header of a value under a leaf: format, version, leaf."""
_NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class SealedBytesUnreadable(InvariantViolation):
    """Decryption failed: wrong key, wrong cell, altered bytes, or an unknown format."""


class LeafCut(SealedBytesUnreadable):
    """The value's leaf key was deleted because its donor was erased: it can never be decrypted again."""


@dataclass(frozen=True, kw_only=True)
class CellLocation:
    """The cell of an encrypted value. A copy in another table, column or row does not decrypt."""

    table: str
    column: str
    row: str

    def bound(self, scope: str) -> bytes:
        """The associated data of AES-GCM (NIST SP 800-38D §5.2.1.1). None of the parts can hold the separator."""
        return f"amply/sealed/2\0{scope}\0{self.table}\0{self.column}\0{self.row}".encode()


@dataclass(frozen=True, kw_only=True)
class Head:
    """Header of an encrypted value: key version, and its leaf if there is one."""

    version: int
    leaf: int | None = None

    def encode(self) -> bytes:
        """The header's bytes."""
        if self.leaf is None:
            return prefix(self.version)
        return leafed_prefix(self.version) + self.leaf.to_bytes(LEAF_BYTES)


def prefix(version: int) -> bytes:
    """Prefix of all values of a key version: the format byte, and the version in four bytes."""
    return FORMAT + _HEAD.pack(version)


def leafed_prefix(version: int) -> bytes:
    """The same for values encrypted under leaves. Sorts after all values of the plain format."""
    return LEAFED + _HEAD.pack(version)


def head_of(sealed: bytes) -> Head:
    """Parse a value's header.

    Raises:
        SealedBytesUnreadable: It is of no format that this release knows.
    """
    version = version_in(sealed[:PREFIX_BYTES])
    is_leafed = sealed[: len(LEAFED)] == LEAFED
    if version is None or (is_leafed and len(sealed) < LEAFED_BYTES):
        raise SealedBytesUnreadable("these bytes are not sealed in a format this release knows")
    leaf = int.from_bytes(sealed[PREFIX_BYTES:LEAFED_BYTES]) if is_leafed else None
    return Head(version=version, leaf=leaf)


def version_in(head: bytes) -> int | None:
    """The key version in a value's first bytes; None if the format has none."""
    if head[: len(FORMAT)] not in (FORMAT, LEAFED) or len(head) < PREFIX_BYTES:
        return None
    (version,) = _HEAD.unpack_from(head, len(FORMAT))
    return int(version)


def seal(key: bytes, content: bytes, *, head: Head, bound: bytes) -> bytes:
    """Encrypt by AES-256-GCM: header, random nonce (12 bytes), ciphertext, tag (16 bytes).

    With random nonces one key seals 2^32 values (NIST SP 800-38D §8.3): years of gifts, and a rotation begins anew.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    begins = head.encode()
    return begins + nonce + AESGCM(key).encrypt(nonce, content, begins + bound)


def unseal(key: bytes, sealed: bytes, *, bound: bytes) -> bytes:
    """Decrypt a value.

    Raises:
        SealedBytesUnreadable: Another key, another place, changed bytes, or a format this release does not know.
    """
    length = LEAFED_BYTES if sealed[: len(LEAFED)] == LEAFED else PREFIX_BYTES
    head, rest = sealed[:length], sealed[length:]
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + bound)
    except InvalidTag:
        raise SealedBytesUnreadable("a sealed value does not open where it stands") from None
