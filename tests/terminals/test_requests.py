"""What is taken for a certificate request: what a terminal signed with a strong key, and never the key."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from operations.terminals.requests import UnfitRequestError, read_request
from tests.terminals.device import make_request


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_a_request_is_handed_on_as_it_is(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    text = make_request(tmp_path, key=ec.generate_private_key(curve)).read_text()
    assert read_request(text) == text


def test_a_private_key_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    request = make_request(tmp_path).read_text()
    with pytest.raises(UnfitRequestError, match="has to stay on the terminal"):
        read_request((tmp_path / "key.pem").read_text() + request)


def test_a_request_that_was_changed_is_refused(tmp_path: Path) -> None:
    lines = make_request(tmp_path).read_text().splitlines()
    lines[-2] = lines[-2][:-8] + ("A" * 7 if lines[-2][-8] != "A" else "B" * 7) + lines[-2][-1]
    with pytest.raises(UnfitRequestError, match="no certificate request"):
        read_request("\n".join(lines) + "\n")


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    weak = make_request(tmp_path, key=rsa.generate_private_key(65537, 1024))  # noqa: S505 -- that is what is tried
    with pytest.raises(UnfitRequestError, match="RSA of 2048 bits at least"):
        read_request(weak.read_text())


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\n", "x" * 20_000])
def test_something_else_is_no_request(text: str) -> None:
    with pytest.raises(UnfitRequestError):
        read_request(text)
