"""Structured log lines (JSON), by which metrics are filtered. File contents are never logged."""

import json
import sys
from datetime import UTC, datetime
from typing import Final

VIOLATED: Final = "k_anon_violation"
"""A release was refused by its policy; the metric `KAnonViolations` counts these lines."""
SET_ASIDE: Final = "file_set_aside"
GONE: Final = "file_gone"
FAILED: Final = "release_failed"
WAITS: Final = "release_waits"
"""It is made, and the second region does not have it yet."""
RELEASED: Final = "release_made"
REFUSED: Final = "release_refused"
NOT_TAKEN: Final = "arrivals_not_taken"
NO_ARRIVAL: Final = "message_tells_of_no_arrival"
CERTIFICATES_KEY: Final = "certificates_key"
"""The verifier key of all certificates, once at the start: whoever runs the platform publishes it."""


def say(event: str, **told: str | int) -> None:
    """Write a line."""
    line = {"event": event, "service": "releases", "timestamp": datetime.now(UTC).isoformat(), **told}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
