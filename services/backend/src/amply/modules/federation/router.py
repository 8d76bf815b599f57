"""`/v1/organisations/{organization_id}/sign-in` and its parts; `/v1/auth/outside/find`: the provider of an e-mail domain."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy import text

from amply.infra.conditional import ChangedMeanwhile, IfMatch, etag_of, require_match
from amply.infra.web import DatabaseOf, responses
from amply.kernel.errors import AmplyError, TooManyRequests
from amply.modules import access as who
from amply.modules import people
from amply.modules.access import Access, Permission, allowed
from amply.modules.federation import connections, domains
from amply.modules.federation.dependencies import Dependencies
from amply.modules.federation.domain import (
    ConnectionNotAcceptable,
    ConnectionNotFound,
    DomainNotAcceptable,
    DomainNotFound,
    DomainNotShown,
    DomainTaken,
    FederationNotOffered,
    NotTriedYet,
    RecordsUnavailable,
    TooManyDomains,
    domain_of,
)
from amply.modules.federation.schemas import (
    AddressIn,
    ConnectionIn,
    ConnectionOut,
    DomainIn,
    DomainList,
    DomainOut,
    FoundOut,
)

router = APIRouter(prefix="/v1/organisations/{organization_id}/sign-in", tags=["Sign-in of organisations"])
finding_router = APIRouter(prefix="/v1/auth", tags=["People"])

_FIND: Final = text("SELECT organization_id, name FROM organization_of_domain(:asked)")


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.organization_sign_in
    if parts is None:
        raise FederationNotOffered("People cannot sign in here yet; ask whoever runs this platform.")
    return parts


PartsOf = Annotated[Dependencies, Depends(_parts)]
Reading = Annotated[Access, allowed(Permission.SIGN_IN_READ)]
Changing = Annotated[Access, allowed(Permission.SIGN_IN_CHANGE)]
DomainName = Annotated[str, Path(min_length=4, max_length=253, pattern=r"^[a-zA-Z0-9.-]+$")]


def _problems(*more: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    return responses(*who.PROBLEMS, FederationNotOffered, *more)


@router.get("", summary="See the organisation's own sign-in", responses=_problems(ConnectionNotFound))
def show_sign_in(access: Reading, parts: PartsOf, response: Response) -> ConnectionOut:
    with access.transaction() as session:
        shown = ConnectionOut.of(connections.show(session, access), redirect=parts.redirect)
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.post(
    "",
    summary="Set up the organisation's own sign-in",
    responses=_problems(ConnectionNotAcceptable, ConnectionNotFound, NotTriedYet, ChangedMeanwhile),
)
def set_sign_in(
    body: ConnectionIn, access: Changing, parts: PartsOf, response: Response, if_match: IfMatch = None
) -> ConnectionOut:
    """Sets all of it. With an `If-Match`, only upon what that names."""
    with access.transaction() as session:
        if if_match is not None:
            before = ConnectionOut.of(connections.show(session, access, locked=True), redirect=parts.redirect)
            require_match(if_match, before)
        made = connections.put(
            session,
            access,
            issuer=body.issuer,
            client_id=body.client_id,
            client_secret=body.client_secret,
            default_role=body.default_role,
            group_roles=body.group_roles,
            is_required=body.is_required,
            key=parts.key,
            allows_loopback=parts.allows_loopback,
        )
    shown = ConnectionOut.of(made, redirect=parts.redirect)
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.delete(
    "",
    status_code=204,
    summary="Take the organisation's own sign-in away",
    responses=_problems(ConnectionNotFound),
)
def remove_sign_in(access: Changing) -> None:
    """Who came by it has no role within five minutes; who is in the organisation otherwise, stays."""
    with access.transaction() as session:
        connections.remove(session, access)


@router.get("/domains", summary="List the organisation's domains", responses=_problems())
def list_domains(access: Reading) -> DomainList:
    with access.transaction() as session:
        found = domains.domains_of(session, access)
    return DomainList(data=[DomainOut.of(each) for each in found])


@router.post(
    "/domains",
    status_code=201,
    summary="Say that a domain is the organisation's",
    responses=_problems(DomainNotAcceptable, TooManyDomains),
)
def claim_domain(body: DomainIn, access: Changing) -> DomainOut:
    """Put the record that this answers with into the domain's DNS, and have it looked at."""
    named = domain_of(body.domain)
    with access.transaction() as session:
        return DomainOut.of(domains.claim(session, access, domain=named))


@router.post(
    "/domains/{domain}/check",
    summary="Look whether the DNS shows that a domain is the organisation's",
    responses=_problems(DomainNotAcceptable, DomainNotFound, DomainNotShown, DomainTaken, RecordsUnavailable),
)
def check_domain(domain: DomainName, access: Changing, parts: PartsOf) -> DomainOut:
    """From then on people with addresses of this domain are sent to the organisation's provider. Looked at every day."""
    return DomainOut.of(domains.look(access, parts.records, domain=domain_of(domain)))


@router.delete(
    "/domains/{domain}",
    status_code=204,
    summary="Take a domain away",
    responses=_problems(DomainNotAcceptable, DomainNotFound),
)
def remove_domain(domain: DomainName, access: Changing) -> None:
    with access.transaction() as session:
        domains.give_up(session, access, domain=domain_of(domain))


@finding_router.post(
    "/outside/find",
    summary="Find the provider that an address signs in by",
    dependencies=people.FROM_ANYBODY,
    responses=responses(TooManyRequests),
)
def find_outside(body: AddressIn, database: DatabaseOf) -> FoundOut:
    """By the domain alone: whether the address has an account is not looked up."""
    try:
        asked = domain_of(body.email.rpartition("@")[2])
    except DomainNotAcceptable:
        return FoundOut(provider=None, name=None)
    with database.transaction() as session:
        row = session.execute(_FIND, {"asked": asked}).one_or_none()
    return FoundOut(
        provider=None if row is None else row.organization_id, name=None if row is None else row.name
    )
