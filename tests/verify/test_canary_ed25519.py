"""The canary's own verification answers as the library does, for what is true and for what is bent."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply_canary import ed25519
from ledger_format import ed25519 as package

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19
MESSAGE = b"log.example/test\n3\nroot\n"


def _signed(number: int, message: bytes = MESSAGE) -> tuple[bytes, bytes]:
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(str(number).encode()).digest())
    return key.public_key().public_bytes_raw(), key.sign(message)


@pytest.mark.parametrize("number", range(16))
def test_what_the_library_signed_is_true_for_its_own_message_alone(number: int) -> None:
    public_key, signature = _signed(number)
    assert ed25519.is_signature(public_key, signature, MESSAGE)
    assert not ed25519.is_signature(public_key, signature, MESSAGE + b"\n")
    assert not ed25519.is_signature(_signed(number + 1)[0], signature, MESSAGE)


@pytest.mark.parametrize("place", range(0, 64 * 8, 17))
def test_a_signature_with_one_bit_changed_is_false_for_both(place: int) -> None:
    public_key, signature = _signed(1)
    bent = (int.from_bytes(signature, "little") ^ (1 << place)).to_bytes(64, "little")
    assert not package.is_signature(public_key, bent, MESSAGE)
    assert not ed25519.is_signature(public_key, bent, MESSAGE)


def test_a_scalar_that_is_not_reduced_is_false() -> None:
    """RFC 8032 5.1.7: else everybody could make a second signature out of the first."""
    public_key, signature = _signed(1)
    larger = int.from_bytes(signature[32:], "little") + ORDER
    bent = signature[:32] + larger.to_bytes(32, "little")
    assert not package.is_signature(public_key, bent, MESSAGE)
    assert not ed25519.is_signature(public_key, bent, MESSAGE)


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        bytes(31),
        bytes(33),
        (2).to_bytes(32, "little"),  # no x on the curve has this y
        (1 | 1 << 255).to_bytes(32, "little"),  # x is 0 and cannot be odd
        (PRIME + 1).to_bytes(32, "little"),  # 1, spelled otherwise
    ],
)
def test_what_is_no_key_has_signed_nothing(public_key: bytes) -> None:
    assert not ed25519.is_signature(public_key, bytes(64), MESSAGE)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_what_is_no_signature_is_false(length: int) -> None:
    assert not ed25519.is_signature(_signed(1)[0], bytes(length), MESSAGE)
