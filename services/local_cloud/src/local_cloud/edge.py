"""The CDN's address on a laptop: a proxy to the deployed distribution in the emulated cloud.

The emulator serves a distribution as CloudFront does: behaviours, functions, origin access, response headers,
error pages. What is missing here is what CloudFront adds by being many places: its cache, and TLS.
"""

import os
from collections.abc import Iterable

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

HEALTH_PATH = "/.well-known/local-edge"
_METHODS = ["GET", "HEAD", "OPTIONS"]
_READ_SECONDS_MAX = 30.0
_OF_ONE_CONNECTION = frozenset(
    {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding", "upgrade"}
)


class Edge:
    """Forwards to one distribution, named by its host."""

    def __init__(self, client: httpx2.AsyncClient, distribution_host: str) -> None:
        self._client = client
        self._viewer = {
            "host": distribution_host,
            # The deployed behaviours redirect to HTTPS; on loopback nobody listens in.
            "x-forwarded-proto": "https",
        }

    async def serve(self, request: Request) -> Response:
        headers = {**_passed_on(request.headers.items()), **self._viewer}
        try:
            # Not joined as an address: two slashes at its beginning would be taken for a host, and left out.
            url = self._client.base_url.copy_with(raw_path=_target(request))
            answer = await self._client.request(request.method, url, headers=headers)
        except httpx2.TransportError as error:
            return PlainTextResponse(f"The emulated cloud does not answer: {error!r}\n", status_code=502)
        response = Response(answer.content, status_code=answer.status_code)
        if request.method == "HEAD":
            response.headers["content-length"] = answer.headers.get("content-length", "0")
        for name, value in _passed_on(answer.headers.multi_items()).items():
            response.headers[name] = value
        return response


def app() -> Starlette:
    client = httpx2.AsyncClient(
        base_url=os.environ["AMPLY_EDGE_CLOUD_URL"], timeout=_READ_SECONDS_MAX, follow_redirects=False
    )
    edge = Edge(client, os.environ["AMPLY_EDGE_HOST"])
    return Starlette(
        routes=[
            Route(HEALTH_PATH, lambda _: PlainTextResponse("ok\n")),
            Route("/{path:path}", edge.serve, methods=_METHODS),
        ]
    )


def _target(request: Request) -> bytes:
    """Path and query as they came, undecoded."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path


def _passed_on(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_ONE_CONNECTION}
