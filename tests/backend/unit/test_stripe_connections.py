"""Calls to Stripe share connections, whichever thread makes them; a server that says nothing is told apart from one that says no."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from amply.adapters.stripe.connections import SharedConnections

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@contextmanager
def answering() -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything, and the connections that were made to it."""
    made: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            made.append("connection")
            super().setup()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Request-Id", "req_1")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", made
    finally:
        server.shutdown()
        server.server_close()


def test_one_thread_after_the_other_asks_over_the_same_connection() -> None:
    with answering() as (url, made):
        for _ in range(3):
            with ThreadPoolExecutor(1) as thread:
                body, status, headers = thread.submit(
                    SharedConnections().request, "post", f"{url}/v1/payment_intents", {}, "amount=1"
                ).result()
            assert (body, status, headers["request-id"]) == ("{}", 200, "req_1")

    assert made == ["connection"]


def test_nobody_there_is_no_answer_and_asked_again() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(stripe.APIConnectionError) as failed:
            SharedConnections().request("post", url, {}, "")

    assert failed.value.should_retry
