"""`/v1/auth/factors` and sign-in by passkey: second factors and passkeys."""

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from amply.infra.web import ClockOf, Identifier, responses
from amply.modules.access import SessionNotValid
from amply.modules.audit import Action
from amply.modules.people import credential_changes, factors, limits, passkeys, persons, signing_in
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import Person, SignInElsewhere, SignInRefused
from amply.modules.people.factors import FactorExists, FactorNotFound, FactorRefused
from amply.modules.people.passkeys import PasskeyNotFound, TooManyPasskeys
from amply.modules.people.router import ANYBODY, CONFIRMED, SIGNED_IN, TokenOf, let_in
from amply.modules.people.schemas import (
    CeremonyOut,
    CodeIn,
    Done,
    PasskeyAskedIn,
    PasskeyIn,
    PasskeyList,
    PasskeyMade,
    PasskeyOut,
    PasskeyShownIn,
    RecoveryCodesOut,
    SignedInOut,
    TotpOut,
)
from amply.modules.people.web import FROM_ANYBODY, ConfirmedOf, PartsOf, PersonOf, VisitOf, set_session

factor_router = APIRouter(prefix="/v1/auth", tags=["People"])


@factor_router.post(
    "/factors/totp",
    status_code=201,
    summary="Begin with an app for codes",
    responses=responses(*CONFIRMED, FactorExists),
)
def begin_totp(caller: ConfirmedOf, parts: PartsOf, clock: ClockOf) -> TotpOut:
    """It counts once a code of it was shown to `factors/totp/confirm`."""
    with parts.database.transaction() as session:
        person = _present(session, parts, caller.person_id)
        made = factors.begin_totp(
            session, person_id=person.id, email=person.address.written, key=parts.key, now=clock()
        )
    return TotpOut.of(made)


