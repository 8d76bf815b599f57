"""Self-signed TLS certificate of the API: created at start, and gone with the process.

The load balancer encrypts what it sends to a target and does not verify who that is: security groups say who can be asked.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
"""

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_NAME: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "amply-api")])
_LASTS: Final = timedelta(days=3650)
"""Longer than any task runs: nothing renews it."""
_SKEW: Final = timedelta(days=1)
"""Allowance for clocks that are behind ours."""


def self_signed_context(*, now: datetime) -> ssl.SSLContext:
    """An SSL context for a server (TLS 1.2 at least), with a new key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("amply-api")]), critical=False)
        .sign(key, SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # SSLContext loads keys from files only; this one is private, and deleted once it is read.
    with TemporaryDirectory() as folder:
        both = Path(folder) / "api.pem"
        both.touch(mode=0o600)
        both.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context.load_cert_chain(both)
    return context
