"""A proxy to the emulated cloud that injects faults: refused, throttled, or executed with the response lost."""

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_HOP_BY_HOP: Final = frozenset({"connection", "transfer-encoding", "content-length", "expect", "host"})

Asked = Callable[[str, str, Mapping[str, str]], bool]
"""Whether a request is meant, by its method, path and headers."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What is answered instead; nothing is done."""

    status: int
    content_type: str
    body: bytes


SLOW_DOWN: Final = Refusal(
    status=503,
    content_type="application/xml",
    body=b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
)
THROTTLED: Final = Refusal(
    status=400,
    content_type="application/x-amz-json-1.1",
    body=b'{"__type": "ThrottlingException", "message": "Rate exceeded"}',
)


@dataclass(kw_only=True)
class Fault:
    """The requests that are meant: some pass, the next `times` fail. `refusal` None: done, and never answered."""

    asked: Asked
    passes: int
    times: int
    refusal: Refusal | None


@dataclass(kw_only=True)
class WeakCloud:
    """Where it listens, and what will fail."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    happened: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, asked: Asked, *, times: int, refusal: Refusal | None, passes: int = 0) -> None:
        """Let these requests fail from now on."""
        with self._lock:
            self.faults.append(Fault(asked=asked, passes=passes, times=times, refusal=refusal))

    def heal(self) -> None:
        """Let nothing fail any more, and forget what did."""
        with self._lock:
            self.faults.clear()
            self.happened = 0

    def has_more(self) -> bool:
        """Whether something that should fail has not yet."""
        with self._lock:
            return any(fault.times for fault in self.faults)

    def meets(self, method: str, path: str, headers: Mapping[str, str]) -> Fault | None:
        """The fault that this request runs into."""
        with self._lock:
            for fault in self.faults:
                if fault.times and fault.asked(method, path, headers):
                    if fault.passes:
                        fault.passes -= 1
                        return None
                    fault.times -= 1
                    self.happened += 1
                    return fault
        return None


@contextmanager
def weak_cloud(behind: str) -> Iterator[WeakCloud]:
    """Listen on a port of loopback, and pass everything on to the cloud behind."""
    host, _, port = behind.removeprefix("http://").partition(":")
    weak = WeakCloud(url="")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = weak.meets(self.command, self.path, dict(self.headers.items()))
            if fault is not None and fault.refusal is not None:
                self._answer(
                    fault.refusal.status, {"Content-Type": fault.refusal.content_type}, fault.refusal.body
                )
                return
            status, headers, answer = self._pass_on(body)
            if fault is not None:
                self.close_connection = True
                return
            self._answer(status, headers, answer)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815 -- the server looks for these names

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

        def _pass_on(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
            connection = http.client.HTTPConnection(host, int(port), timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
            return found

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    weak.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield weak
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
