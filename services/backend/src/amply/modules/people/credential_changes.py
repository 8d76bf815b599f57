"""Changes of passwords, factors and identities. A change ends all of the person's other sessions."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.modules import audit
from amply.modules.access import PersonCaller, SessionNotValid
from amply.modules.audit import Action
from amply.modules.mail import Language
from amply.modules.people import limits, passwords, persons, signing_in
from amply.modules.people.addresses import address_of
from amply.modules.people.dependencies import Dependencies, Leaving
from amply.modules.people.domain import TOPIC_ERASED, IpBinding, LetterKind, LetterLinkNotValid, Person, Visit
from amply.modules.people.models import (
    ClaimRow,
    DeviceRow,
    IdentityRow,
    LetterRow,
    PasskeyRow,
    PersonRow,
    RecoveryCodeRow,
    TotpRow,
)
from amply.modules.people.sealing import PeopleKey

_LETTERS: Final = {
    Action.PERSON_PASSWORD_CHANGED: LetterKind.PASSWORD_CHANGED,
    Action.PERSON_FACTORS_CHANGED: LetterKind.FACTORS_CHANGED,
    Action.PERSON_IDENTITY_UNLINKED: LetterKind.IDENTITY_UNLINKED,
}
"""Changes that are notified by letter."""
_OVER = "This link is used or too old: ask for another one with your e-mail address."


def ask_for_password(
    parts: Dependencies, *, email: str, language: Language, visit: Visit, now: datetime
) -> None:
    """Request a password-reset letter; it says so if the address has no account.

    The same work and answer for every address: the worker looks.

    Raises:
        AddressNotAcceptable: It is no address.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    address = address_of(email)
    limits.admit(parts.counters, (limits.ASKING, parts.key.place_of(visit.address)), now=now)
    index = parts.key.index_of(address)
    if not limits.allows(parts.counters, limits.LETTERS, f"{LetterKind.RESET}:{index.hex()}", now=now):
        return
    with parts.database.transaction() as session:
        persons.ask_letter(
            session, kind=LetterKind.RESET, address=address, language=language, key=parts.key, now=now
        )


def reset_password(parts: Dependencies, *, token: str, password: str, device: bytes, now: datetime) -> None:
    """Set the password chosen through a letter's link, end all sessions, and notify by letter.

    The second factor stays: a mailbox alone does not let anybody in. The browser is known from then on.

    Raises:
        LetterLinkNotValid: It is not ours, was used, or is too old.
        PasswordNotAcceptable: It is too short or long, or known.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    stamped = parts.links.resets.person_of(token, now=now)
    if stamped is None:
        raise LetterLinkNotValid(_OVER)
    limits.admit(parts.counters, (limits.LINKS, str(stamped)), now=now)
    hashed = _hashed(parts, person_id=stamped.person_id, password=password)
    with parts.database.transaction() as session:
        # Of two concurrent uses of a link, the second waits here and finds another stamp.
        stamp = persons.move_stamp(session, person_id=stamped.person_id, at=stamped.stamp)
        if stamp is None:
            raise LetterLinkNotValid(_OVER)
        persons.set_password(session, person_id=stamped.person_id, password_hash=hashed, now=now)
        persons.note_device(session, person_id=stamped.person_id, mark=device, now=now)
        _tell(parts, session, stamped.person_id, LetterKind.PASSWORD_CHANGED, now=now)
        audit.record_of_person(session, stamped.person_id, Action.PERSON_PASSWORD_RESET, now=now)
    parts.sessions.move_stamp(stamped.person_id, stamp)


def change_password(
    parts: Dependencies, caller: PersonCaller, *, token: str, before: str, after: str, now: datetime
) -> str:
    """Change the password, and end all other sessions; returns this session's new token.

    Raises:
        SignInRefused: The present password is not right.
        PasswordNotAcceptable: The new one is too short or long, or known.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    limits.admit(
        parts.counters,
        (limits.CONFIRMATIONS, caller.person_id),
        now=now,
        told=signing_in.tried_too_often(parts, caller.person_id, now=now),
    )
    signing_in.check_password(parts, person_id=caller.person_id, password=before)
    hashed = _hashed(parts, person_id=caller.person_id, password=after)

    def change(session: Session) -> None:
        persons.set_password(session, person_id=caller.person_id, password_hash=hashed, now=now)

    return changed(parts, caller, token=token, change=change, action=Action.PERSON_PASSWORD_CHANGED, now=now)


def set_ip_binding(
    parts: Dependencies, caller: PersonCaller, *, token: str, binding: IpBinding, now: datetime
) -> None:
    """Set how future sessions are bound to their origin; ends all sessions, the current one included.

    Raises:
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """

    def change(session: Session) -> None:
        session.execute(update(PersonRow).where(PersonRow.id == caller.person_id).values(ip_binding=binding))

    kept = changed(parts, caller, token=token, change=change, action=Action.PERSON_SESSIONS_BOUND, now=now)
    parts.sessions.end(kept)


