"""`/v1/organisations/{organization_id}/keys`: API keys of an organisation."""

from typing import Annotated

from fastapi import APIRouter, Request

from amply.infra.web import Identifier, responses
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.keys import service
from amply.modules.keys.domain import KeyNotAcceptable, KeyNotFound, TooManyKeys
from amply.modules.keys.schemas import KeyIn, KeyList, KeyMade, KeyOut

router = APIRouter(prefix="/v1/organisations/{organization_id}/keys", tags=["API keys"])

Changing = Annotated[Access, allowed(Permission.KEYS_CHANGE)]


@router.get("", summary="List API keys", responses=responses(*PROBLEMS))
def list_keys(access: Annotated[Access, allowed(Permission.KEYS_READ)]) -> KeyList:
    with access.transaction() as session:
        return KeyList(data=[KeyOut.of(key) for key in service.keys_of(session, access)])


@router.post(
    "",
    status_code=201,
    summary="Make an API key",
    responses=responses(*PROBLEMS, KeyNotAcceptable, TooManyKeys),
)
def make_key(body: KeyIn, access: Changing, request: Request) -> KeyMade:
    """The secret is in this answer alone. An answer that was lost: revoke the key, and make another one."""
    with access.transaction() as session:
        made, secret = service.make(
            session,
            access,
            name=body.name,
            scopes=body.scopes,
            lifetime_days=body.lifetime_days,
            is_live=request.app.state.livemode,
        )
    return KeyMade.with_secret(made, secret)


@router.delete("/{key_id}", summary="Revoke an API key", responses=responses(*PROBLEMS, KeyNotFound))
def revoke_key(key_id: Identifier, access: Changing) -> KeyOut:
    """At once: a request that comes after this answer is refused."""
    with access.transaction() as session:
        return KeyOut.of(service.revoke(session, access, key_id=key_id))
