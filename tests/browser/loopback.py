"""Small HTTP servers on loopback, each answering from one method."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it arrived; `path` without its query, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Application(Protocol):
    """Answers requests; called from several threads."""

    def answer(self, request: Request) -> Response:
        """The response to one request."""
        ...


class _Server(ThreadingHTTPServer):
    request_queue_size = 64
    daemon_threads = False  # closing waits for the answers under way, so that no socket is left open

    def __init__(self, application: Application) -> None:
        self.application = application
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Browsers hang up in the middle of answers; nobody needs to read about it."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def _respond(self) -> None:
        length = int(self.headers.get("content-length", 0))
        request = Request(
            method=self.command,
            path=self.path.partition("?")[0],
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        response = self.server.application.answer(request)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_OPTIONS = _respond  # noqa: N815 -- the names http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's own signature
        """Tests say what happened; the server need not."""


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """Serve `application` and yield its origin, such as `http://127.0.0.1:40123`."""
    with _Server(application) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
