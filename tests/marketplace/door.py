"""HTTP server on loopback that calls the marketplace's functions as the gateway does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from amply_marketplace import delta_sharing
from amply_marketplace.errors import RequestRefused
from amply_marketplace.gateway import Request, problem
from tests.marketplace.market import NOW, Market

PREFIX = "/v1/delta-sharing/"


@contextmanager
def door(market: Market) -> Iterator[str]:
    """Its address, as a profile file names it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(market))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{PREFIX.rstrip('/')}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(market: Market) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = urlsplit(self.path)
            event: dict[str, Any] = {
                "httpMethod": self.command,
                "path": asked.path,
                "headers": dict(self.headers),
                "queryStringParameters": dict(parse_qsl(asked.query)) or None,
                "pathParameters": {"proxy": asked.path.removeprefix(PREFIX)},
                "body": self.rfile.read(length).decode() or None,
                "requestContext": {"requestId": f"{id(self)}"},
            }
            try:
                found = delta_sharing.answer(
                    Request.of(event), control=market.control, links=market.links, now=NOW
                )
            except RequestRefused as refused:
                found = problem(refused)
            written = found.written()
            body = str(written["body"]).encode()
            self.send_response(written["statusCode"])
            for name, value in written["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests say what they look at themselves."""

    return Handler
