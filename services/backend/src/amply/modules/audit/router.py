"""`/v1/organisations/{organization_id}/audit`: who did what in an organisation, for those who run it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from amply.infra.web import Identifier, responses
from amply.kernel.pagination import PAGE_SIZE_MAX
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.audit.domain import ActorKind
from amply.modules.audit.queries import own

router = APIRouter(prefix="/v1/organisations/{organization_id}", tags=["Audit log"])


class ActorOut(BaseModel):
    """Who acted. `operator` and `system` are the platform's own."""

    kind: ActorKind
    id: str


class AuditRecordOut(BaseModel):
    """What was done. `targets` are ids, or digests of what has none; `reason` is a code, such as the role that was given."""

    id: str
    at: str
    actor: ActorOut
    action: str
    targets: list[str]
    outcome: str
    reason: str | None
    error: str | None
    request_id: str | None

    @classmethod
    def of(cls, said: dict[str, Any]) -> "AuditRecordOut":
        """A record as it was written; what it leaves out is empty."""
        return cls(
            id=said["id"],
            at=said["at"],
            actor=ActorOut(**said["actor"]),
            action=said["action"],
            targets=said.get("targets", []),
            outcome=said["outcome"],
            reason=said.get("reason"),
            error=said.get("error"),
            request_id=said.get("request"),
        )


class AuditRecordList(BaseModel):
    """A page of records, the newest first; pass `next_cursor` as `cursor` for older ones."""

    data: list[AuditRecordOut]
    has_more: bool
    next_cursor: str | None


@router.get("/audit", summary="See who did what", responses=responses(*PROBLEMS))
def list_records(
    access: Annotated[Access, allowed(Permission.AUDIT_READ)],
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
    cursor: Annotated[Identifier | None, Query(description="`next_cursor` of the page before")] = None,
) -> AuditRecordList:
    """What members, keys and the platform's staff did in the organisation. Nobody is named but by their id."""
    with access.transaction() as session:
        page = own(session, access, before=cursor, limit=limit)
    return AuditRecordList(
        data=[AuditRecordOut.of(said) for said in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )
