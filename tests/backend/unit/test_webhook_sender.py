"""What becomes of a request to an endpoint: answers that are failures, redirects, silence, and addresses of ours."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from amply.adapters.webhook_sender import HttpSender
from amply.modules.webhook_endpoints import Answer, Failure
from tests.backend.certificates import self_signed
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BODY = b'{"id":"event_1"}'
TRICKLED_MAX = 250
"""Bytes, until the endpoint ends by itself what nobody hung up on."""


class Endpoint:
    """One that answers each connection as a test says, over TLS with a context; `heard` is what it was sent."""

    def __init__(self, serves: ssl.SSLContext | None = None) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?tenant=7"
        self.heard = b""
        self.serves = serves
        self.answer: Callable[[socket.socket], None] = lambda _: None
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        try:
            plain, _ = self.listening.accept()
            with plain, self._spoken_over(plain) as connection:
                while BODY not in self.heard and (chunk := connection.recv(65_536)):
                    self.heard += chunk
                self.answer(connection)
        except OSError:
            return

    def _spoken_over(self, plain: socket.socket) -> socket.socket:
        return plain if self.serves is None else self.serves.wrap_socket(plain, server_side=True)

    def close(self) -> None:
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


def says(head: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(head + b"\r\nContent-Length: 0\r\n\r\n")


def post(url: str, **settings: object) -> Answer:
    sender = HttpSender(**{"allows_loopback": True, **settings})  # type: ignore[arg-type] # a test's own
    return sender.post(url=url, headers={"webhook-id": "event_1"}, body=BODY)


@pytest.mark.parametrize(
    ("head", "status", "failure"),
    [
        (b"HTTP/1.1 204 No Content", 204, None),
        (b"HTTP/1.1 200 OK", 200, None),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/", 302, Failure.REDIRECT),
        (b"HTTP/1.1 410 Gone", 410, Failure.STATUS),
        (b"HTTP/1.1 503 Service Unavailable", 503, Failure.STATUS),
    ],
)
def test_a_status_is_all_that_is_read(
    head: bytes, status: int, failure: Failure | None, endpoint: Endpoint
) -> None:
    endpoint.answer = says(head)
    answer = post(endpoint.url)
    assert (answer.status, answer.failure) == (status, failure)
    assert endpoint.heard.startswith(b"POST /hook?tenant=7 HTTP/1.1\r\n")
    assert b"webhook-id: event_1\r\n" in endpoint.heard


def test_who_never_answers_is_hung_up_on(endpoint: Endpoint) -> None:
    endpoint.answer = lambda connection: (connection.recv(1), None)[1]
    answer = post(endpoint.url, seconds_max=0.2)
    assert (answer.status, answer.failure) == (None, Failure.TIMEOUT)


def trickles(piece: bytes, hung_up: threading.Event) -> Callable[[socket.socket], None]:
    """Each piece comes in time; the whole does not."""

    def trickle(connection: socket.socket) -> None:
        try:
            for _ in range(TRICKLED_MAX):
                hung_up.wait(0.02)
                connection.sendall(piece)
        except OSError:
            hung_up.set()

    return trickle


@pytest.mark.parametrize(
    "piece", [b"x", b"HTTP/1.1 103 Early Hints\r\n\r\n"], ids=["bytes", "interim answers"]
)
@pytest.mark.parametrize("over", ["tcp", "tls"])
def test_who_answers_piece_by_piece_is_hung_up_on(piece: bytes, over: str, tmp_path: Path) -> None:
    hung_up = threading.Event()
    serves, trusts = self_signed("river.example", folder=tmp_path)
    endpoint = Endpoint(serves if over == "tls" else None)
    endpoint.answer = trickles(piece, hung_up)
    scheme = "https" if over == "tls" else "http"
    answer = post(
        f"{scheme}://river.example:{endpoint.port}/",
        seconds_max=2.0,
        trusts=trusts,
        resolve=lambda *_: ["127.0.0.1"],
    )
    assert (answer.status, answer.failure) == (None, Failure.TIMEOUT)
    assert endpoint.heard
    assert hung_up.wait(10)
    endpoint.close()


def test_a_compressed_answer_is_one(endpoint: Endpoint) -> None:
    """It is not read, and so not refused either."""
    endpoint.answer = says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip")
    assert post(endpoint.url).failure is None


@pytest.mark.parametrize(
    ("said", "asked"),
    [("120", timedelta(minutes=2)), ("soon", None), ("-1", None), ("9" * 30, None)],
)
def test_when_to_ask_again_is_read_as_seconds(said: str, asked: timedelta | None, endpoint: Endpoint) -> None:
    endpoint.answer = says(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: " + said.encode())
    assert post(endpoint.url).retry_after == asked


def test_nothing_is_sent_to_a_machine_of_ours(endpoint: Endpoint) -> None:
    """A name may resolve to anything: it is judged when something is sent."""
    answer = post("https://river.example/", allows_loopback=False, resolve=lambda *_: ["10.0.0.5"])
    assert (answer.status, answer.failure) == (None, Failure.ADDRESS_REFUSED)
    assert post(endpoint.url, allows_loopback=False).failure is Failure.ADDRESS_REFUSED
    assert endpoint.heard == b""


def test_nobody_there_is_no_connection() -> None:
    answer = post(f"http://127.0.0.1:{free_port()}/")
    assert (answer.status, answer.failure) == (None, Failure.NO_CONNECTION)
