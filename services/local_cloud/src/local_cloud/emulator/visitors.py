"""Refuses requests from web pages to the emulated cloud (protection against cross-site requests).

MiniStack checks no credentials and lets every origin read its answers. A page open in the browser of this machine could
therefore read the secrets that are kept there. Programs send no Origin; a page always names its own on what it could
read, and a page that made its own name resolve to this machine names itself as Host.
"""

from urllib.parse import urlsplit

from local_cloud.emulator.asgi import App, Message, Receive, Send

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_DISTRIBUTION = ".cloudfront.net"
"""What a distribution serves is public. The edge asks under this name; no browser does, since it resolves elsewhere."""
_SERVED_NAMES = (".amazonaws.com", ".localhost")
"""Names the emulator answers under to programs: its buckets and APIs by host."""

_REFUSAL = b"The emulated cloud answers programs on this machine, not web pages.\n"


class RefusesWebPages:
    """Answers 403 to what a web page asks."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or is_program(_header(scope, b"host"), _origin(scope)):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_REFUSAL)).encode())]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSAL})


def is_program(host: str, origin: str | None) -> bool:
    """Whether a request comes from a program, or from a page of this machine itself."""
    name = _name(host)
    if name.endswith(_DISTRIBUTION):
        return True
    if name not in _LOOPBACK and not name.endswith(_SERVED_NAMES):
        return False
    return origin is None or _bracketed(urlsplit(origin).hostname or "") in _LOOPBACK


def _name(host: str) -> str:
    """A Host header without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host


def _bracketed(hostname: str) -> str:
    return f"[{hostname}]" if ":" in hostname else hostname


def _header(scope: Message, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _origin(scope: Message) -> str | None:
    return _header(scope, b"origin") or None
