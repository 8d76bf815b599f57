"""Parses release certificates for display, without verifying them (`amply-verify certificate` does)."""

import json

from amply.modules.seller_portal.domain import CertifiedPart


def certified_parts(content: bytes) -> list[CertifiedPart]:
    """Parse the files listed in a certificate's second line (docs/data-platform.md).

    Raises:
        ValueError: It is none.
    """
    try:
        _, line, *_ = content.decode().split("\n")
        return [
            CertifiedPart(
                file=part["file"],
                rows=part["rows"],
                people=part["people"],
                k=part["k"],
                l_min=part.get("l"),
                t_max=part.get("t"),
                loss=part["loss"],
                suppressed=part["suppressed"],
                policy=part["policy"],
            )
            for part in json.loads(line)["parts"]
        ]
    except (LookupError, TypeError) as failure:
        raise ValueError("this is no certificate of a release") from failure
