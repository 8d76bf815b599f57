"""`/v1/organisations/{organization_id}/audit`: an organisation's audit log, for those who run it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from amply.infra.keyset import CursorOf
from amply.infra.web import ParameterNotKnown, known_parameters, responses
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.audit.domain import Action, ActorKind
from amply.modules.audit.queries import Search, own

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
        """A record as stored; missing members are empty."""
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


async def _wanted(
    actor: Annotated[
        str | None,
        Query(
            pattern="^(person|key|operator|system):[a-z0-9_:/-]{1,80}$", description="Such as `person:usr_…`"
        ),
    ] = None,
    action: Annotated[Action | None, Query(description="Such as `member.invited`")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Then or later, with its offset.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before then, with its offset.")] = None,
) -> Search:
    return Search(actor=actor, action=action, since=since, until=until)


@router.get(
    "/audit",
    summary="See who did what",
    dependencies=[Depends(known_parameters)],
    responses=responses(*PROBLEMS, CursorNotAcceptable, ParameterNotKnown),
)
def list_records(
    access: Annotated[Access, allowed(Permission.AUDIT_READ)],
    wanted: Annotated[Search, Depends(_wanted)],
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
    cursor: CursorOf = None,
) -> AuditRecordList:
    """What members, keys and the platform's staff did in the organisation. Nobody is named but by their id."""
    with access.transaction() as session:
        page = own(session, access, wanted, cursor=cursor, limit=limit)
    return AuditRecordList(
        data=[AuditRecordOut.of(said) for said in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )
