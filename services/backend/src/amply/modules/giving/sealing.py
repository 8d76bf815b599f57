"""Encrypts donors' documents at rest, under a key derived from the secret of donor links."""

import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from amply.modules.recurring import LinkKey

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


def seal(key: LinkKey, content: bytes, *, document_id: str) -> bytes:
    """Encrypt by AES-256-GCM, bound to the document: nonce, ciphertext, tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, content, document_id.encode())


def unseal(key: LinkKey, sealed: bytes, *, document_id: str) -> bytes:
    """Decrypt a document.

    Raises:
        cryptography.exceptions.InvalidTag: Another key, another document, or changed bytes.
    """
    return _cipher(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], document_id.encode())


def _cipher(key: LinkKey) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"amply/donor-document/v1")
    return AESGCM(derivation.derive(key.secret))
