"""Signatures of Standard Webhooks 1.0.0, asymmetric (`v1a`, Ed25519): receivers hold a public key only.

Source: standardwebhooks.com, specification 1.0.0, "Signature scheme" and "Webhook headers".
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PRIVATE: Final = "whsk_"
_PUBLIC: Final = "whpk_"


def fresh_private_key() -> str:
    """A new random private key: `whsk_` and the base64 of its 32 bytes."""
    return _PRIVATE + _base64(Ed25519PrivateKey.generate().private_bytes_raw())


def public_key_of(private_key: str) -> str:
    """The public key: `whpk_` and the base64 of its 32 bytes."""
    return _PUBLIC + _base64(_key(private_key).public_key().public_bytes_raw())


def signed_headers(
    body: bytes, *, message_id: str, private_keys: Sequence[str], now: datetime
) -> dict[str, str]:
    """Headers of one attempt: id, time (Unix seconds), and a signature by each key.

    The id stays the same however often a message is sent; it has no full stop, so that nobody can move what is signed.
    """
    timestamp = str(int(now.timestamp()))
    content = f"{message_id}.{timestamp}.".encode("ascii") + body
    signatures = [f"v1a,{_base64(_key(each).sign(content))}" for each in private_keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _key(private_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key.removeprefix(_PRIVATE)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
