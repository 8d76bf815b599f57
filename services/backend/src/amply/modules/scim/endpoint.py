"""`/scim/v2`: the SCIM protocol by scim2-server (RFC 7643, RFC 7644), over one organisation's storage.

Errors have SCIM's own form here and no other: whoever asks is a directory, which reads nothing else (RFC 7644 §3.12).
"""

from datetime import datetime
from functools import cache
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    EnterpriseUser,
    Error,
    ETag,
    External,
    Filter,
    Group,
    Patch,
    Reference,
    ResourceType,
    SCIMException,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    UnauthorizedException,
    User,
)
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse
from scim2_server.service import ScimService
from sqlalchemy import text
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from amply.infra import rate_limits
from amply.infra.logging import request_id
from amply.kernel.errors import AmplyError, TooManyRequests
from amply.modules import audit, people
from amply.modules.audit import Action
from amply.modules.scim import tokens
from amply.modules.scim.applying import Applying
from amply.modules.scim.dependencies import PREFIX, Dependencies
from amply.modules.scim.domain import DirectoryCaller
from amply.modules.scim.group_patch import named_by
from amply.modules.scim.storage import PostgresScimStorage, one_at_a_time

router = APIRouter()

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LISTED_MAX: Final = 200
_CHANGED: Final = ("POST", "PUT", "PATCH", "DELETE")
_LISTS: Final = text("SELECT note_scim_listing(:now)")
_NO_CONTENT: Final = 204

_log = structlog.get_logger()


class RequestRefused(SCIMException):
    """One of our own errors as a SCIM error response."""

    def __init__(self, error: AmplyError) -> None:
        self.status = error.status
        super().__init__(detail=error.detail)


@cache
def provider() -> ScimProvider:
    """The service provider: resource types, schemas and features that are supported."""
    return ScimProvider(
        models=(User, Group, EnterpriseUser),
        resource_types=[
            ResourceType.from_resource(User[EnterpriseUser]),
            ResourceType.from_resource(Group),
        ],
        config=ServiceProviderConfig(
            documentation_uri=None,
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=_LISTED_MAX),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=True),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Bearer token",
                    description="A token that the organisation's owner or administrator made",
                    spec_uri=Reference[External]("https://datatracker.ietf.org/doc/html/rfc6750"),
                    primary=True,
                )
            ],
        ),
    )


@router.api_route(PREFIX, methods=list(_METHODS), include_in_schema=False)
@router.api_route(f"{PREFIX}/{{path:path}}", methods=list(_METHODS), include_in_schema=False)
async def scim(request: Request) -> Response:
    """Every route of SCIM."""
    body = await request.body()
    return await run_in_threadpool(_answered, request, body)


def _answered(request: Request, body: bytes) -> Response:
    service = ScimService(provider())
    try:
        answer = _handled(request, body, service)
    except AmplyError as error:
        answer = service.error_response(RequestRefused(error))
        if isinstance(error, TooManyRequests):
            answer.headers["Retry-After"] = str(error.retry_after_seconds)
    except SCIMException as error:
        answer = service.error_response(error)
    return _response(answer)


def _handled(request: Request, body: bytes, service: ScimService) -> ScimResponse:
    parts: Dependencies | None = request.app.state.scim_directories
    if parts is None:
        raise people.PeopleNotOffered("Accounts are not set up here; ask whoever runs this platform.")
    now = parts.clock()
    known = tokens.known_by(parts.database, request.headers.get("authorization", ""), now=now)
    if known is None:
        raise UnauthorizedException(detail="Send a token of your organisation's directory that works.")
    rate_limits.count(request, limit="scim", caller=known.token_id, whose="from your directory")
    asked = ScimRequest(
        method=request.method,
        base_url=f"{'https' if parts.is_secure else 'http'}://{request.url.netloc}{PREFIX}",
        path="/" + request.path_params.get("path", ""),
        query=dict(request.query_params),
        headers=list(request.headers.items()),
        body=body,
        subject=known,
    )
    return _within(parts, known, asked, service, now=now)


def _within(
    parts: Dependencies, known: DirectoryCaller, asked: ScimRequest, service: ScimService, *, now: datetime
) -> ScimResponse:
    """One request, one transaction; whose sessions end is told to the cache once it is committed."""
    is_change = asked.method in _CHANGED and not asked.path.endswith("/.search")
    stamps: dict[str, int] = {}
    with parts.database.transaction(organization_id=known.organization_id, key_id=known.token_id) as session:
        if is_change:
            one_at_a_time(session, known)
        models = {str(each.name): service.get_model(each) for each in service.provider.resource_types}
        named = named_by(asked.method, asked.path, is_plain=not asked.query, body=asked.body)
        shelf = PostgresScimStorage(session, known, key=parts.key, models=models, now=now, named=named)
        answer = ScimHandler(service, shelf).handle(asked)
        if is_change:
            if shelf.has_users():
                session.execute(_LISTS, {"now": now})
            applying = Applying(session=session, known=known, shelf=shelf, key=parts.key, now=now)
            applying.apply()
            _record(session, known, answer, asked, now=now)
            stamps = applying.stamps
    for person_id, stamp in stamps.items():
        parts.sessions.move_stamp(person_id, stamp)
    return answer


def _record(
    session: Any, known: DirectoryCaller, answer: ScimResponse, asked: ScimRequest, *, now: datetime
) -> None:
    target = str((answer.body or {}).get("id") or asked.path.rpartition("/")[2])
    deed = audit.AuditedAction(
        actor=audit.Actor(kind=audit.ActorKind.KEY, id=known.token_id),
        action=Action.DIRECTORY_CHANGED,
        targets=(target,),
        organization_id=known.organization_id,
        reason=asked.method.lower(),
        request_id=request_id(),
    )
    audit.record(session, deed, now=now)


def refusal(status: int, detail: str) -> Response:
    """A SCIM error response for an unreadable body."""
    error = Error(status=status, detail=detail)
    return JSONResponse(error.model_dump(), status_code=status, media_type=SCIM_MEDIA_TYPE)


def _response(answer: ScimResponse) -> Response:
    if answer.status == _NO_CONTENT or answer.body is None:
        headers = {name: each for name, each in answer.headers.items() if name != "Content-Type"}
        return Response(status_code=answer.status, headers=headers)
    return JSONResponse(
        answer.body, status_code=answer.status, headers=answer.headers, media_type=SCIM_MEDIA_TYPE
    )
