"""Verifies signatures of the log and its witnesses in plain Python, since the runtime has no library for that."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from amply_canary import ed25519
from amply_canary.checks import Unwell
from ledger_format.cosignatures import WitnessKey
from ledger_format.errors import PolicyError
from ledger_format.notes import VerifierKey
from ledger_format.policies import Policy, parse_policy

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
_ED25519_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
"""How the DER of an Ed25519 public key begins (RFC 8410 §4); its 32 bytes follow."""


@dataclass(frozen=True, slots=True)
class PlainLogKey(VerifierKey):
    """A log's key whose signatures are verified right here.

    Not by KMS, which could: it does not say which of RFC 8032's two equations it demands.
    """

    @classmethod
    def of_log(cls, origin: str, *, key_arn: str, kms: "KMSClient | None" = None) -> "PlainLogKey":
        """Ask KMS for the public half of the log's signing key.

        Raises:
            Unwell: It is not an Ed25519 key.
        """
        client = kms or boto3.client("kms", config=_LIMITS)
        der = client.get_public_key(KeyId=key_arn)["PublicKey"]
        if not der.startswith(_ED25519_PREFIX):
            raise Unwell(f"{key_arn} is not an Ed25519 key.")
        return cls(origin, der.removeprefix(_ED25519_PREFIX))

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether `signature` is this key's signature over the note text."""
        return ed25519.is_signature(self.public_key, signature, text.encode())


@dataclass(frozen=True, slots=True)
class PlainWitnessKey(WitnessKey):
    """A witness's key whose cosignatures are verified right here."""

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether these 64 bytes are this key's over the message."""
        return ed25519.is_signature(self.public_key, signature, message)


def read_policy(text: str) -> Policy:
    """Read whom the publisher needs, as a policy whose cosignatures can be verified here.

    Raises:
        Unwell: It is no policy.
    """
    try:
        policy = parse_policy(text.encode())
    except PolicyError as error:
        raise Unwell(f"The policy that this check was given cannot be read: {error}.") from error
    witnesses = tuple(
        replace(each, key=PlainWitnessKey(each.key.name, each.key.public_key)) for each in policy.witnesses
    )
    return replace(policy, witnesses=witnesses)
