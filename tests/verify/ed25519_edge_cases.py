"""Signatures that verifiers of Ed25519 disagree on, made by plain arithmetic, each with the verdict of docs/ledger-format.md §5.1.

The curve is computed here with fractions in their affine form, without a library and without the code under test.
`python -m tests.verify.ed25519_edge_cases` writes `golden/ed25519.json` again; a test holds the file to this module.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)
SIGN: Final = 1 << 255

FILE: Final = Path(__file__).parent / "golden" / "ed25519.json"

Point = tuple[int, int]
IDENTITY: Final[Point] = (0, 1)


class Case(NamedTuple):
    """One signature; key, message and signature in hexadecimal."""

    name: str
    key: str
    message: str
    signature: str
    is_true: bool


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def times(scalar: int, point: Point) -> Point:
    result = IDENTITY
    for bit in f"{scalar:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def negative(point: Point) -> Point:
    return -point[0] % P, point[1]


def point_of(y: int, *, is_odd: bool) -> Point | None:
    """The point with this y, if the curve has one, whose x is odd or not (0 is even, whatever is asked)."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        return None
    return (-x % P if x % 2 != is_odd else x), y % P


def spelled(number: int) -> bytes:
    return number.to_bytes(32, "little")


def encode(point: Point) -> bytes:
    return spelled(point[1] | (point[0] % 2) * SIGN)


def challenge(commitment: bytes, key: bytes, message: bytes) -> int:
    """The 512 bits that are not yet reduced."""
    return int.from_bytes(hashlib.sha512(commitment + key + message).digest(), "little")


def found(point: Point | None) -> Point:
    assert point is not None
    return point


BASE: Final = found(point_of(4 * pow(5, -1, P) % P, is_odd=False))
OF_ORDER_8: Final = found(
    point_of(0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7, is_odd=False)
)
SMALL: Final = {8 // divisor: times(divisor, OF_ORDER_8) for divisor in (1, 2, 4)} | {1: IDENTITY}
"""A point of each order that divides 8."""


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.sha512(name.encode()).digest(), "little") % L


SECRET: Final = _digest("secret")
KEY: Final = times(SECRET, BASE)


def messages(name: str) -> Iterator[bytes]:
    return (f"{name} {number}".encode() for number in count())


def case(name: str, key: bytes, message: bytes, signature: bytes, *, is_true: bool) -> Case:
    return Case(name, key.hex(), message.hex(), signature.hex(), is_true)


def signed(
    name: str, key: bytes, commitment: bytes, *, fits: Callable[[int], bool] = lambda _: True, nonce: int
) -> tuple[bytes, bytes]:
    """The first message whose unreduced challenge fits, and the signature over it with this spelling of R."""
    for message in messages(name):
        unreduced = challenge(commitment, key, message)
        if fits(unreduced):
            return message, commitment + spelled((nonce + unreduced % L * SECRET) % L)
    raise AssertionError("there are messages enough")


def ordinary() -> Iterator[Case]:
    key, nonce = encode(KEY), _digest("ordinary")
    message, signature = signed("an ordinary signature", key, encode(times(nonce, BASE)), nonce=nonce)
    yield case("an ordinary signature", key, message, signature, is_true=True)
    yield case("over another message", key, message + b"\n", signature, is_true=False)
    yield case("by another key", encode(times(_digest("other"), BASE)), message, signature, is_true=False)
    yield case("without its last byte", key, message, signature[:-1], is_true=False)
    yield case("with a byte more", key, message, signature + b"\0", is_true=False)
    scalar = int.from_bytes(signature[32:], "little")
    for more, words in ((1, "S + L"), (8, "S + 8 L"), (15, "S + 15 L")):
        yield case(f"with {words}", key, message, signature[:32] + spelled(scalar + more * L), is_true=False)
    yield case("with S = L", key, message, signature[:32] + spelled(L), is_true=False)
    yield case("with S = 2^256 - 1", key, message, signature[:32] + b"\xff" * 32, is_true=False)
    yield case("with S = 0", key, message, signature[:32] + bytes(32), is_true=False)
    # RFC 8032 §7.1, TEST 2: made by others.
    yield case(
        "the second test of RFC 8032",
        bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
        bytes.fromhex("72"),
        bytes.fromhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        is_true=True,
    )


