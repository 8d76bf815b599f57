"""`/v1/auth`: registration, sessions, and deletion of an account. Factors have their own routes."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from amply.infra.web import ClockOf, Identifier, responses
from amply.kernel.errors import AmplyError, NotFound, TooManyRequests
from amply.modules.access import (
    ConfirmationRequired,
    LastOwner,
    SessionNotValid,
    SignInUnavailable,
)
from amply.modules.people import credential_changes, factors, persons, registering, signing_in
from amply.modules.people.addresses import AddressNotAcceptable
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import (
    LetterLinkNotValid,
    PeopleNotOffered,
    SignInElsewhere,
    SignInRefused,
)
from amply.modules.people.factors import FactorRefused
from amply.modules.people.passwords import PasswordNotAcceptable
from amply.modules.people.schemas import (
    ConfirmIn,
    Done,
    EmailIn,
    FactorNeededOut,
    LetterAsked,
    LoginFactorIn,
    LoginIn,
    PasswordIn,
    PersonOut,
    RegisterIn,
    ResetAskedIn,
    ResetIn,
    SecuritySettingsIn,
    SessionList,
    SessionOut,
    SignedInOut,
    TokenIn,
    VerifyIn,
)
from amply.modules.people.signing_in import FactorNeeded, SignedIn
from amply.modules.people.web import (
    FROM_ANYBODY,
    ConfirmedOf,
    PartsOf,
    PersonOf,
    VisitOf,
    clear_session,
    new_device,
    set_device,
    set_session,
    token_of,
)

router = APIRouter(prefix="/v1/auth", tags=["People"])

ANYBODY: Final[tuple[type[AmplyError], ...]] = (TooManyRequests, PeopleNotOffered, SignInUnavailable)
SIGNED_IN: Final[tuple[type[AmplyError], ...]] = (*ANYBODY, SessionNotValid)
CONFIRMED: Final[tuple[type[AmplyError], ...]] = (*SIGNED_IN, ConfirmationRequired)


class SessionNotFound(NotFound):
    """It is over, or somebody else's."""

    code = "session_not_found"


def _token(request: Request, parts: PartsOf, _: PersonOf) -> str:
    return token_of(request, parts.site)


TokenOf = Annotated[str, Depends(_token)]
"""The token of whoever is signed in."""


def let_in(response: Response, parts: Dependencies, signed_in: SignedIn) -> SignedInOut:
    """The response with a session's cookies."""
    set_session(response, parts.site, signed_in.token)
    set_device(response, parts.site, signed_in.device)
    return SignedInOut(person_id=signed_in.person_id)


@router.post(
    "/register",
    status_code=202,
    summary="Ask for an account",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, AddressNotAcceptable, PasswordNotAcceptable),
)
def register(body: RegisterIn, parts: PartsOf, visit: VisitOf, clock: ClockOf) -> LetterAsked:
    """Answered the same for every address. The letter leads to `verify-email`, or says that there is an account."""
    registering.register(
        parts, email=body.email, password=body.password, language=body.language, visit=visit, now=clock()
    )
    return LetterAsked()


@router.post(
    "/verify-email",
    status_code=201,
    summary="Open the account a letter's link is for",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, LetterLinkNotValid, SignInRefused),
)
def verify_email(body: VerifyIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response) -> Done:
    """Takes the password that was registered with: the link alone opens nothing. Then sign in."""
    device = new_device(visit)
    registering.verify(
        parts, token=body.token, password=body.password, device=parts.key.mark_of(device), now=clock()
    )
    set_device(response, parts.site, device)
    return Done()


