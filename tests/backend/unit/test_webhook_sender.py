"""What becomes of a request to an endpoint: answers that are failures, redirects, silence, and addresses of ours."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from amply.adapters.webhook_sender import HttpSender
from amply.modules.webhook_endpoints import Answer, Failure
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BODY = b'{"id":"event_1"}'
TRICKLED_MAX = 250
"""Bytes, until the endpoint ends by itself what nobody hung up on."""


class Endpoint:
    """One that answers each connection as a test says; `heard` is what it was sent."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}/hook?tenant=7"
        self.heard = b""
        self.answer: Callable[[socket.socket], None] = lambda _: None
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self.listening.accept()
        except OSError:
            return
        with connection:
            while BODY not in self.heard and (chunk := connection.recv(65_536)):
                self.heard += chunk
            self.answer(connection)

    def close(self) -> None:
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


def test_who_answers_byte_by_byte_is_hung_up_on(endpoint: Endpoint) -> None:
    """Each byte comes in time; the whole does not."""
    hung_up = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        try:
            for _ in range(TRICKLED_MAX):
                hung_up.wait(0.02)
                connection.sendall(b"x")
        except OSError:
            hung_up.set()

    endpoint.answer = trickle
    answer = post(endpoint.url, seconds_max=0.3)
    assert (answer.status, answer.failure) == (None, Failure.TIMEOUT)
    assert hung_up.wait(10)


def test_nothing_is_sent_to_a_machine_of_ours(endpoint: Endpoint) -> None:
    """A name may resolve to anything: it is judged when something is sent."""
    answer = post("https://river.example/", allows_loopback=False, resolve=lambda *_: ["10.0.0.5"])
    assert (answer.status, answer.failure) == (None, Failure.ADDRESS_REFUSED)
    assert post(endpoint.url, allows_loopback=False).failure is Failure.ADDRESS_REFUSED
    assert endpoint.heard == b""


def test_nobody_there_is_no_connection() -> None:
    answer = post(f"http://127.0.0.1:{free_port()}/")
    assert (answer.status, answer.failure) == (None, Failure.NO_CONNECTION)
