"""Ed25519 verification by the one rule of docs/ledger-format.md §5.1, on top of the library that RFC 8032 leaves choices to.

The library (OpenSSL) demands S < L, reduces the challenge modulo L and compares R byte by byte, so its equation is the one
without the cofactor. It takes public keys that the rule refuses; those are sorted out before it is asked.
"""

from typing import Final

PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_FIELD_PRIME: Final = 2**255 - 19
_LOW_255_BITS: Final = 2**255 - 1
_Y_OF_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_Y_OF_SMALL_ORDER: Final = frozenset({0, 1, _FIELD_PRIME - 1, _Y_OF_ORDER_8, _FIELD_PRIME - _Y_OF_ORDER_8})
"""The y of all eight points whose order divides 8. Those with x = 0, the only ones that a wrong sign bit could stand
beside, are among them."""


def is_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether this is a pure Ed25519 signature by the key over the message. Never raises."""
    # Here and not above: a key that has its signatures verified elsewhere needs no library for them.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 -- as said above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 -- likewise

    if len(signature) != SIGNATURE_BYTES or not _can_sign(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: the 32 bytes are no point of the curve
        return False
    return True


def _can_sign(public_key: bytes) -> bool:
    """Whether the bytes spell y in its only way, and not that of a point of small order, by which anybody could sign."""
    y = int.from_bytes(public_key, "little") & _LOW_255_BITS
    return len(public_key) == PUBLIC_KEY_BYTES and y < _FIELD_PRIME and y not in _Y_OF_SMALL_ORDER
