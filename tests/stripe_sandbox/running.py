"""A sandbox on a loopback port, with a webhook endpoint."""

import json
import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import stripe
import uvicorn

from stripe_sandbox.app import build
from stripe_sandbox.clock import Clock, system_clock
from stripe_sandbox.settings import Settings

SECRET_KEY = "sk_test_amply"
PUBLISHABLE_KEY = "pk_test_amply"
WEBHOOK_SECRET = "whsec_amply"
WAIT_SECONDS_MAX = 30.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # plain HTTP only: no certificates to load


@dataclass(frozen=True)
class Received:
    """One webhook as it came in."""

    payload: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        """The body, unverified."""
        body: dict[str, Any] = json.loads(self.payload)
        return body


@dataclass
class Endpoint:
    """The platform's webhook endpoint: keeps what came, and answers with `answers` in turn, then 200."""

    url: str = ""
    received: "queue.Queue[Received]" = field(default_factory=queue.Queue)
    answers: "queue.Queue[int]" = field(default_factory=queue.Queue)

    def take(self) -> Received:
        """The next webhook; waits for it."""
        return self.received.get(timeout=WAIT_SECONDS_MAX)

    def take_type(self, kind: str) -> Received:
        """The next webhook of this type; others before it are dropped."""
        while True:
            found = self.take()
            if found.event["type"] == kind:
                return found

    def take_types(self, count: int) -> list[str]:
        """The types of the next webhooks, sorted: Stripe promises no order."""
        return sorted(self.take().event["type"] for _ in range(count))


@contextmanager
def receiving() -> Iterator[Endpoint]:
    """An endpoint that listens until the end of the block."""
    endpoint = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            payload = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status = endpoint.answers.get_nowait()
            except queue.Empty:
                status = 200
            # Before the answer: once it is out, the next webhook may come in on another thread.
            endpoint.received.put(Received(payload, self.headers["Stripe-Signature"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/v1/webhooks/stripe"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settings_in(directory: Path, endpoint: Endpoint | None = None, **others: Any) -> Settings:
    """A sandbox's settings as tests have them: its data in `directory`, its webhooks to `endpoint`."""
    return Settings(
        state=directory / "stripe.sqlite3",
        secret_key=SECRET_KEY,
        publishable_key=PUBLISHABLE_KEY,
        webhook_url=endpoint.url if endpoint else None,
        webhook_secret=WEBHOOK_SECRET if endpoint else "",
        **others,
    )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str
    http: httpx2.Client
    settings: Settings

    def client(self, key: str = SECRET_KEY) -> stripe.StripeClient:
        """The vendor's own client, pointed here."""
        return stripe.StripeClient(
            key, base_addresses={"api": self.url}, http_client=stripe.UrllibClient(), max_network_retries=0
        )

    def call(self, method: str, path: str, key: str = SECRET_KEY, **more: Any) -> httpx2.Response:
        """A request by hand, for what the client would not send."""
        headers = {"Authorization": f"Bearer {key}"} | more.pop("headers", {})
        return self.http.request(method, path, headers=headers, **more)

    def hook(self, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """POST to `/_sandbox/PATH`."""
        return self.http.post(f"/_sandbox/{path}", json=body or {})


@contextmanager
def running(settings: Settings, clock: Clock = system_clock) -> Iterator[Sandbox]:
    """A real server in a thread, stopped at the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(build(settings, clock), log_config=None, ws="none", lifespan="on")
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert server.ready.wait(WAIT_SECONDS_MAX)
        with httpx2.Client(base_url=url, timeout=WAIT_SECONDS_MAX, trust_env=False, verify=NO_TLS) as http:
            yield Sandbox(url, http, settings)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
