"""`python -m amply.entrypoints.health http|heartbeat`: exits 0 when this container's process is well, otherwise 1.

Run every few seconds in every container, it imports almost nothing.
"""

import os
import ssl
import sys
import urllib.request
from typing import Final

from amply.infra.heartbeat import is_alive

_ANSWER_SECONDS_MAX: Final = 3
_OK: Final = 200


def answers() -> bool:
    """Whether the API of this container says that it is alive."""
    scheme = "https" if os.environ["AMPLY_API_TLS"] == "true" else "http"
    url = f"{scheme}://127.0.0.1:{os.environ['AMPLY_API_PORT']}/health/live"
    # Its own certificate, on the loopback interface: there is nobody else it could be.
    unverified = ssl._create_unverified_context() if scheme == "https" else None  # noqa: S323, SLF001
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS_MAX, context=unverified) as answer:
            return bool(answer.status == _OK)
    except OSError:  # refused, timed out, or an answer that is an error
        return False


def beats() -> bool:
    """Whether this container's main loop has turned within the last minute."""
    return is_alive(os.environ["AMPLY_HEARTBEAT_PATH"])


CHECKS: Final = {"http": answers, "heartbeat": beats}


def main(arguments: list[str]) -> int:
    """Run the named check."""
    if len(arguments) != 1 or arguments[0] not in CHECKS:
        sys.stderr.write("Say which check: http or heartbeat.\n")
        return 1
    return 0 if CHECKS[arguments[0]]() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
