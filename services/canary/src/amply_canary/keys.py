"""The log's key as KMS holds it: KMS verifies, so no library for signatures has to be carried along."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from amply_canary.checks import Unwell
from ledger_format.notes import VerifierKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
_ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
"""How the DER of an Ed25519 public key begins (RFC 8410 §4); its 32 bytes follow."""


@dataclass(frozen=True)
class KmsVerifierKey(VerifierKey):
    """A log's key whose signatures are verified by the service that made them."""

    kms: "KMSClient"
    key_arn: str

    @classmethod
    def of_log(cls, origin: str, *, key_arn: str, kms: "KMSClient | None" = None) -> "KmsVerifierKey":
        """Ask for the public half of the log's signing key.

        Raises:
            Unwell: It is not an Ed25519 key.
        """
        client = kms or boto3.client("kms", config=_LIMITS)
        der = client.get_public_key(KeyId=key_arn)["PublicKey"]
        if not der.startswith(_ED25519_PREFIX):
            raise Unwell(f"{key_arn} is not an Ed25519 key.")
        return cls(origin, der.removeprefix(_ED25519_PREFIX), client, key_arn)

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's signature over the note text."""
        try:
            answer = self.kms.verify(
                KeyId=self.key_arn,
                Message=text.encode(),
                MessageType="RAW",
                Signature=signature,
                SigningAlgorithm="ED25519_SHA_512",
            )
        except self.kms.exceptions.KMSInvalidSignatureException:
            return False
        return answer["SignatureValid"]
