"""What reaches the server itself, before there is a request: bounded there, and others are answered meanwhile."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from amply.entrypoints.bodies import Bodies
from tests.backend.conftest import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def port() -> Iterator[int]:
    """A server as the API's is, with one route."""
    app = FastAPI()
    app.state.site_url = ""
    app.add_middleware(Bodies)
    app.add_api_route("/well", lambda: {"status": "ok"})
    listening = free_port()
    began = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            began.set()

    server = Server(
        uvicorn.Config(app, host="127.0.0.1", port=listening, log_config=None, server_header=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    assert began.wait(30)
    yield listening
    server.should_exit = True
    thread.join(30)


def _answer(port: int, *parts: bytes) -> bytes:
    """All that is answered to what is sent, until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        answered = b""
        with contextlib.suppress(ConnectionError):
            while received := connection.recv(65_536):
                answered += received
        return answered


WELL = b"GET /well HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"


def test_headers_of_ten_megabytes_are_refused_and_others_are_answered(port: int) -> None:
    megabytes = (b"x" * 1_000_000 for _ in range(10))
    refused = _answer(port, b"GET /well HTTP/1.1\r\nHost: api\r\nX-Large: ", *megabytes, b"\r\n\r\n")
    # Whoever sends on after the answer may find the connection reset before they have read it.
    assert refused.startswith(b"HTTP/1.1 400 ") or refused == b""
    assert _answer(port, WELL).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /well HTTP/1.1\r\nHost: api\r\nX-Null: a\x00b\r\n\r\n",
        b"GET /well HTTP/1.1\r\nHost: api\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /well HTTP/1.1\r\nHost: api\r\nContent-Length: -1\r\n\r\n",
        b"POST /well HTTP/1.1\r\nHost: api\r\nContent-Length: 5\r\nTransfer-Encoding: chunked, x\r\n\r\n",
        b"GET /well HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_by_the_server(port: int, sent: bytes) -> None:
    status = _answer(port, sent)[:13]
    assert status.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert _answer(port, WELL).startswith(b"HTTP/1.1 200 ")