@router.post(
    "/login",
    summary="Sign in with address and password",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, AddressNotAcceptable, SignInRefused, SignInElsewhere),
)
def login(
    body: LoginIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> SignedInOut | FactorNeededOut:
    """Where there is a second factor, no session is opened yet: go on with `login/factor` or `login/passkey`."""
    found = signing_in.sign_in(parts, email=body.email, password=body.password, visit=visit, now=clock())
    if isinstance(found, FactorNeeded):
        return FactorNeededOut.of(found)
    return let_in(response, parts, found)


@router.post(
    "/login/factor",
    summary="Sign in with a code, after the password",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, SignInRefused, FactorRefused, SignInElsewhere),
)
def login_factor(
    body: LoginFactorIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> SignedInOut:
    found = signing_in.finish_with_code(parts, pending=body.pending, code=body.code, visit=visit, now=clock())
    return let_in(response, parts, found)


@router.post("/logout", summary="End this session", dependencies=FROM_ANYBODY, responses=responses(*ANYBODY))
def logout(request: Request, parts: PartsOf, response: Response) -> Done:
    """Whoever is not signed in is signed out already."""
    token = token_of(request, parts.site)
    if token:
        parts.sessions.end(token)
    clear_session(response, parts.site)
    return Done()


@router.post("/logout-all", summary="End all one's sessions", responses=responses(*SIGNED_IN))
def logout_all(caller: PersonOf, parts: PartsOf, response: Response) -> Done:
    credential_changes.sign_out_everywhere(parts, caller)
    clear_session(response, parts.site)
    return Done()


@router.get("/me", summary="See who is signed in", responses=responses(*SIGNED_IN))
def show_me(caller: PersonOf, parts: PartsOf) -> PersonOut:
    with parts.database.transaction() as session:
        person = persons.find(session, person_id=caller.person_id, key=parts.key)
        found = factors.of_person(session, person_id=caller.person_id)
    if person is None:
        raise SessionNotValid("Sign in again.")
    return PersonOut.of(person, caller, found)


@router.delete("/me", summary="Delete one's account", responses=responses(*CONFIRMED, LastOwner))
def delete_me(caller: ConfirmedOf, parts: PartsOf, clock: ClockOf, response: Response) -> Done:
    """Address, password, factors and sessions go at once. Gifts are the donor's own matter: see `/v1/donor`."""
    credential_changes.erase(parts, caller, now=clock())
    clear_session(response, parts.site)
    return Done()


@router.get("/sessions", summary="See one's sessions", responses=responses(*SIGNED_IN))
def list_sessions(caller: PersonOf, parts: PartsOf) -> SessionList:
    found = parts.sessions.of_person(caller.person_id)
    return SessionList(data=[SessionOut.of(each, present=caller.session_id) for each in found])


@router.delete(
    "/sessions/{session_id}",
    summary="End one of one's sessions",
    responses=responses(*SIGNED_IN, SessionNotFound),
)
def end_session(session_id: Identifier, caller: PersonOf, parts: PartsOf) -> Done:
    if not parts.sessions.end_one(caller.person_id, session_id=session_id):
        raise SessionNotFound("You have no such session; it may be over.")
    return Done()


@router.post(
    "/confirm",
    summary="Show once more that it is you",
    responses=responses(*SIGNED_IN, SignInRefused, FactorRefused),
)
def confirm(
    body: ConfirmIn, caller: PersonOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> Done:
    """For what is dangerous. Counts for ten minutes; the session gets another token."""
    made = signing_in.confirm(parts, caller, token=token, password=body.password, code=body.code, now=clock())
    set_session(response, parts.site, made)
    return Done()


@router.post(
    "/request-password-reset",
    status_code=202,
    summary="Ask for a way to a new password",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, AddressNotAcceptable),
)
def request_password_reset(body: ResetAskedIn, parts: PartsOf, visit: VisitOf, clock: ClockOf) -> LetterAsked:
    """Answered the same for every address. The letter leads to `reset-password`, or says that there is no account."""
    credential_changes.ask_for_password(
        parts, email=body.email, language=body.language, visit=visit, now=clock()
    )
    return LetterAsked()


@router.post(
    "/reset-password",
    summary="Choose a new password by a letter's link",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, LetterLinkNotValid, PasswordNotAcceptable),
)
def reset_password(body: ResetIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response) -> Done:
    """Ends all sessions. The second factor stays; then sign in."""
    device = new_device(visit)
    credential_changes.reset_password(
        parts, token=body.token, password=body.password, device=parts.key.mark_of(device), now=clock()
    )
    set_device(response, parts.site, device)
    return Done()


@router.post(
    "/password",
    summary="Change one's password",
    responses=responses(*SIGNED_IN, SignInRefused, PasswordNotAcceptable),
)
def change_password(
    body: PasswordIn, caller: PersonOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> Done:
    """Ends every other session."""
    made = credential_changes.change_password(
        parts, caller, token=token, before=body.present_password, after=body.password, now=clock()
    )
    set_session(response, parts.site, made)
    return Done()


@router.post(
    "/email",
    status_code=202,
    summary="Ask to have another e-mail address",
    responses=responses(*CONFIRMED, AddressNotAcceptable),
)
def change_email(body: EmailIn, caller: ConfirmedOf, parts: PartsOf, clock: ClockOf) -> LetterAsked:
    """The letter goes to the new address and leads to `confirm-email`; until then nothing changes."""
    registering.change_address(parts, person_id=caller.person_id, email=body.email, now=clock())
    return LetterAsked()


@router.post(
    "/confirm-email",
    summary="Use another e-mail address by a letter's link",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, LetterLinkNotValid),
)
def confirm_email(body: TokenIn, parts: PartsOf, clock: ClockOf) -> Done:
    """Ends all sessions; then sign in with the new address. The old one is told."""
    registering.confirm_address(parts, token=body.token, now=clock())
    return Done()


@router.post(
    "/security-settings",
    summary="Hold one's sessions to where they begin",
    responses=responses(*CONFIRMED),
)
def security_settings(
    body: SecuritySettingsIn,
    caller: ConfirmedOf,
    token: TokenOf,
    parts: PartsOf,
    clock: ClockOf,
    response: Response,
) -> Done:
    """Ends all sessions, since where they began was not kept; then sign in."""
    credential_changes.set_ip_binding(parts, caller, token=token, binding=body.ip_binding, now=clock())
    clear_session(response, parts.site)
    return Done()
