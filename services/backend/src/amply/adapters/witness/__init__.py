"""Client for checkpoint witnesses over HTTP (c2sp.org/tlog-witness). They are untrusted servers: bounded time and size, no
redirects.
"""

import time
from typing import Final

import httpx2

from amply.infra.database import forbid_transaction
from amply.modules.ledger import WitnessAnswer, WitnessAway
from ledger_format.cosignatures import MAX_COSIGNATURES_BYTES

SECONDS_MAX: Final = 4.0
"""Timeout of a whole response; each read has a shorter one."""

_WAITS: Final = httpx2.Timeout(SECONDS_MAX / 2)


class HttpWitness:
    """One witness, by its submission prefix without a trailing slash."""

    def __init__(self, *, address: str) -> None:
        self._url = f"{address.rstrip('/')}/add-checkpoint"
        # Ignore the machine's proxy settings and .netrc.
        self._client = httpx2.Client(
            timeout=_WAITS, follow_redirects=False, trust_env=False, headers={"User-Agent": "amply-publisher"}
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Send one request and read the whole response."""
        forbid_transaction("witness: add-checkpoint")
        deadline = time.monotonic() + SECONDS_MAX
        received = bytearray()
        try:
            with self._client.stream("POST", self._url, content=body) as response:
                for chunk in response.iter_raw():
                    received += chunk
                    if len(received) > MAX_COSIGNATURES_BYTES:
                        raise WitnessAway(f"its answer is longer than {MAX_COSIGNATURES_BYTES} bytes")
                    if time.monotonic() > deadline:
                        raise WitnessAway("its answer took too long")
                return WitnessAnswer(
                    status=response.status_code,
                    content_type=response.headers.get("Content-Type", ""),
                    body=received.decode(),
                )
        except UnicodeDecodeError as error:
            raise WitnessAway("its answer is no text") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise WitnessAway(str(error) or type(error).__name__) from error