@factor_router.post(
    "/factors/totp/confirm",
    summary="Have an app for codes count",
    responses=responses(*CONFIRMED, FactorRefused, FactorNotFound),
)
def confirm_totp(
    body: CodeIn, caller: ConfirmedOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> RecoveryCodesOut:
    """Answers with recovery codes, which are shown once. Ends every other session."""
    limits.admit(
        parts.counters,
        (limits.CODES, caller.person_id),
        now=clock(),
        told=signing_in.tried_too_often(parts, caller.person_id, now=clock()),
    )
    codes: list[str] = []

    def change(session: Session) -> None:
        codes.extend(
            factors.confirm_totp(
                session, person_id=caller.person_id, code=body.code, key=parts.key, now=clock()
            )
        )

    made = credential_changes.changed(
        parts, caller, token=token, change=change, action=Action.PERSON_FACTORS_CHANGED, now=clock()
    )
    set_session(response, parts.site, made)
    return RecoveryCodesOut(recovery_codes=codes)


@factor_router.delete(
    "/factors/totp", summary="Take the app for codes away", responses=responses(*CONFIRMED, FactorNotFound)
)
def remove_totp(
    caller: ConfirmedOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> Done:
    """Ends every other session."""

    def change(session: Session) -> None:
        factors.remove_totp(session, person_id=caller.person_id)

    made = credential_changes.changed(
        parts, caller, token=token, change=change, action=Action.PERSON_FACTORS_CHANGED, now=clock()
    )
    set_session(response, parts.site, made)
    return Done()


@factor_router.post(
    "/factors/recovery-codes",
    summary="Have new recovery codes",
    responses=responses(*CONFIRMED, FactorNotFound),
)
def new_recovery_codes(
    caller: ConfirmedOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> RecoveryCodesOut:
    """The old ones end, and every other session. Shown once."""
    codes: list[str] = []

    def change(session: Session) -> None:
        found = factors.of_person(session, person_id=caller.person_id)
        if not found.has_totp and not found.passkeys:
            raise FactorNotFound("Set up an app or a passkey first.")
        codes.extend(factors.new_codes(session, person_id=caller.person_id, key=parts.key))

    made = credential_changes.changed(
        parts, caller, token=token, change=change, action=Action.PERSON_FACTORS_CHANGED, now=clock()
    )
    set_session(response, parts.site, made)
    return RecoveryCodesOut(recovery_codes=codes)


@factor_router.get("/factors/passkeys", summary="See one's passkeys", responses=responses(*SIGNED_IN))
def list_passkeys(caller: PersonOf, parts: PartsOf) -> PasskeyList:
    with parts.database.transaction() as session:
        found = passkeys.list_of(session, person_id=caller.person_id)
    return PasskeyList(data=[PasskeyOut.of(each) for each in found])


@factor_router.post(
    "/factors/passkeys/options", summary="Begin with a new passkey", responses=responses(*CONFIRMED)
)
def begin_passkey(caller: ConfirmedOf, parts: PartsOf) -> CeremonyOut:
    with parts.database.transaction() as session:
        person = _present(session, parts, caller.person_id)
    return CeremonyOut.of(passkeys.begin_making(parts, person))


@factor_router.post(
    "/factors/passkeys",
    status_code=201,
    summary="Add a passkey",
    responses=responses(*CONFIRMED, FactorRefused, TooManyPasskeys),
)
def add_passkey(
    body: PasskeyIn, caller: ConfirmedOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> PasskeyMade:
    """Ends every other session. Where there was no second factor before, recovery codes come along."""
    row = passkeys.make(
        parts,
        person_id=caller.person_id,
        ceremony=body.ceremony,
        answer=body.credential,
        name=body.name,
        now=clock(),
    )
    added: list[passkeys.Passkey] = []
    codes: list[str] = []

    def change(session: Session) -> None:
        before = factors.of_person(session, person_id=caller.person_id)
        added.append(passkeys.add(session, row))
        if not before.has_totp and not before.passkeys:
            codes.extend(factors.new_codes(session, person_id=caller.person_id, key=parts.key))

    made = credential_changes.changed(
        parts, caller, token=token, change=change, action=Action.PERSON_FACTORS_CHANGED, now=clock()
    )
    set_session(response, parts.site, made)
    return PasskeyMade(passkey=PasskeyOut.of(added[0]), recovery_codes=codes or None)


@factor_router.delete(
    "/factors/passkeys/{passkey_id}",
    summary="Take a passkey away",
    responses=responses(*CONFIRMED, PasskeyNotFound),
)
def remove_passkey(
    passkey_id: Identifier,
    caller: ConfirmedOf,
    token: TokenOf,
    parts: PartsOf,
    clock: ClockOf,
    response: Response,
) -> Done:
    """Ends every other session."""

    def change(session: Session) -> None:
        passkeys.remove(session, person_id=caller.person_id, passkey_id=passkey_id)

    made = credential_changes.changed(
        parts, caller, token=token, change=change, action=Action.PERSON_FACTORS_CHANGED, now=clock()
    )
    set_session(response, parts.site, made)
    return Done()


@factor_router.post(
    "/login/passkey/options",
    summary="Begin to sign in with a passkey",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, SignInRefused),
)
def begin_passkey_login(body: PasskeyAskedIn, parts: PartsOf, visit: VisitOf, clock: ClockOf) -> CeremonyOut:
    limits.admit(parts.counters, (limits.OF_ADDRESS, parts.key.place_of(visit.address)), now=clock())
    if body.pending is None:
        return CeremonyOut.of(passkeys.begin_showing(parts))
    found = signing_in.pending_of(parts, body.pending, visit=visit, now=clock())
    return CeremonyOut.of(passkeys.begin_showing(parts, person_id=found.person_id))


@factor_router.post(
    "/login/passkey",
    summary="Sign in with a passkey",
    dependencies=FROM_ANYBODY,
    responses=responses(*ANYBODY, SignInRefused, FactorRefused, SignInElsewhere),
)
def login_passkey(
    body: PasskeyShownIn, parts: PartsOf, visit: VisitOf, clock: ClockOf, response: Response
) -> SignedInOut:
    """Enough by itself, or after a password with its `pending`."""
    limits.admit(parts.counters, (limits.OF_ADDRESS, parts.key.place_of(visit.address)), now=clock())
    expected = None
    if body.pending is not None:
        expected = signing_in.pending_of(parts, body.pending, visit=visit, now=clock()).person_id
    person_id = passkeys.show(
        parts, ceremony=body.ceremony, answer=body.credential, person_id=expected, now=clock()
    )
    device = parts.key.mark_of(visit.device) if visit.device else None
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, person_id=person_id, device=device)
    if found is None:
        raise SignInRefused("Sign in another way.")
    return let_in(response, parts, signing_in.begin(parts, found, visit=visit, now=clock()))


@factor_router.post(
    "/confirm/passkey/options",
    summary="Begin to show with a passkey that it is you",
    responses=responses(*SIGNED_IN),
)
def begin_passkey_confirmation(caller: PersonOf, parts: PartsOf) -> CeremonyOut:
    return CeremonyOut.of(passkeys.begin_showing(parts, person_id=caller.person_id))


@factor_router.post(
    "/confirm/passkey",
    summary="Show with a passkey that it is you",
    responses=responses(*SIGNED_IN, FactorRefused),
)
def confirm_passkey(
    body: PasskeyShownIn, caller: PersonOf, token: TokenOf, parts: PartsOf, clock: ClockOf, response: Response
) -> Done:
    """For what is dangerous. Counts for ten minutes; the session gets another token."""
    passkeys.show(
        parts, ceremony=body.ceremony, answer=body.credential, person_id=caller.person_id, now=clock()
    )
    set_session(response, parts.site, signing_in.renewed(parts, token=token, now=clock()))
    return Done()


def _present(session: Session, parts: Dependencies, person_id: str) -> Person:
    person = persons.find(session, person_id=person_id, key=parts.key)
    if person is None:
        raise SessionNotValid("Sign in again.")
    return person
