"""Deprecated routes of the API as data, and the `Deprecation` and `Sunset` header fields they send (RFC 9745, RFC 8594)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

import http_sf

from amply.kernel.errors import invariant


@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """A deprecated operation.

    Attributes:
        since: From when on (UTC).
        ends: When it may stop answering (UTC); None while nobody has decided that.
        advice: A page that says what to use instead; its address on the site, from the first slash on.
    """

    since: datetime
    ends: datetime | None = None
    advice: str

    def __post_init__(self) -> None:
        invariant(self.ends is None or self.ends > self.since, "An operation ends after it is deprecated.")

    def fields(self, *, site_url: str) -> Mapping[str, str]:
        """Header fields of the operation's responses."""
        told = {
            "Deprecation": http_sf.ser(self.since),
            "Link": f'<{site_url}{self.advice}>; rel="deprecation"; type="text/html"',
        }
        if self.ends is not None:
            told["Sunset"] = format_datetime(self.ends.astimezone(UTC), usegmt=True)
        return told


DEPRECATED: Final[Mapping[str, Deprecation]] = {}
"""By operation id. Entries stay as long as their operation responds."""
