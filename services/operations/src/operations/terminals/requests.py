"""Validates a terminal's certificate signing request. Its private key never leaves the terminal."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_SHORTEST_RSA_BITS: Final = 2048
_LONGEST_BYTES: Final = 16_384


class UnfitRequestError(Exception):
    """No certificate can be made of it; the message says what to do."""


def read_request(text: str) -> str:
    """The request as it is handed on.

    Raises:
        UnfitRequestError: It holds a private key, is no request, is not signed by its key, or its key is too weak.
    """
    if "PRIVATE KEY" in text:
        raise UnfitRequestError(
            "This file holds a private key, which has to stay on the terminal: make a new key there, and bring the request alone."
        )
    if len(text) > _LONGEST_BYTES:
        raise UnfitRequestError(
            "This is longer than a certificate request; bring the file that the terminal made."
        )
    key = _key_of(text)
    strong = (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in {"secp256r1", "secp384r1"}
    ) or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SHORTEST_RSA_BITS)
    if not strong:
        raise UnfitRequestError(
            "Its key has to be on the curve P-256 or P-384, or RSA of 2048 bits at least: make another on the terminal."
        )
    return text


def _key_of(text: str) -> object:
    """The public key that the request is signed by."""
    unfit = UnfitRequestError(
        "This is no certificate request in PEM that its own key has signed: make it again on the terminal."
    )
    try:
        request = x509.load_pem_x509_csr(text.encode())
        is_signed = request.is_signature_valid
        key = request.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        raise unfit from error
    if not is_signed:
        raise unfit
    return key
