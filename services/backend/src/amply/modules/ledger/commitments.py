"""Encrypts the openings (salt and value) of commitments at rest, so that a copy of the database alone reveals nothing."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from amply.infra.settings import CommitmentSettings
from amply.kernel.errors import invariant
from ledger_format.receipts import Opening

_KEY_BYTES: Final = 32
_SEALED_V1: Final = b"\1"
"""Format byte (key and cipher). A rotation adds another one, and can still read the old."""

_NONCE_BYTES: Final = 12
_SALT_BYTES: Final = 32
_SECRET_LENGTH_MIN: Final = 43


class CommitmentSecrets:
    """Generates salts, and encrypts openings (AES-256-GCM), each bound to its entry.

    `key` is 32 bytes. `random` returns that many unpredictable bytes; only tests replace it.
    """

    def __init__(self, *, key: bytes, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        invariant(len(key) == _KEY_BYTES, "the commitment key has 32 bytes")
        self._aead = AESGCM(key)
        self._random = random

    @classmethod
    def from_settings(cls, settings: CommitmentSettings) -> Self:
        """Derive the key from the secret, at least 43 random characters.

        Its characters are letters and digits, not key bytes: HKDF (RFC 5869) makes 32 uniform bytes of them.
        """
        secret = settings.commitment_key.get_secret_value()
        invariant(len(secret) >= _SECRET_LENGTH_MIN, "the commitment secret is long enough to be unguessable")
        derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"amply/commitment-key/v1")
        return cls(key=derivation.derive(secret.encode()))

    def new_opening(self, value: str) -> Opening:
        """An opening of a value, with a fresh salt."""
        return Opening(value=value, salt=self._random(_SALT_BYTES))

    def seal(self, openings: Mapping[str, Opening], *, entry_id: str) -> bytes:
        """Encrypt an entry's openings for storage: a version byte, the nonce, the ciphertext with its tag."""
        plain = {field: [opening.salt.hex(), opening.value] for field, opening in openings.items()}
        nonce = self._random(_NONCE_BYTES)
        return _SEALED_V1 + nonce + self._aead.encrypt(nonce, json.dumps(plain).encode(), _bound_to(entry_id))

    def unseal(self, sealed: bytes, *, entry_id: str) -> dict[str, Opening]:
        """Decrypt an entry's stored openings.

        Raises:
            cryptography.exceptions.InvalidTag: Another key, another entry, or changed bytes.
        """
        version, nonce, ciphertext = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        invariant(version == _SEALED_V1, "openings are sealed with a version this code knows")
        plain = self._aead.decrypt(nonce, ciphertext, _bound_to(entry_id))
        return {
            field: Opening(value=value, salt=bytes.fromhex(salt))
            for field, (salt, value) in json.loads(plain).items()
        }


def _bound_to(entry_id: str) -> bytes:
    return f"amply/openings/v1\0{entry_id}".encode()
