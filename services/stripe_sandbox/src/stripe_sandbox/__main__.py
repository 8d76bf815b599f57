"""`python -m stripe_sandbox`: one process on the loopback interface, told by `STRIPE_SANDBOX_*` what it is."""

import logging
import os
import sys
import threading

import uvicorn

from stripe_sandbox.app import build
from stripe_sandbox.operations import api_version
from stripe_sandbox.settings import port_from, settings_from

_SHUTDOWN_SECONDS_MAX = 5


def main() -> None:
    """Serve until told to stop. Exits with a sentence when the environment is not usable."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings, port = settings_from(os.environ), port_from(os.environ)
    except ValueError as error:
        sys.exit(f"stripe_sandbox: {error}")
    # The SDK takes half a second to load: ready before the first request, without delaying the port.
    threading.Thread(target=api_version, name="load-sdk", daemon=True).start()
    uvicorn.run(
        build(settings),
        host="127.0.0.1",
        port=port,
        log_level="info",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS_MAX,
    )


if __name__ == "__main__":
    main()
