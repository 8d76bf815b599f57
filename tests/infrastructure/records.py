"""DNS records by name."""

from collections.abc import Mapping
from typing import Any

from tests.infrastructure.assembly import Deployed

RECORD = "AWS::Route53::RecordSet"
APEX = {"production": "amply.example", "staging": "staging.amply.example"}
"""The environments with a domain of their own, and which."""


def records(deployed: Deployed, *, apex: str | None = None) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """By type and name below the apex, `@` the apex itself; without those whose name only AWS knows."""
    apex, found = apex or APEX[deployed.name], {}
    for record in deployed.resources(RECORD):
        if isinstance(record.properties["Name"], str):
            name = record.properties["Name"].removesuffix(".").removesuffix(apex).rstrip(".") or "@"
            found[record.properties["Type"], name] = record.properties
    return found
