"""Columns of a revision for Spark and the catalogue. All released columns are text."""

import json
from collections.abc import Iterable, Mapping

from amply_lake import Policy


def schema_of(columns: Iterable[str]) -> str:
    """Spark's JSON (github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format)."""
    fields = [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in columns]
    return json.dumps({"type": "struct", "fields": fields})


def catalogued(columns: Iterable[str]) -> Mapping[str, str]:
    """Names and types as Glue has them."""
    return dict.fromkeys(columns, "string")


def together(policy: Policy, *earlier: Iterable[str]) -> list[str]:
    """A policy's columns, and those that only earlier batches have."""
    return list(dict.fromkeys([*policy.released, *(name for columns in earlier for name in columns)]))
