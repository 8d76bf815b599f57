"""CORS: which origins may read which responses in a browser (ADR 0114)."""

from collections.abc import Sequence
from typing import Final

from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from amply.infra.rate_limit_fields import FIELDS

PUBLIC: Final = ("/v1/public/", "/v1/donations/", "/openapi.json")
"""Where paths begin that any site's pages may read. Nothing there looks at a cookie, and nothing there makes anything."""

_EXPOSED: Final = (
    *("X-Request-Id", "Idempotent-Replayed", "Retry-After", "ETag", "WWW-Authenticate"),
    *("Deprecation", "Sunset", "Link"),
    *FIELDS,
)


class CrossOrigin:
    """Public routes: any origin, without credentials. All others: our own pages only, with cookies.

    It goes by the path alone, so that an answer is the same for all who ask, and a cache may keep it.
    """

    def __init__(self, app: ASGIApp, *, own_origins: Sequence[str]) -> None:
        self._public = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "If-None-Match"],
            expose_headers=_EXPOSED,
        )
        self._own = CORSMiddleware(
            app,
            allow_origins=own_origins,
            # Our own pages are on another origin than the API, and send cookies.
            allow_credentials=True,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=[
                *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
                "Amply-Challenge",
            ],
            expose_headers=_EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_public = scope["type"] == "http" and scope["path"].startswith(PUBLIC)
        await (self._public if is_public else self._own)(scope, receive, send)
