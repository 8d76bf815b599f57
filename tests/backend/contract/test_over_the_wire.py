"""What reaches the server itself, before there is a request: bounded there, and others are answered meanwhile."""

import contextlib
import json
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from amply.entrypoints import bodies, health
from amply.entrypoints.bodies import Bodies
from amply.entrypoints.self_signed_tls import self_signed_context
from amply.entrypoints.slow_request_limits import SlowRequestLimits
from amply.infra.web import PROBLEM_MEDIA_TYPE, Problem
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


class Impatient(SlowRequestLimits):
    """As the API's, in a hurry."""

    head_seconds = 0.3
    body_seconds = 3.0


@dataclass
class Served:
    """Where a server listens, and when the route `/late` answers."""

    port: int
    answers: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def port() -> Iterator[int]:
    """A server as the API's is, with one route."""
    with serving(SlowRequestLimits, keeps=5) as served:
        yield served.port


@pytest.fixture
def impatient() -> Iterator[Served]:
    """The same with less time."""
    with serving(Impatient, keeps=1, body_seconds=0.3) as served:
        yield served
        served.answers.set()


@contextlib.contextmanager
def serving(
    protocol: type[SlowRequestLimits],
    *,
    keeps: int,
    body_seconds: float = bodies.SECONDS_MAX,
    context: ssl.SSLContext | None = None,
) -> Iterator[Served]:
    """`body_seconds`: how long a body is waited for that somebody reads."""
    listening = free_port()
    served = Served(listening)
    app = FastAPI()
    app.state.site_url = ""
    app.add_middleware(Bodies, seconds_max=body_seconds)
    app.add_api_route("/well", lambda: {"status": "ok"}, methods=["GET", "POST"])
    app.add_api_route("/health/live", lambda: {"status": "ok"})
    app.add_api_route("/late", lambda: {"waited": served.answers.wait(30)})
    began = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            began.set()

    server = Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=listening,
            http=protocol,
            timeout_keep_alive=keeps,
            ssl_context_factory=(lambda *_: context) if context else None,
            log_config=None,
            server_header=False,
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    assert began.wait(30)
    yield served
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
    answered = _answer(port, sent)
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert _problem(answered)["code"] == "bad_request"
    assert _answer(port, WELL).startswith(b"HTTP/1.1 200 ")


def _problem(answered: bytes) -> Mapping[str, Any]:
    """What is said instead of an answer, in the shape that every problem has."""
    head, _, body = answered.partition(b"\r\n\r\n")
    assert PROBLEM_MEDIA_TYPE.encode() in head
    problem: dict[str, Any] = json.loads(body)
    assert problem["type"].endswith(f"/problems/#{problem['code']}")
    assert Problem.model_validate(problem).status == int(answered.split()[1])
    return problem


def _drip(connection: socket.socket) -> bytes:
    """A byte at a time, ever on, until the server closes the connection; all that it answered."""
    answered = b""
    for _ in range(600):
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"x")
        if not select.select([connection], [], [], 0.05)[0]:
            continue
        try:
            received = connection.recv(65_536)
        except ConnectionError:
            return answered
        if not received:
            return answered
        answered += received
    raise AssertionError("the server waits for as long as bytes come")


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET /well HTTP/1.1\r\nHost: api\r\nX-Slow: ", b"408"),
        (b"", b"408"),
        (b"POST /well HTTP/1.1\r\nHost: api\r\nContent-Length: 9999\r\n\r\n", b"408"),
        (b"GET /well HTTP/1.1\r\nHost: api\r\nContent-Length: 9999\r\n\r\n", b"200"),
    ],
    ids=["head", "first line", "body", "body that nobody reads"],
)
def test_a_request_that_comes_a_byte_at_a_time_is_ended(
    impatient: Served, begun: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=30) as connection:
        connection.sendall(begun)
        answered = _drip(connection)
    assert answered.startswith(b"HTTP/1.1 " + status)
    if status == b"408":
        assert _problem(answered)["code"] == "request_timeout"


def test_a_connection_on_which_nothing_comes_is_closed(impatient: Served) -> None:
    assert _answer(impatient.port) == b""


def test_an_answer_may_take_longer_than_a_request(impatient: Served) -> None:
    """Another connection is given up meanwhile: so long has the answer waited."""
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=30) as connection:
        connection.sendall(b"GET /late HTTP/1.1\r\nHost: api\r\n\r\n")
        for _ in range(2):
            assert _answer(impatient.port, b"GET /").startswith(b"HTTP/1.1 408 ")
        impatient.answers.set()
        assert connection.recv(1).startswith(b"H"), "it was not given up"
        connection.sendall(WELL)
        answered = b""
        while received := connection.recv(65_536):
            answered += received
    assert answered.count(b" 200 OK") == 2, "the same connection takes the next request"


def test_the_server_waits_for_a_body_for_longer_than_who_answers_that_it_is_late() -> None:
    assert SlowRequestLimits.body_seconds > bodies.SECONDS_MAX


@pytest.fixture
def encrypted(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server as the API's is behind a load balancer, and what its container's health check is told."""
    context = self_signed_context(now=datetime(2026, 11, 27, tzinfo=UTC))
    with serving(SlowRequestLimits, keeps=5, context=context) as served:
        monkeypatch.setenv("AMPLY_API_PORT", str(served.port))
        monkeypatch.setenv("AMPLY_API_TLS", "true")
        yield served.port


def _as_the_balancer(highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
    """It encrypts, and verifies nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = highest
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda it: it.name)
def test_a_task_answers_whoever_encrypts(encrypted: int, version: ssl.TLSVersion) -> None:
    with (
        socket.create_connection(("127.0.0.1", encrypted), timeout=10) as plain,
        _as_the_balancer(version).wrap_socket(plain) as asked,
    ):
        asked.sendall(WELL)
        assert asked.recv(100).startswith(b"HTTP/1.1 200")
        assert asked.version() == version.name.replace("TLSv1_", "TLSv1.")


def test_a_task_that_encrypts_answers_no_plain_text(encrypted: int) -> None:
    with socket.create_connection(("127.0.0.1", encrypted), timeout=10) as plain:
        plain.sendall(WELL)
        with contextlib.suppress(ConnectionResetError):
            assert b"200" not in plain.recv(100)


def test_a_container_that_encrypts_finds_itself_well(
    encrypted: int,  # noqa: ARG001 -- it is asked by its port
) -> None:
    assert health.main(["http"]) == 0
