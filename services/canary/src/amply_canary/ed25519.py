"""Ed25519 verification in plain Python, by the one rule of docs/ledger-format.md §5.1: the runtime has no library.

It is RFC 8032 §5.1.7 with the equation that has no cofactor, and without keys of small order. Only public things pass through here, so that nothing need take the same time for all of them. A signature takes some
milliseconds, and a run verifies a few.
"""

import hashlib
from typing import Final

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE: Final = pow(2, (_P - 1) // 4, _P)
_LOW_255: Final = 2**255 - 1
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_COFACTOR: Final = 8
_IDENTITY: Final = (1).to_bytes(_KEY_BYTES, "little")

Point = tuple[int, int, int, int]
"""Extended homogeneous coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z (§5.1.4)."""


def is_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether these 64 bytes are a pure Ed25519 signature by the 32 bytes of `public_key` over the message."""
    if len(public_key) != _KEY_BYTES or len(signature) != _SIGNATURE_BYTES:
        return False
    key = _decode(public_key)
    commitment, scalar = signature[:_KEY_BYTES], int.from_bytes(signature[_KEY_BYTES:], "little")
    # A scalar that is not reduced would be a second signature over the same message.
    if key is None or scalar >= _ORDER or _is_of_small_order(key):
        return False
    digest = hashlib.sha512(commitment + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    x, y, z, t = key
    found = _add(_times(scalar, _BASE), _times(challenge, (_P - x, y, z, _P - t)))
    return _encode(found) == commitment


def _is_of_small_order(point: Point) -> bool:
    """Whether 8 times the point is nothing: by such a key anybody could sign."""
    return _encode(_times(_COFACTOR, point)) == _IDENTITY


def _add(one: Point, other: Point) -> Point:
    """§5.1.4; complete, so that it doubles as well."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a, b = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _encode(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _P)
    return ((y * inverse % _P) | ((x * inverse % _P & 1) << 255)).to_bytes(_KEY_BYTES, "little")


def _decode(encoded: bytes) -> Point | None:
    """§5.1.3; None where the bytes are no point of the curve in their only spelling."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & _LOW_255, number >> 255
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if x * x % _P != square:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if x * x % _P != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_GENERATOR_Y: Final = 4 * pow(5, -1, _P) % _P


def _base() -> Point:
    found = _decode(_GENERATOR_Y.to_bytes(_KEY_BYTES, "little"))
    if found is None:
        raise AssertionError("The generator is a point of its curve.")
    return found


_BASE: Final = _base()
