"""FastAPI dependencies that authenticate the caller and check a permission."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from amply.infra import rate_limits
from amply.infra.credentials import Credential, takes
from amply.infra.database import Database
from amply.infra.rate_limits import client_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier
from amply.kernel.errors import TooManyRequests
from amply.modules.access.domain import (
    Anonymous,
    AuthenticationRequired,
    Caller,
    ConfirmationRequired,
    CredentialNotValid,
    KeyCaller,
    NotAllowed,
    OrganizationHidden,
    PersonCaller,
    Role,
    SessionNotValid,
    SignInUnavailable,
)
from amply.modules.access.grants import Access, PersonAccess, Standing, standing_of
from amply.modules.access.policy import CONFIRMED_WITHIN, POLICY, Permission
from amply.modules.access.ports import RoleRenewal

PROBLEMS: Final = (
    AuthenticationRequired,
    CredentialNotValid,
    SessionNotValid,
    SignInUnavailable,
    NotAllowed,
    ConfirmationRequired,
    OrganizationHidden,
    TooManyRequests,
)
"""Errors of authentication and authorisation on routes with `{organization_id}`."""

OWN_PROBLEMS: Final = (
    AuthenticationRequired,
    CredentialNotValid,
    SessionNotValid,
    SignInUnavailable,
    NotAllowed,
    ConfirmationRequired,
    TooManyRequests,
)
"""The same for routes about the signed-in person."""

_SAFE: Final = ("GET", "HEAD")
_ASKED_BEFORE: Final = timedelta(minutes=1)
"""A role is renewed this long before it expires, so that a slow provider delays nobody."""


def _caller(request: Request, clock: ClockOf) -> Caller:
    """Each way to be known is asked in turn; what the first one knows counts."""
    address = client_address(request)
    for source in request.app.state.callers:
        found: Caller | None = source.caller_of(
            headers=request.headers, cookies=request.cookies, address=address, now=clock()
        )
        if found is not None:
            return found
    return Anonymous()


CallerOf = Annotated[Caller, Depends(_caller)]


def count(request: Request, caller: PersonCaller | KeyCaller) -> None:
    """Count a request against the caller's limit, from any address.

    Raises:
        TooManyRequests: They asked too often.
    """
    of_key, of_person = limits_of_callers(request.method)
    if isinstance(caller, KeyCaller):
        rate_limits.count(request, limit=of_key, caller=caller.key_id)
    else:
        rate_limits.count(request, limit=of_person, caller=caller.person_id)


def limits_of_callers(method: str) -> tuple[str, str]:
    """Names of the limits for keys and people, for requests of this method."""
    what = "reads" if method in _SAFE else "writes"
    return f"key_{what}", f"person_{what}"


@takes(Credential.KEY, optional=True)
async def _key(request: Request, clock: ClockOf) -> KeyCaller | None:
    """A key, on a route that is for anybody: sessions are not looked at, so that one that is over keeps nobody from giving."""
    sent = request.headers.get("authorization")
    # Donors have no credentials, so this needs no thread.
    return await run_in_threadpool(_key_shown, request, sent, clock()) if sent else None


def _key_shown(request: Request, sent: str, now: datetime) -> KeyCaller | None:
    address = client_address(request)
    for source in request.app.state.callers:
        found = source.caller_of(headers={"authorization": sent}, cookies={}, address=address, now=now)
        if isinstance(found, KeyCaller):
            return found
    return None


KeyOf = Annotated[KeyCaller | None, Depends(_key)]


def require_own(request: Request, key: KeyCaller, *, organization_id: str, permission: Permission) -> None:
    """Restrict a key to its own organisation on routes that are open to anybody.

    Raises:
        OrganizationHidden: It is another organisation's key.
        NotAllowed: It has no scope for this.
        TooManyRequests: It asked too often.
    """
    count(request, key)
    Allowed(permission).require_scope(organization_id, key)


@dataclass(frozen=True)
class Allowed:
    """Dependency of routes with `{organization_id}`: authorises the caller, and returns the `Access` for queries.

    Raises:
        AuthenticationRequired: Nobody knows who asks.
        OrganizationHidden: They have nothing to do with this organisation, or there is none.
        NotAllowed, ConfirmationRequired: They have, and may not, or not before they have shown that it is them.
        TooManyRequests: They asked too often.
    """

    permission: Permission

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """A key is taken where one may do this at all."""
        return (Credential.SESSION, *([Credential.KEY] if POLICY[self.permission].scopes else []))

    def limits(self, method: str) -> tuple[str, ...]:
        """Of whoever asks."""
        return limits_of_callers(method)

    def __call__(
        self,
        request: Request,
        organization_id: Identifier,
        caller: CallerOf,
        database: DatabaseOf,
        clock: ClockOf,
    ) -> Access:
        known = _known(caller)
        count(request, known)
        now, role = clock(), None
        if isinstance(known, PersonCaller):
            role = self._role(request, database, organization_id, known, now=now)
            _require_confirmed(self.permission, known, now=now)
        else:
            self.require_scope(organization_id, known)
        return Access(
            caller=known,
            organization_id=organization_id,
            permission=self.permission,
            role=role,
            now=now,
            database=database,
        )

    def _role(
        self,
        request: Request,
        database: Database,
        organization_id: str,
        caller: PersonCaller,
        *,
        now: datetime,
    ) -> Role:
        standing = _standing(request, database, organization_id, caller.person_id, now=now)
        if standing is None:
            raise OrganizationHidden
        if standing.holds_until is not None and standing.holds_until <= now:
            raise SessionNotValid(
                "Sign in by your organisation again: it has not said for minutes who you are."
            )
        if caller.through not in (None, organization_id):
            raise NotAllowed("Confirm that it is you first: another organisation's provider signed you in.")
        if standing.by_provider_alone and caller.through is None:
            raise NotAllowed("Sign in by your organisation: its members come by its own sign-in alone.")
        role = standing.role
        if role not in POLICY[self.permission].roles:
            raise NotAllowed(f"Ask somebody who may '{self.permission}': your role is '{role}'.")
        return role

    def require_scope(self, organization_id: str, caller: KeyCaller) -> None:
        """Raises OrganizationHidden or NotAllowed unless the key has the permission."""
        if caller.organization_id != organization_id:
            raise OrganizationHidden
        scopes = POLICY[self.permission].scopes
        if not scopes:
            raise NotAllowed(f"No key may '{self.permission}': a person who is signed in does this.")
        if not scopes & caller.scopes:
            raise NotAllowed(f"Use a key with the scope '{min(scopes)}'.")


@dataclass(frozen=True)
class SignedIn:
    """Dependency of routes about the signed-in person, without an organisation in the path.

    Raises:
        AuthenticationRequired, NotAllowed: Nobody is, or it is a key.
        ConfirmationRequired: They may once they have shown that it is them.
        TooManyRequests: They asked too often.
    """

    permission: Permission

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """People alone."""
        return (Credential.SESSION,)

    def limits(self, method: str) -> tuple[str, ...]:
        """Of whoever asks."""
        return limits_of_callers(method)

    def __call__(
        self, request: Request, caller: CallerOf, database: DatabaseOf, clock: ClockOf
    ) -> PersonAccess:
        known = _known(caller)
        count(request, known)
        if isinstance(known, KeyCaller):
            raise NotAllowed(f"No key may '{self.permission}': a person who is signed in does this.")
        now = clock()
        _require_confirmed(self.permission, known, now=now)
        return PersonAccess(caller=known, permission=self.permission, now=now, database=database)


def _standing(
    request: Request, database: Database, organization_id: str, person_id: str, *, now: datetime
) -> Standing | None:
    """What somebody is, as their organisation's provider says it now where it is that who says it."""
    asked = {"organization_id": organization_id, "person_id": person_id}
    found = standing_of(database, **asked)
    renewal: RoleRenewal | None = request.app.state.role_renewal
    if found is None or found.holds_until is None or renewal is None:
        return found
    if now < found.holds_until - _ASKED_BEFORE:
        return found
    renewal.renew(**asked, now=now)
    return standing_of(database, **asked)


def allowed(permission: Permission) -> Any:
    """Dependency for a route's parameter `access`, with the permission it requires."""
    return Depends(Allowed(permission))


def signed_in(permission: Permission) -> Any:
    """Dependency for a route's parameter `own` about the signed-in person."""
    return Depends(SignedIn(permission))


def _known(caller: Caller) -> PersonCaller | KeyCaller:
    if isinstance(caller, Anonymous):
        raise AuthenticationRequired("Sign in, or send an API key as `Authorization: Bearer sk_…`.")
    return caller


def _require_confirmed(permission: Permission, caller: PersonCaller, *, now: datetime) -> None:
    if POLICY[permission].confirmed and now - caller.confirmed_at > CONFIRMED_WITHIN:
        raise ConfirmationRequired("Show once more that it is you, then repeat the request.")
