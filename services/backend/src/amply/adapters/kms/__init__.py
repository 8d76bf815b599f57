"""AWS KMS: implements the ledger's signer. The private key never leaves the service."""

from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from amply.infra.database import forbid_transaction
from amply.kernel.errors import invariant

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_MESSAGE_BYTES_MAX: Final = 4_096
"""What `Sign` takes with MessageType RAW (docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html)."""


class KmsSigner:
    """One key of spec ECC_NIST_EDWARDS25519. Pure Ed25519: RAW messages, not their digests."""

    def __init__(self, *, key_arn: str) -> None:
        self._key_arn = key_arn
        self._client: KMSClient = boto3.client("kms", config=_LIMITS)

    def public_key(self) -> bytes:
        """The 32 bytes of the public key; asked for once."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        forbid_transaction("KMS: sign")
        invariant(len(message) <= _MESSAGE_BYTES_MAX, "KMS signs short messages")
        answer = self._client.sign(
            KeyId=self._key_arn, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
        )
        return answer["Signature"]

    @cached_property
    def _public_key(self) -> bytes:
        forbid_transaction("KMS: get public key")
        key = load_der_public_key(self._client.get_public_key(KeyId=self._key_arn)["PublicKey"])
        if not isinstance(key, Ed25519PublicKey):
            raise TypeError(f"{self._key_arn} is not an Ed25519 key")
        return key.public_bytes_raw()