def commitments() -> Iterator[Case]:
    """Odd things in R, by an ordinary key."""
    key, nonce = encode(KEY), _digest("commitments")
    for order in (2, 4, 8):
        name = f"R with a part of order {order}, which the cofactor would hide"
        commitment = encode(add(times(nonce, BASE), SMALL[order]))
        yield case(name, key, *signed(name, key, commitment, nonce=nonce), is_true=False)
    name = "R is the identity"
    yield case(name, key, *signed(name, key, encode(IDENTITY), nonce=0), is_true=True)
    for order in (2, 4, 8):
        name = f"R is of order {order}, which the cofactor would hide"
        yield case(name, key, *signed(name, key, encode(SMALL[order]), nonce=0), is_true=False)
    for name, commitment in (
        ("R is the identity, spelled with y = p + 1", spelled(P + 1)),
        ("R is the identity, spelled with a sign", spelled(1 | SIGN)),
        ("R is no point", spelled(2)),
    ):
        yield case(name, key, *signed(name, key, commitment, nonce=0), is_true=False)


def mixed_keys() -> Iterator[Case]:
    """A = a·B + T with T of order 8: allowed, and true just where the equation itself holds."""
    key, nonce = encode(add(KEY, OF_ORDER_8)), _digest("mixed keys")
    commitment = encode(times(nonce, BASE))
    for name, fits, is_true in (
        ("A of mixed order, cancelled by k mod L", lambda k: k % L % 8 == 0 and k % 8 != 0, True),
        (
            "A of mixed order, cancelled by k before it is reduced",
            lambda k: k % L % 8 != 0 and k % 8 == 0,
            False,
        ),
        ("A of mixed order, cancelled by nothing", lambda k: k % L % 2 == 1 and k % 2 == 1, False),
    ):
        yield case(name, key, *signed(name, key, commitment, fits=fits, nonce=nonce), is_true=is_true)
    name = "A of mixed order, cancelled by R"
    carried = encode(add(times(nonce, BASE), negative(times(3, OF_ORDER_8))))
    signature = signed(name, key, carried, fits=lambda k: k % L % 8 == 3, nonce=nonce)
    yield case(name, key, *signature, is_true=True)


def small_keys() -> Iterator[Case]:
    """A of small order, in every spelling: the equation holds in each case, without a secret."""
    for multiple in range(8):
        yield _by_small_key(
            f"A is {multiple} times the point of order 8", encode(times(multiple, OF_ORDER_8)), multiple
        )
    for name, number, multiple in (
        ("A is the identity, spelled with y = p + 1", P + 1, 0),
        ("A is the identity, spelled with a sign", 1 | SIGN, 0),
        ("A is the identity, spelled with y = p + 1 and a sign", P + 1 | SIGN, 0),
        ("A is of order 2, spelled with a sign", P - 1 | SIGN, 4),
        ("A is of order 4, spelled with y = p", P, _multiple_at(0, is_odd=False)),
        ("A is of order 4, spelled with y = p and a sign", P | SIGN, _multiple_at(0, is_odd=True)),
    ):
        yield _by_small_key(name, spelled(number), multiple)
    yield case("A is no point", spelled(2), b"", encode(BASE) + spelled(1), is_true=False)


def _multiple_at(y: int, *, is_odd: bool) -> int:
    point = found(point_of(y, is_odd=is_odd))
    return next(multiple for multiple in range(8) if times(multiple, OF_ORDER_8) == point)


def _by_small_key(name: str, key: bytes, multiple: int) -> Case:
    """R = S·B, over a message whose challenge makes k·A nothing."""
    commitment = encode(times(_digest(name), BASE))
    message = next(
        each for each in messages(name) if challenge(commitment, key, each) % L * multiple % 8 == 0
    )
    return case(name, key, message, commitment + spelled(_digest(name)), is_true=False)


def cases() -> list[Case]:
    return [*ordinary(), *commitments(), *mixed_keys(), *small_keys()]


def text() -> str:
    return json.dumps([each._asdict() for each in cases()], indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
