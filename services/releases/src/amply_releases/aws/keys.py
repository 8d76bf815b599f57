"""AWS KMS: HMAC keys, which never leave it, for deriving this process's keys by purpose.

The key that certificates are signed with is one of these: KMS itself signs no message above 4,096 bytes with Ed25519
(docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html), and a certificate may have 128 KiB.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Final

import boto3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply_releases.aws.calls import LIMITS

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_SIGNING: Final = "amply-release-certificate/1"


class MacKeys:
    """A key for each purpose: the HMAC-SHA-256 of its name."""

    def __init__(self, *, key_arn: str) -> None:
        self._key_arn = key_arn
        self._client: KMSClient = boto3.client("kms", config=LIMITS)
        self._made: dict[str, bytes] = {}

    def key(self, purpose: str) -> bytes:
        """The 32 bytes for a purpose; asked for once."""
        if purpose not in self._made:
            answer = self._client.generate_mac(
                KeyId=self._key_arn, Message=purpose.encode(), MacAlgorithm="HMAC_SHA_256"
            )
            self._made[purpose] = answer["Mac"]
        return self._made[purpose]


class DerivedSigner:
    """Ed25519 with the HMAC of a constant as its seed (RFC 8032), under a key that is used for nothing else."""

    def __init__(self, *, key_arn: str, name: str) -> None:
        self._keys = MacKeys(key_arn=key_arn)
        self._name = name

    @property
    def name(self) -> str:
        """What its signatures stand under."""
        return self._name

    @property
    def public_key(self) -> bytes:
        """Its 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Sign a message of any length."""
        return self._private.sign(message)

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._keys.key(_SIGNING))
