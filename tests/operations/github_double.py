"""Double of GitHub's REST API that records requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPOSITORY = "amply-example/amply"
TOKEN = "of-this-job"


@dataclass
class GitHub:
    """`answers` by path below the repository: a body, or a status with one; `failures` come before any answer."""

    answers: dict[str, Any] = field(default_factory=dict)
    failures: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path with its query, and token."""
    address: str = ""

    def answer(self, path: str) -> tuple[int, Any]:
        if self.failures > 0:
            self.failures -= 1
            return 502, {"message": "Server Error"}
        found = self.answers.get(path.partition("?")[0].removeprefix(f"/repos/{REPOSITORY}"))
        if found is None:
            return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}
        return found if isinstance(found, tuple) else (200, found)


@contextmanager
def github() -> Iterator[GitHub]:
    """Serve on a free port of the loopback address until the block ends."""
    served = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("Authorization", "")
            served.asked.append((self.command, self.path, token))
            status, body = served.answer(self.path)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        served.address = f"http://127.0.0.1:{server.server_port}"
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
