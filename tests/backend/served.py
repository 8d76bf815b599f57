"""Serves the API on a port, for browsers and commands."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

import uvicorn
from fastapi import FastAPI


@contextmanager
def serving_api(app: FastAPI, listener: socket) -> Iterator[None]:
    """On a socket that listens already: whoever comes before the server is ready waits."""
    served = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        served.should_exit = True
        thread.join()
        listener.close()
