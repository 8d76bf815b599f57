"""`/v1/auth/outside` and `/v1/auth/identities`: sign-in by OpenID provider, and linked identities."""

from typing import Final

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from amply.infra.web import ClockOf, Identifier, responses
from amply.kernel.errors import AmplyError
from amply.modules.audit import Action
from amply.modules.mail import Language
from amply.modules.people import credential_changes, identities, oidc_sign_in
from amply.modules.people.addresses import AddressNotAcceptable
from amply.modules.people.domain import SignInElsewhere, SignInRefused
from amply.modules.people.factors import FactorRefused
from amply.modules.people.identities import IdentityNotFound, IdentityTaken, LastWayIn, TooManyIdentities
from amply.modules.people.oidc_schemas import (
    IdentityIn,
    IdentityList,
    IdentityOut,
    LinkNeededOut,
    OutsideBackIn,
    OutsideBegun,
    OutsideIn,
    OutsideLinkIn,
    ProviderList,
    ProviderOut,
)
from amply.modules.people.oidc_sign_in import AddressNotProven, LinkNeeded
from amply.modules.people.providers import NoRoleHere, ProviderAway, ProviderNotFound, ProviderRefused
from amply.modules.people.router import ANYBODY, CONFIRMED, SIGNED_IN, TokenOf, let_in
from amply.modules.people.schemas import Done, FactorNeededOut, SignedInOut
from amply.modules.people.signing_in import FactorNeeded
from amply.modules.people.web import (
    FROM_ANYBODY,
    ConfirmedOf,
    PartsOf,
    PersonOf,
    VisitOf,
    set_device,
    set_session,
)

oidc_router = APIRouter(prefix="/v1/auth", tags=["People"])

_BEGINNING: Final[tuple[type[AmplyError], ...]] = (ProviderNotFound, ProviderAway, ProviderRefused)
_BACK: Final[tuple[type[AmplyError], ...]] = (*_BEGINNING, NoRoleHere)


@oidc_router.get(
    "/providers",
    summary="See which providers sign people in",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY),
)
def list_providers(parts: PartsOf) -> ProviderList:
    """Those for everybody; an organisation's own is found by an address of its domain."""
    found = parts.oidc_sign_in.providers.values() if parts.oidc_sign_in else ()
    return ProviderList(data=[ProviderOut(key=each.key, name=each.name) for each in found])


@oidc_router.post(
    "/outside",
    summary="Begin to sign in by a provider",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, *_BEGINNING),
)
def begin_outside(
    body: OutsideIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> OutsideBegun:
    """Send the browser to `url`. It comes back to the account page with `code`, `state` and perhaps `iss`."""
    begun = oidc_sign_in.begin(
        parts, key=body.provider, visit=visit, language=body.language, hint=body.email, now=clock()
    )
    set_device(response, parts.site, begun.device)
    return OutsideBegun(url=begun.url)


@oidc_router.post(
    "/outside/finish",
    summary="Finish signing in by a provider",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, *_BACK, *(AddressNotAcceptable, AddressNotProven, SignInElsewhere)),
)
def finish_outside(
    body: OutsideBackIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> SignedInOut | FactorNeededOut | LinkNeededOut:
    """Once, in the browser it began in. Where the address has an account, its owner links it by `outside/link`."""
    found = oidc_sign_in.finish(
        parts, state=body.state, code=body.code, issuer=body.iss, visit=visit, now=clock()
    )
    if isinstance(found, LinkNeeded):
        return LinkNeededOut(pending=found.pending)
    if isinstance(found, FactorNeeded):
        return FactorNeededOut.of(found)
    return let_in(response, parts, found)


@oidc_router.post(
    "/outside/link",
    summary="Link a provider with one's account, and sign in",
    dependencies=FROM_ANYBODY,
    responses=responses(
        *(*ANYBODY, *_BACK, SignInRefused, FactorRefused, SignInElsewhere),
        *(IdentityTaken, TooManyIdentities),
    ),
)
def link_outside(
    body: OutsideLinkIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> SignedInOut:
    """With the account's password, and a code where there is a second factor. The account's owner is told by letter."""
    found = oidc_sign_in.link_by_password(
        parts, pending=body.pending, password=body.password, code=body.code, visit=visit, now=clock()
    )
    return let_in(response, parts, found)


@oidc_router.get("/identities", summary="See which providers sign one in", responses=responses(*SIGNED_IN))
def list_identities(caller: PersonOf, parts: PartsOf) -> IdentityList:
    with parts.database.transaction() as session:
        found = identities.identities_of(session, person_id=caller.person_id)
    known = parts.oidc_sign_in.providers if parts.oidc_sign_in else {}
    names = {key: each.name for key, each in known.items()}
    return IdentityList(data=[IdentityOut.of(each, name=names.get(each.provider)) for each in found])


@oidc_router.post(
    "/identities",
    summary="Begin to link a provider with one's account",
    responses=responses(*CONFIRMED, *_BEGINNING),
)
def begin_identity(
    body: IdentityIn, caller: ConfirmedOf, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> OutsideBegun:
    """Send the browser to `url`, and finish what it comes back with by `identities/finish`."""
    begun = oidc_sign_in.begin(
        parts,
        key=body.provider,
        visit=visit,
        language=Language.EN,
        now=clock(),
        person_id=caller.person_id,
    )
    set_device(response, parts.site, begun.device)
    return OutsideBegun(url=begun.url)


@oidc_router.post(
    "/identities/finish",
    summary="Finish linking a provider with one's account",
    responses=responses(*SIGNED_IN, *_BACK, IdentityTaken, TooManyIdentities),
)
def finish_identity(
    body: OutsideBackIn, caller: PersonOf, parts: PartsOf, visit: VisitOf, clock: ClockOf
) -> Done:
    """Once, in the browser and by whom it was begun. A letter tells of it."""
    oidc_sign_in.link_own(
        parts, caller, state=body.state, code=body.code, issuer=body.iss, visit=visit, now=clock()
    )
    return Done()


@oidc_router.delete(
    "/identities/{identity_id}",
    summary="Have a provider sign one in no more",
    responses=responses(*CONFIRMED, IdentityNotFound, LastWayIn),
)
def remove_identity(
    identity_id: Identifier,
    caller: ConfirmedOf,
    token: TokenOf,
    parts: PartsOf,
    clock: ClockOf,
    response: Response,
) -> Done:
    """Ends every other session. Refused where nothing else would be left to sign in by."""

    def change(session: Session) -> None:
        identities.unlink(session, person_id=caller.person_id, identity_id=identity_id)

    made = credential_changes.changed(
        parts, caller, token=token, change=change, action=Action.PERSON_IDENTITY_UNLINKED, now=clock()
    )
    set_session(response, parts.site, made)
    return Done()
