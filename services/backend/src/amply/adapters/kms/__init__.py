"""AWS KMS: implements the ledger's signer and the vault's key wrapping. Private keys never leave the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from amply.infra.database import forbid_transaction
from amply.infra.vault import KeyWrappingAway
from amply.kernel.errors import invariant

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_WRAPPING_LIMITS: Final = Config(
    connect_timeout=2, read_timeout=3, retries={"mode": "standard", "max_attempts": 3}
)
"""Short, because a process without keys waits for this before it responds."""
_MESSAGE_BYTES_MAX: Final = 4_096
"""What `Sign` takes with MessageType RAW (docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html)."""


class KmsSigner:
    """One key of spec ECC_NIST_EDWARDS25519. Pure Ed25519: RAW messages, not their digests."""

    def __init__(self, *, key_arn: str) -> None:
        self._key_arn = key_arn
        self._client: KMSClient = boto3.client("kms", config=_LIMITS)

    def public_key(self) -> bytes:
        """The public key (32 bytes), fetched once."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Sign a message; returns 64 bytes."""
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


class KmsKeyWrapping:
    """Generates and unwraps envelope keys with one symmetric KMS key.

    Scope and version are the encryption context: what was wrapped for one scope opens for no other, and CloudTrail says
    which one was opened (docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html).
    """

    def __init__(self, *, key_arn: str) -> None:
        self._key_arn = key_arn
        self._client: KMSClient = boto3.client("kms", config=_WRAPPING_LIMITS)

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        """Generate a 32-byte key; returns it in plain and wrapped."""
        forbid_transaction("KMS: generate data key")
        with _telling_what_is_away():
            made = self._client.generate_data_key(
                KeyId=self._key_arn, KeySpec="AES_256", EncryptionContext=_context(scope, version)
            )
        return made["Plaintext"], made["CiphertextBlob"]

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        """Unwrap a 32-byte key."""
        forbid_transaction("KMS: decrypt")
        with _telling_what_is_away():
            opened = self._client.decrypt(
                KeyId=self._key_arn, CiphertextBlob=wrapped, EncryptionContext=_context(scope, version)
            )
        return opened["Plaintext"]


def _context(scope: str, version: int) -> dict[str, str]:
    return {"amply:scope": scope, "amply:version": str(version)}


@contextmanager
def _telling_what_is_away() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise KeyWrappingAway(
            f"The key service did not open or make a key ({type(error).__name__}): see docs/runbooks/alarms/personal-keys.md."
        ) from error
