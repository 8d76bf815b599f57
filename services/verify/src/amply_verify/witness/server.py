"""The witness over HTTP: one POST, with bounds on bytes, seconds and connections.

The standard library's server, on purpose: there is one path, no routing, no template and no upload, a partner installs
nothing more for it, and every bound below is ours to test. It speaks plain HTTP on loopback; TLS and the open internet
are the business of a reverse proxy in front of it.
"""

import socket
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from amply_verify.witness.decision import Answer, Witness
from ledger_format.witnessing import MAX_REQUEST_BYTES

PATH: Final = "/add-checkpoint"
CONNECTIONS_MAX: Final = 64
SECONDS_MAX: Final = 20.0
"""How long one request may take to arrive and to be answered, and how long a connection may stay idle."""


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness. `seconds_max` bounds each request; tests make it shorter."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = CONNECTIONS_MAX

    def __init__(
        self, address: tuple[str, int], witness: Witness, *, seconds_max: float = SECONDS_MAX
    ) -> None:
        self.witness = witness
        self._seconds_max = seconds_max
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._deadlines: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection on, or hang up when there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self.renew(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._deadlines.pop(request, None)
            self._free.release()

    def renew(self, connection: socket.socket) -> None:
        """Give a connection the time of one more request."""
        with self._lock:
            self._deadlines[connection] = time.monotonic() + self._seconds_max

    def service_actions(self) -> None:
        """Hang up on those whose time is over, however slowly they go on sending (called twice a second)."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, deadline in self._deadlines.items() if deadline < now]
        for connection in late:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """A connection that broke is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    server_version = "amply-witness"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.server.renew(self.connection)
        super().handle_one_request()

    def do_GET(self) -> None:
        """The verifier key, for whoever looks whether this witness is well."""
        if self.path == "/":
            key = self.server.witness.key.verifier
            self._answer(
                Answer(status=HTTPStatus.OK, body=f"{key}\n", reason="asked for the key"), told=False
            )
        elif self.path == PATH:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "checkpoints are sent with POST")
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_POST(self) -> None:
        """`add-checkpoint`."""
        if self.path != PATH:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "say how long the request is with Content-Length")
            return
        # As text first: a number of a million digits is not worth reading.
        if len(length) > len(str(MAX_REQUEST_BYTES)) or int(length) > MAX_REQUEST_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {MAX_REQUEST_BYTES} bytes"
            )
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True  # it was cut off: there is nobody to answer
            return
        try:
            answer = self.server.witness.add_checkpoint(body)
        except sqlite3.Error as error:
            # Not remembered, so not cosigned.
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"the witness cannot remember ({error})")
            return
        self._answer(answer, told=True)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer, and hang up: what else the other side has sent was not read."""
        self.close_connection = True
        self._answer(Answer(status=status, body=f"{reason}\n", reason=reason), told=True)

    def _answer(self, answer: Answer, *, told: bool) -> None:
        body = answer.body.encode()
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close" if self.close_connection else "keep-alive")
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "POST")
        self.end_headers()
        self.wfile.write(body)
        if told:
            self.log_message("%s %s", answer.status.value, answer.reason)

    def send_error(self, code: int, message: str | None = None, _explain: str | None = None) -> None:
        """What the library refuses by itself, in plain text and without an echo of what was sent."""
        self.close_connection = True
        reason = message or HTTPStatus(code).phrase
        with suppress(OSError):
            self._answer(
                Answer(status=HTTPStatus(code), body="the request is no HTTP\n", reason=reason), told=True
            )

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 -- the library's name for it
        line = (format % arguments).encode("ascii", "backslashreplace").decode()
        sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
        sys.stdout.flush()
