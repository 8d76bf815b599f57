"""OTLP receiver on loopback that stores the spans it gets."""

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket  # taken before the tests' ban on sockets replaces it
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WAIT_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Received:
    """One span as it was sent. Ids are hexadecimal; `links` are pairs of trace and span."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, Any]
    links: frozenset[tuple[str, str]]
    failed: bool
    said: str
    """Everything of it that is text, to search in."""

    @property
    def key(self) -> tuple[str, str]:
        return self.trace_id, self.span_id


@dataclass(frozen=True, kw_only=True)
class Post:
    """One request of an exporter, its body as sent."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Receiver:
    """`status` is what it answers; while `answering` is not set it takes requests and says nothing."""

    url: str = ""
    status: int = 200
    posts: list[Post] = field(default_factory=list)
    spans: list[Received] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.answering.set()

    def take(self, post: Post) -> None:
        with self._changed:
            self.posts.append(post)
            self.spans.extend(_spans(post))
            self._changed.notify_all()

    def wait_for(self, seen: Callable[[], bool]) -> None:
        """Return once it is so; look again whenever something came."""
        with self._changed:
            assert self._changed.wait_for(seen, WAIT_SECONDS_MAX), sorted(span.name for span in self.spans)

    def named(self, name: str) -> list[Received]:
        return [span for span in self.spans if span.name == name]

    def story_of(self, trace_id: str) -> list[Received]:
        return [span for span in self.spans if span.trace_id == trace_id]


class _Server(ThreadingHTTPServer):
    """Goes on taking requests of other processes while a test that may open no socket runs."""

    daemon_threads = True

    def get_request(self) -> tuple[socket, Any]:
        # accept() would make a socket of the banned kind.
        number, address = self.socket._accept()  # type: ignore[attr-defined] # typeshed leaves it out
        return socket(fileno=number), address


@contextmanager
def receiving() -> Iterator[Receiver]:
    """It listens while the block runs, on a port nobody else has."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(Post(path=self.path, headers=dict(self.headers), body=body))
            receiver.answering.wait(WAIT_SECONDS_MAX)
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
    try:
        yield receiver
    finally:
        receiver.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(post: Post) -> Iterator[Received]:
    packed = post.headers.get("Content-Encoding") == "gzip"
    request = ExportTraceServiceRequest.FromString(gzip.decompress(post.body) if packed else post.body)
    for resource in request.resource_spans:
        service = next(
            pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.name"
        )
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _received(span, service=service)


def _received(span: Any, *, service: str) -> Received:
    return Received(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        attributes={
            pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes
        },
        links=frozenset((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        said=str(span),
    )