def changed(
    parts: Dependencies,
    caller: PersonCaller,
    *,
    token: str,
    change: Callable[[Session], None],
    action: Action,
    now: datetime,
) -> str:
    """Apply a change that ends all other sessions, record it, notify the person; returns this session's new token.

    A process that dies between the database and the cache ends this session too: its stamp is the old one.

    Raises:
        SessionNotValid: The person was forgotten meanwhile.
        SignInUnavailable: The cache does not answer, and nothing was changed, or this session has ended with the others.
    """
    parts.sessions.find(token)  # nothing is changed while the cache is away
    with parts.database.transaction() as session:
        change(session)
        stamp = persons.move_stamp(session, person_id=caller.person_id)
        if stamp is None:
            raise SessionNotValid("Sign in again.")
        if action in _LETTERS:
            _tell(parts, session, caller.person_id, _LETTERS[action], now=now)
        audit.record_of_person(session, caller.person_id, action, now=now)
    parts.sessions.move_stamp(caller.person_id, stamp)
    made = signing_in.renewed(parts, token=token, now=now, stamp=stamp)
    kept = parts.sessions.find(made)
    parts.sessions.end_all(caller.person_id, but=kept.id if kept else None)
    return made


def sign_out_everywhere(parts: Dependencies, caller: PersonCaller) -> None:
    """End all sessions of a person.

    Raises:
        SignInUnavailable: The cache does not answer; the stamp has moved all the same, and sessions end within minutes.
    """
    with parts.database.transaction() as session:
        stamp = persons.move_stamp(session, person_id=caller.person_id)
    if stamp is not None:
        parts.sessions.move_stamp(caller.person_id, stamp)
    parts.sessions.end_all(caller.person_id)


def erase(parts: Dependencies, caller: PersonCaller, *, now: datetime) -> None:
    """Erase a signed-in person at their own request.

    Raises:
        AmplyError: They are needed (`Parts.before_leaving`), and nothing was changed.
        SignInUnavailable: The cache does not answer; they are forgotten all the same.
    """
    person_id = caller.person_id
    with parts.database.transaction(person_id=person_id) as session:
        stamp = forget(session, person_id=person_id, key=parts.key, leaving=parts.before_leaving, now=now)
        if stamp is None:
            return
        audit.record_of_person(session, person_id, Action.PERSON_ERASED, now=now)
    parts.sessions.move_stamp(person_id, stamp)
    parts.sessions.end_all(person_id)


def forget(
    session: Session,
    *,
    person_id: str,
    key: PeopleKey,
    leaving: Leaving,
    now: datetime,
    says_goodbye: bool = True,
) -> int | None:
    """Erase a person: address, password, factors and browsers. The id stays, since other records name it.

    A last letter goes to the address unless it `says_goodbye` no more, and is deleted once it has left. The worker notes outside
    the database that they were forgotten. Whoever calls this records it. Returns the stamp that their sessions do not have any
    more, or None where there is no such person, or none any more.

    Raises:
        AmplyError: They are needed, as `leaving` says.
    """
    person = persons.find(session, person_id=person_id, key=key)
    stamp = persons.move_stamp(session, person_id=person_id)
    if person is None or stamp is None:
        return None
    leaving(session, person_id, now)
    index = key.index_of(person.address)
    for row in (DeviceRow, TotpRow, RecoveryCodeRow, PasskeyRow, IdentityRow):
        session.execute(delete(row).where(row.person_id == person_id))
    session.execute(
        delete(ClaimRow).where((ClaimRow.person_id == person_id) | (ClaimRow.address_index == index))
    )
    session.execute(
        delete(LetterRow).where((LetterRow.person_id == person_id) | (LetterRow.address_index == index))
    )
    session.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id)
        .values(address_index=None, sealed_address=None, password_hash=None, erased_at=now)
    )
    outbox.put(session, topic=TOPIC_ERASED, payload={}, now=now)
    if says_goodbye:
        _say_goodbye(session, person, key=key, now=now)
    return stamp


def _say_goodbye(session: Session, person: Person, *, key: PeopleKey, now: datetime) -> None:
    persons.ask_letter(
        session,
        kind=LetterKind.GOODBYE,
        address=person.address,
        language=person.language,
        key=key,
        now=now,
    )


def _hashed(parts: Dependencies, *, person_id: str, password: str) -> str:
    with parts.database.transaction() as session:
        person = persons.find(session, person_id=person_id, key=parts.key)
    address = person.address.folded if person else ""
    return parts.hashing.hash(passwords.accepted(password, address=address, breaches=parts.breaches))


def _tell(parts: Dependencies, session: Session, person_id: str, kind: LetterKind, *, now: datetime) -> None:
    person = persons.find(session, person_id=person_id, key=parts.key)
    if person is not None:
        persons.tell(session, person, kind=kind, key=parts.key, now=now)
