"""`python -m amply.entrypoints.database_roots BUNDLE FILE`: writes the CA certificates that database connections trust, at
image build time.

An RDS instance shows a certificate of RDS's own authorities, which AWS publishes as a bundle. RDS Proxy shows one that
chains to Amazon's public roots, which certifi has:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.
No other public authority is trusted.
"""

import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import certifi

AMAZON_ROOTS: Final = frozenset(f"Amazon Root CA {number}" for number in (1, 2, 3, 4))


def database_roots(bundle: str, *, public: str) -> str:
    """The given bundle, and Amazon's public root certificates; all PEM.

    Raises:
        SystemExit: One of Amazon's is not among the public ones.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=public)
    described, encoded = context.get_ca_certs(), context.get_ca_certs(binary_form=True)
    found = {
        _amazons(each): ssl.DER_cert_to_PEM_cert(der) for each, der in zip(described, encoded, strict=True)
    }
    if missing := AMAZON_ROOTS - found.keys():
        raise SystemExit(f"certifi has no {', '.join(sorted(missing))}: look at what its release changed.")
    return "\n".join((bundle.rstrip(), *(found[name] for name in sorted(AMAZON_ROOTS))))


def _amazons(certificate: Mapping[str, Any]) -> str:
    """The common name of one that is Amazon's; of all others nothing."""
    subject = dict(attribute for attributes in certificate["subject"] for attribute in attributes)
    return str(subject.get("commonName", "")) if subject.get("organizationName") == "Amazon" else ""


def main(arguments: Sequence[str]) -> None:
    """Read the bundle, and write the file."""
    bundle, file = (Path(each) for each in arguments)
    file.write_text(database_roots(bundle.read_text(), public=certifi.contents()))


if __name__ == "__main__":
    main(sys.argv[1:])
