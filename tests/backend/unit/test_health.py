"""The containers' own health check."""

import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from amply.entrypoints import health

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


class Api(BaseHTTPRequestHandler):
    """Answers with the status its server was told."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.send_response(self.server.status if self.path == "/health/live" else HTTPStatus.NOT_FOUND)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class Server(HTTPServer):
    status = HTTPStatus.OK


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AMPLY_API_PORT", str(server.server_port))
    monkeypatch.setenv("AMPLY_API_TLS", "false")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_api_that_answers_is_well(api: Server) -> None:  # noqa: ARG001 -- it is asked by its port
    assert health.main(["http"]) == 0


def test_an_api_that_answers_with_an_error_is_not_well(api: Server) -> None:
    api.status = HTTPStatus.INTERNAL_SERVER_ERROR

    assert health.main(["http"]) == 1


def test_the_check_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main([]) == 1
    assert capsys.readouterr().err == "Say which check: http or heartbeat.\n"
