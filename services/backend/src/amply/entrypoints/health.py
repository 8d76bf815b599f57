"""`python -m amply.entrypoints.health http|heartbeat`: container health check, exit code 0 or 1.

Run every few seconds in every container, it imports almost nothing.
"""

import os
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final

from amply.infra.heartbeat import is_alive

_ANSWER_SECONDS_MAX: Final = 3
_OK: Final = 200


def answers() -> bool:
    """Whether this container's API responds to its liveness check."""
    port = int(os.environ["AMPLY_API_PORT"])
    # The certificate is self-signed; on the loopback interface it needs no verification.
    connection = (
        HTTPSConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS_MAX, context=_verifying_nobody())
        if os.environ["AMPLY_API_TLS"] == "true"
        else HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS_MAX)
    )
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == _OK
    except (OSError, HTTPException):  # refused, timed out, or no answer
        return False
    finally:
        connection.close()


def _verifying_nobody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def beats() -> bool:
    """Whether this container's heartbeat is younger than a minute."""
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
