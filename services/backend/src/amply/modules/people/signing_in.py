"""Sign-in: password, second factor where there is one, then a session. And re-authentication."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from amply.infra.logging import request_id
from amply.kernel import ids
from amply.kernel.errors import TooManyRequests
from amply.modules import audit
from amply.modules.access import PersonCaller, SessionNotValid
from amply.modules.audit import Action
from amply.modules.people import factors, limits, passwords, persons
from amply.modules.people.addresses import address_of
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import LetterKind, SignInRefused, SignInSession, Visit
from amply.modules.people.links import StampedPerson
from amply.modules.people.persons import Credentials
from amply.modules.people.session_binding import binding_of
from amply.modules.people.user_agents import device_named

_REFUSED: Final = "Check the e-mail address and the password, or ask for a new one; a new account is open once its letter's link is used."
_BEGIN_AGAIN: Final = "Begin again with your e-mail address and password."


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A new session: its token, and the device cookie."""

    person_id: str
    token: str
    device: str


@dataclass(frozen=True, kw_only=True)
class FactorNeeded:
    """First step verified (password or provider), second factor required. `pending` is valid for five minutes."""

    pending: str
    has_totp: bool
    has_passkeys: bool


def sign_in(
    parts: Dependencies, *, email: str, password: str, visit: Visit, now: datetime
) -> SignedIn | FactorNeeded:
    """Verify a password. Unknown addresses do the same work: counting, statement and hash.

    Raises:
        SignInRefused: Address or password is not right.
        AddressNotAcceptable: It is no address.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    index = parts.key.index_of(address_of(email))
    device = parts.key.mark_of(visit.device) if visit.device else None
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, index=index, device=device)
    limits.admit(
        parts.counters,
        *_allowances(parts, found, index, device, visit),
        now=now,
        told=tried_too_often(parts, found.person_id if found else None, now=now),
    )
    plain = passwords.prepared(password)
    is_right = parts.hashing.is_right(plain, hashed=found.password_hash if found else None)
    if found is None or not is_right:
        raise SignInRefused(_REFUSED)
    _renew_hash(parts, found, plain)
    return factor_or_session(parts, found, visit=visit, now=now)


def factor_or_session(
    parts: Dependencies, found: Credentials, *, visit: Visit, now: datetime
) -> SignedIn | FactorNeeded:
    """Continue after the first step: a session, or the demand for a second factor."""
    if not found.has_factor:
        return begin(parts, found, visit=visit, now=now)
    stamped = StampedPerson(person_id=found.person_id, stamp=found.stamp)
    return FactorNeeded(
        pending=parts.links.pending.sign(stamped, now=now),
        has_totp=found.has_totp,
        has_passkeys=found.has_passkeys,
    )


def finish_with_code(
    parts: Dependencies, *, pending: str, code: str, visit: Visit, now: datetime
) -> SignedIn:
    """Complete a sign-in by a code.

    Raises:
        SignInRefused: What is pending is not ours, too old, or the password was changed meanwhile.
        FactorRefused: The code is not right.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    found = pending_of(parts, pending, visit=visit, now=now)
    limits.admit(
        parts.counters,
        (limits.CODES, _whose_codes(parts, found, visit)),
        now=now,
        told=tried_too_often(parts, found.person_id, now=now),
    )
    with parts.database.transaction() as session:
        factors.use_code(session, person_id=found.person_id, code=code, key=parts.key, now=now)
    return begin(parts, found, visit=visit, now=now)


def pending_of(parts: Dependencies, pending: str, *, visit: Visit, now: datetime) -> Credentials:
    """The person whose second factor is pending.

    Raises:
        SignInRefused: It is not ours, too old, or the password was changed meanwhile.
    """
    stamped = parts.links.pending.person_of(pending, now=now)
    if stamped is None:
        raise SignInRefused(_BEGIN_AGAIN)
    device = parts.key.mark_of(visit.device) if visit.device else None
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, person_id=stamped.person_id, device=device)
    if found is None or found.stamp != stamped.stamp:
        raise SignInRefused(_BEGIN_AGAIN)
    return found


