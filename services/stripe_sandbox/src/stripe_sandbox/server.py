"""Runs one sandbox as a server on the loopback interface."""

import logging
import socket
import threading

import uvicorn

from stripe_sandbox.app import build
from stripe_sandbox.operations import api_version
from stripe_sandbox.settings import Settings

HOST = "127.0.0.1"
_SHUTDOWN_SECONDS_MAX = 5


def serve(settings: Settings, listener: socket.socket, *, log_level: int = logging.INFO) -> None:
    """Answer on this listener until SIGTERM, or SIGINT, which is raised again as KeyboardInterrupt."""
    logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # The SDK takes half a second to load: ready before the first request, without delaying the port.
    threading.Thread(target=api_version, name="load-sdk", daemon=True).start()
    config = uvicorn.Config(
        build(settings),
        log_level=log_level,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS_MAX,
    )
    uvicorn.Server(config).run(sockets=[listener])


def listen(port: int) -> socket.socket:
    """The listener. Raises OSError when the port is taken."""
    return socket.create_server((HOST, port), backlog=2048)
