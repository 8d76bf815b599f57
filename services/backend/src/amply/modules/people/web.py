"""HTTP side of people's sessions: cookies, authentication, and protection against CSRF."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from amply.infra.credentials import Credential
from amply.infra.rate_limits import client_address, limit_by_address
from amply.infra.web import ClockOf
from amply.kernel.errors import AmplyError
from amply.modules import access
from amply.modules.access import ConfirmationRequired, PersonCaller, RequestFromElsewhere, SessionNotValid
from amply.modules.people.callers import SessionCallers
from amply.modules.people.dependencies import Dependencies, Site
from amply.modules.people.domain import SESSION_LIFETIME, PeopleNotOffered, Visit, is_recent

PATHS: Final = "/v1/auth/"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_AGENT_LENGTH_MAX: Final = 500
_DEVICE_LENGTH: Final = 22
_DEVICE_SECONDS: Final = 400 * 24 * 3600
"""As long as browsers keep a cookie (RFC 6265bis §4.1.2.2)."""


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.accounts
    if parts is None:
        raise PeopleNotOffered("Accounts are not set up here; ask whoever runs this platform.")
    return parts


PartsOf = Annotated[Dependencies, Depends(_parts)]


async def _visit(request: Request, parts: PartsOf) -> Visit:
    device = request.cookies.get(parts.site.device_cookie)
    return Visit(
        address=client_address(request),
        agent=request.headers.get("User-Agent", "")[:_AGENT_LENGTH_MAX],
        # A malformed cookie is ignored: it would be stored, at any length.
        device=device if device and len(device) == _DEVICE_LENGTH else None,
    )


VisitOf = Annotated[Visit, Depends(_visit)]


@dataclass(frozen=True)
class SignedInHere:
    """Dependency of routes for any signed-in person.

    Raises:
        SessionNotValid: Nobody is.
        TooManyRequests: They asked too often.
    """

    credentials: ClassVar[tuple[Credential, ...]] = (Credential.SESSION,)

    def limits(self, method: str) -> tuple[str, ...]:
        """Of whoever is signed in; no key is taken."""
        return access.limits_of_callers(method)[1:]

    def __call__(self, request: Request, parts: PartsOf, clock: ClockOf) -> PersonCaller:
        caller = SessionCallers(parts).caller_of(
            headers=request.headers, cookies=request.cookies, address=client_address(request), now=clock()
        )
        if caller is None:
            raise SessionNotValid("Sign in first.")
        access.count(request, caller)
        return caller


PersonOf = Annotated[PersonCaller, Depends(SignedInHere())]

FROM_ANYBODY: Final = (Depends(limit_by_address("signing_in")),)
"""Dependencies of unauthenticated routes."""


def recently_confirmed(caller: PersonOf, clock: ClockOf) -> PersonCaller:
    """Dependency for sensitive routes: a signed-in person who re-authenticated recently.

    Raises:
        ConfirmationRequired: It is too long ago; they confirm and repeat the request.
    """
    require_recent(caller, now=clock())
    return caller


def require_recent(caller: PersonCaller, *, now: datetime) -> None:
    """The same check for callers that are authenticated already.

    Raises:
        ConfirmationRequired: It is too long ago that this session showed who it is.
    """
    # What an organisation's provider says is enough for that organisation, and not for the account.
    if caller.through is not None or not is_recent(caller.confirmed_at, now=now):
        raise ConfirmationRequired(
            "Confirm with your password and second factor, or a passkey, and repeat the request."
        )


ConfirmedOf = Annotated[PersonCaller, Depends(recently_confirmed)]


def token_of(request: Request, site: Site) -> str:
    """The token in the session cookie of an authenticated request."""
    return request.cookies.get(site.session_cookie, "")


def new_device(visit: Visit) -> str:
    """The browser's device cookie, or a new one."""
    return visit.device or secrets.token_urlsafe(16)


def set_session(response: Response, site: Site, token: str) -> None:
    """Set the session cookie: HttpOnly and SameSite."""
    response.set_cookie(
        site.session_cookie,
        token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        secure=site.is_secure,
        httponly=True,
        samesite="lax",
    )


def clear_session(response: Response, site: Site) -> None:
    """Delete the session cookie."""
    response.delete_cookie(
        site.session_cookie, path="/", secure=site.is_secure, httponly=True, samesite="lax"
    )


def set_device(response: Response, site: Site, device: str) -> None:
    """Set the device cookie, which grants nothing by itself."""
    response.set_cookie(
        site.device_cookie,
        device,
        max_age=_DEVICE_SECONDS,
        path="/",
        secure=site.is_secure,
        httponly=True,
        samesite="lax",
    )


class OwnPagesOnly:
    """CSRF protection: refuses changes by cookie from pages of other origins.

    For every route, so that none can forget it: whatever carries a session's cookie, and all under `/v1/auth/`, where a
    page could otherwise sign its visitor in as somebody else. SameSite=Lax is the first defence, this is the second.
    `refused` makes the answer.
    """

    def __init__(
        self, app: ASGIApp, *, site: Site, refused: Callable[[Request, AmplyError], Response]
    ) -> None:
        self._app = app
        self._site = site
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and self._is_foreign(scope):
            error = RequestFromElsewhere(
                "Send this request from our own pages, or without a session's cookie."
            )
            await self._refused(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        carries = self._site.session_cookie in HTTPConnection(scope).cookies
        if not carries and not scope["path"].startswith(PATHS):
            return False
        return not _is_own(headers, self._site, carries_cookie=carries)


def _is_own(headers: Mapping[str, str], site: Site, *, carries_cookie: bool) -> bool:
    """Browsers say where a request comes from, and no script can say otherwise (Fetch, forbidden request headers)."""
    if headers.get("sec-fetch-site") == "same-origin":
        return True
    origin = headers.get("origin")
    if origin is not None:
        parts = urlsplit(origin)
        return f"{parts.scheme}://{parts.netloc}" in site.origins
    # No browser sends what changes something without an origin. A program may, but not with a cookie.
    return not carries_cookie and headers.get("sec-fetch-site") is None
