"""The log's verifier key, derived from the signing key itself and not fetched from the log's server."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ledger_format.notes import VerifierKey
from local_cloud.cloud import Cloud
from local_cloud.failures import LocalCloudError


def write(cloud: Cloud, path: Path) -> VerifierKey:
    """Read the key and write `<origin>+<key id>+<public key>`, the text that people pin (https://c2sp.org/signed-note)."""
    origin = cloud.parameter("ledger/origin")
    answer = cloud.kms.get_public_key(KeyId=cloud.parameter("ledger/signing-key-arn"))
    public_key = load_der_public_key(answer["PublicKey"])
    if not isinstance(public_key, Ed25519PublicKey):
        raise LocalCloudError("The log's signing key is not an Ed25519 key.")
    key = VerifierKey.from_ed25519(origin, public_key.public_bytes_raw())
    path.write_text(f"{key}\n")
    return key