def begin(
    parts: Dependencies, found: Credentials, *, visit: Visit, now: datetime, through: str | None = None
) -> SignedIn:
    """Open a session for an authenticated person, with a letter if the browser is new.

    `through`: the organisation whose provider says so; the session is for what they do there alone.

    Raises:
        SignInElsewhere: They have to come by their organisation's provider, and have not.
    """
    if through is None:
        with parts.database.transaction(person_id=found.person_id) as session:
            parts.before_session(session, found.person_id, now)
    device = visit.device or secrets.token_urlsafe(16)
    token = parts.sessions.open(
        SignInSession(
            id=ids.new_id("ses"),
            person_id=found.person_id,
            stamp=found.stamp,
            signed_in_at=now,
            confirmed_at=now,
            seen_at=now,
            device=device_named(visit.agent),
            binding=found.ip_binding,
            place=binding_of(parts.key, found.ip_binding, visit.address),
            through=through,
        )
    )
    with parts.database.transaction() as session:
        mark = parts.key.mark_of(device)
        if persons.note_device(session, person_id=found.person_id, mark=mark, now=now):
            person = persons.find(session, person_id=found.person_id, key=parts.key)
            if person is not None:
                persons.tell(session, person, kind=LetterKind.NEW_DEVICE, key=parts.key, now=now)
    return SignedIn(person_id=found.person_id, token=token, device=device)


def confirm(
    parts: Dependencies, caller: PersonCaller, *, token: str, password: str, code: str | None, now: datetime
) -> str:
    """Re-authenticate by password and second factor; returns a new token.

    Raises:
        SignInRefused: The password is not right.
        FactorRefused: There is a second factor, and the code is missing or not right.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    limits.admit(
        parts.counters,
        (limits.CONFIRMATIONS, caller.person_id),
        now=now,
        told=tried_too_often(parts, caller.person_id, now=now),
    )
    check_password(parts, person_id=caller.person_id, password=password)
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, person_id=caller.person_id, device=None)
        if found is not None and found.has_factor:
            factors.use_code(session, person_id=found.person_id, code=code or "", key=parts.key, now=now)
    return renewed(parts, token=token, now=now)


def renewed(parts: Dependencies, *, token: str, now: datetime, stamp: int | None = None) -> str:
    """Replace the token and session, confirmed now; with another stamp if that changed.

    Whoever calls this has seen them show it themselves: the session is their own, whoever's provider it began with.

    Raises:
        SessionNotValid: It was ended meanwhile.
    """
    session = parts.sessions.find(token)
    if session is None:
        raise SessionNotValid("Sign in again.")
    fresh = replace(
        session,
        id=ids.new_id("ses"),
        confirmed_at=now,
        seen_at=now,
        stamp=session.stamp if stamp is None else stamp,
        through=None,
    )
    return parts.sessions.exchange(token, fresh)


def tried_too_often(parts: Dependencies, person_id: str | None, *, now: datetime) -> Callable[[], None]:
    """What writes down that somebody's password or code was tried too often, by whom nobody knows.

    Of an address without an account as well, and then of nobody: that it takes as long tells no stranger which it is.
    """

    def write() -> None:
        deed = audit.AuditedAction(
            actor=audit.Actor(kind=audit.ActorKind.SYSTEM, id="sign-in"),
            action=Action.PERSON_TRIED_TOO_OFTEN,
            targets=() if person_id is None else (person_id,),
            outcome=audit.Outcome.REFUSED,
            error=TooManyRequests.code,
            request_id=request_id(),
        )
        with parts.database.transaction() as session:
            audit.record(session, deed, now=now)

    return write


def check_password(parts: Dependencies, *, person_id: str, password: str) -> Credentials:
    """Verify the signed-in person's password.

    Raises:
        SignInRefused: It is not right.
    """
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, person_id=person_id, device=None)
    hashed = found.password_hash if found else None
    if not parts.hashing.is_right(passwords.prepared(password), hashed=hashed) or found is None:
        raise SignInRefused("Check your password and type it again.")
    return found


def _allowances(
    parts: Dependencies, found: Credentials | None, index: bytes, device: bytes | None, visit: Visit
) -> tuple[tuple[limits.Limit, str], ...]:
    """What this attempt is counted against: of a browser that is known here its own, of any other one the strangers'."""
    by_address = (limits.OF_ADDRESS, parts.key.place_of(visit.address))
    if found is not None and found.is_known_device and device is not None:
        return by_address, (limits.PASSWORDS_OF_DEVICE, f"{index.hex()}:{device.hex()}")
    return by_address, (limits.PASSWORDS_OF_STRANGERS, index.hex())


def _whose_codes(parts: Dependencies, found: Credentials, visit: Visit) -> str:
    """The same for codes: whoever learned the password uses up nothing of the owner's browser."""
    if found.is_known_device and visit.device is not None:
        return f"{found.person_id}:{parts.key.mark_of(visit.device).hex()}"
    return found.person_id


def _renew_hash(parts: Dependencies, found: Credentials, password: str) -> None:
    """Make a hash of another cost anew, now that the password is at hand."""
    before = found.password_hash
    if before is None or not parts.hashing.is_outdated(before):
        return
    after = parts.hashing.hash(password)
    with parts.database.transaction() as session:
        persons.replace_hash(session, person_id=found.person_id, before=before, after=after)
