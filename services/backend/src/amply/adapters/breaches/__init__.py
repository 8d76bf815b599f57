"""HTTP client for a list of leaked passwords, in the format of haveibeenpwned.com/API/v3#PwnedPasswords."""

import time
from collections.abc import Collection
from typing import Final

import httpx2
import structlog

from amply.infra.database import forbid_transaction

_SECONDS_MAX: Final = 1.5
_BYTES_MAX: Final = 262_144
"""A range has about 2,000 lines of 40 bytes, including padding."""

_log = structlog.get_logger()


class HttpBreachList:
    """Fetches all leaked digests with a five-digit prefix. On failure it returns none, and logs that."""

    def __init__(self, *, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(_SECONDS_MAX),
            follow_redirects=False,
            trust_env=False,
            # Padding hides the response's length, and so which range was requested.
            headers={"User-Agent": "amply", "Add-Padding": "true"},
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def suffixes_of(self, prefix: str) -> Collection[str]:
        forbid_transaction("breach list: range")
        try:
            return self._asked(prefix)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            _log.warning("breach_list_away", error=type(error).__name__)
            return ()

    def _asked(self, prefix: str) -> Collection[str]:
        deadline = time.monotonic() + _SECONDS_MAX
        received = bytearray()
        with self._client.stream("GET", f"{self._url}/range/{prefix}") as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > _BYTES_MAX or time.monotonic() > deadline:
                    raise ValueError("the answer is too long, or took too long")
        # Padding entries have the count 0.
        lines = (line.partition(":") for line in received.decode("ascii").splitlines())
        return {suffix.strip().upper() for suffix, _, count in lines if count.strip() not in ("", "0")}
