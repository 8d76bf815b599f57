"""Subprocess program that reports errors and prints what would be sent to Sentry.

Sentry's client changes the libraries of its process for good, so no test calls it in its own. It is told on standard input what must
not leave; source lines are a part of what is sent.
"""

import json
import logging
import sys
from typing import Any

import sentry_sdk
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from amply.entrypoints.error_reporting import report_errors
from amply.infra import logging as amply_logging
from amply.infra.settings import ServiceSettings
from amply.kernel.errors import Conflict


class Printing(Transport):
    """Sends nothing."""

    def capture_envelope(self, envelope: Envelope) -> None:
        """Print the envelope's event, if it has one."""
        if (event := envelope.get_event()) is not None:
            sys.stdout.write(f"{json.dumps(event)}\n")


def broken(said: dict[str, str]) -> FastAPI:
    """An application that fails in the ways that applications fail."""
    app = FastAPI()

    @app.post("/breaks")
    def breaks(body: dict[str, Any]) -> None:
        kept_here = said["local"]
        logging.getLogger("library").warning("asked for %s", said["address"])
        raise RuntimeError(f"{said['message']} {len(kept_here)} {len(body)}")

    @app.post("/refuses")
    def refuses() -> None:
        raise Conflict("expected")

    return app


def main() -> None:
    """Fail by request, and by a line that says so."""
    said = json.load(sys.stdin)
    amply_logging.configure(service="api")
    # Its lines are not what this prints.
    logging.getLogger().handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined] # a StreamHandler, as configured
    report_errors(
        ServiceSettings(
            service="api", environment="tests", livemode=False, sentry_dsn="https://key@sentry.example/1"
        )
    )
    sentry_sdk.get_client().transport = Printing()
    client = TestClient(broken(said), raise_server_exceptions=False)
    request: dict[str, Any] = {
        "params": {"filter": said["query"]},
        "headers": {
            "Authorization": said["token"],
            "X-Amply-Client": said["client"],
            "Cookie": f"s={said['cookie']}",
        },
        "json": {"name": said["body"]},
    }
    client.post("/breaks", **request)
    client.post("/refuses", **request)
    try:
        int(said["message"])
    except ValueError:
        structlog.get_logger().exception("gift not booked", address=said["address"])


if __name__ == "__main__":
    main()
