"""Registration: an address and a password, and proof of the address by a letter.

Nothing here looks whether the address has an account: the worker does, and the letter says what is so. The link alone makes
no account. Its reader must know the password too, or whoever registered with somebody else's address would choose the
password of an account that its owner then confirms. Who was invited by a letter has shown the address before, and chooses the
password there and then (ADR 0113).
"""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.modules import audit
from amply.modules.audit import Action
from amply.modules.mail import Language
from amply.modules.people import limits, passwords, persons
from amply.modules.people.addresses import AddressNotAcceptable, address_of
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import CLAIM_LIFETIME, LetterKind, LetterLinkNotValid, SignInRefused, Visit
from amply.modules.people.models import ClaimRow

_OVER = "This link is used or too old: sign in, or begin again to get another one."


def register(
    parts: Dependencies, *, email: str, password: str, language: Language, visit: Visit, now: datetime
) -> None:
    """Store a registration, and request a letter. Work and response are the same for every address.

    Raises:
        AddressNotAcceptable: It is no address, or looks like another one.
        PasswordNotAcceptable: It is too short or long, or known.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    address = address_of(email)
    limits.admit(parts.counters, (limits.ASKING, parts.key.place_of(visit.address)), now=now)
    password = passwords.accepted(password, address=address.folded, breaches=parts.breaches)
    hashed = parts.hashing.hash(password)
    index = parts.key.index_of(address)
    if not limits.allows(parts.counters, limits.LETTERS, f"{LetterKind.VERIFY}:{index.hex()}", now=now):
        return
    claim_id = ids.new_id("clm")
    with parts.database.transaction() as session:
        session.add(
            ClaimRow(
                id=claim_id,
                person_id=None,
                address_index=index,
                sealed_address=parts.key.seal_address(address, of=claim_id),
                password_hash=hashed,
                language=language,
                expires_at=now + CLAIM_LIFETIME,
            )
        )
        persons.ask_letter(
            session,
            kind=LetterKind.VERIFY,
            address=address,
            language=language,
            key=parts.key,
            now=now,
            claim_id=claim_id,
        )


def verify(parts: Dependencies, *, token: str, password: str, device: bytes, now: datetime) -> str:
    """Create the account of a link, and return the person's id. The browser is recognised from then on.

    Raises:
        LetterLinkNotValid: It is not ours, was used, or is too old.
        SignInRefused: The password is not the one that was registered with.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    claim_id = parts.links.claims.claim_of(token, now=now)
    if claim_id is None:
        raise LetterLinkNotValid(_OVER)
    limits.admit(parts.counters, (limits.LINKS, claim_id), now=now)
    with parts.database.transaction() as session:
        hashed = session.scalars(select(ClaimRow.password_hash).where(ClaimRow.id == claim_id)).one_or_none()
    if hashed is None:
        raise LetterLinkNotValid(_OVER)
    if not parts.hashing.is_right(passwords.prepared(password), hashed=hashed):
        raise SignInRefused("Type the password you registered with; if it was not you, leave this page.")
    with parts.database.transaction() as session:
        claim = _take(session, claim_id, now=now)
        address = parts.key.unseal_address(claim.sealed_address, of=claim.id)
        person_id = persons.add(
            session,
            address=address,
            password_hash=hashed,
            language=Language(claim.language),
            key=parts.key,
            now=now,
        )
        if person_id is not None:
            persons.note_device(session, person_id=person_id, mark=device, now=now)
            audit.record_of_person(session, person_id, Action.PERSON_REGISTERED, now=now)
        _void_claims(session, claim.address_index)
    if person_id is None:
        raise LetterLinkNotValid(_OVER)
    return person_id


def register_invited(
    parts: Dependencies, *, email: str, password: str, language: Language, network_address: str, now: datetime
) -> str | None:
    """Create an account without a letter, for somebody who has proven the address otherwise.

    Whoever asks chooses the password here, so that nobody confirms a stranger's. None where there is an account.

    Raises:
        AddressNotAcceptable: It is no address, or looks like another one.
        PasswordNotAcceptable: It is too short or long, or known.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    address = address_of(email)
    limits.admit(parts.counters, (limits.ASKING, parts.key.place_of(network_address)), now=now)
    hashed = parts.hashing.hash(passwords.accepted(password, address=address.folded, breaches=parts.breaches))
    with parts.database.transaction() as session:
        person_id = persons.add(
            session, address=address, password_hash=hashed, language=language, key=parts.key, now=now
        )
        if person_id is not None:
            audit.record_of_person(session, person_id, Action.PERSON_REGISTERED, now=now)
            _void_claims(session, parts.key.index_of(address))
    return person_id


def is_registered(parts: Dependencies, *, email: str) -> bool:
    """Whether an address has an account. Only for callers who have proven the address."""
    try:
        index = parts.key.index_of(address_of(email))
    except AddressNotAcceptable:
        return False  # none can have it
    with parts.database.transaction() as session:
        return persons.credentials_of(session, index=index, device=None) is not None


def change_address(parts: Dependencies, *, person_id: str, email: str, now: datetime) -> None:
    """Request a letter to a person's new address. The old one stays until the link is used.

    Raises:
        AddressNotAcceptable: It is no address, or looks like another one.
        TooManyRequests: The caller exceeded a rate limit.
        SignInUnavailable: Sessions cannot be looked up at this moment.
    """
    address = address_of(email)
    index = parts.key.index_of(address)
    limits.admit(parts.counters, (limits.CONFIRMATIONS, person_id), now=now)
    if not limits.allows(
        parts.counters, limits.LETTERS, f"{LetterKind.CHANGE_ADDRESS}:{index.hex()}", now=now
    ):
        return
    claim_id = ids.new_id("clm")
    with parts.database.transaction() as session:
        person = persons.find(session, person_id=person_id, key=parts.key)
        if person is None:
            return
        session.execute(delete(ClaimRow).where(ClaimRow.person_id == person_id))
        session.add(
            ClaimRow(
                id=claim_id,
                person_id=person_id,
                address_index=index,
                sealed_address=parts.key.seal_address(address, of=claim_id),
                password_hash=None,
                language=person.language,
                expires_at=now + CLAIM_LIFETIME,
            )
        )
        persons.ask_letter(
            session,
            kind=LetterKind.CHANGE_ADDRESS,
            address=address,
            language=person.language,
            key=parts.key,
            now=now,
            person_id=person_id,
            claim_id=claim_id,
        )


def confirm_address(parts: Dependencies, *, token: str, now: datetime) -> None:
    """Change to the address of a link, end all sessions, and notify the former address.

    Raises:
        LetterLinkNotValid: It is not ours, was used, is too old, or the address has got an account meanwhile.
    """
    claim_id = parts.links.claims.claim_of(token, now=now)
    if claim_id is None:
        raise LetterLinkNotValid(_OVER)
    with parts.database.transaction() as session:
        claim = _take(session, claim_id, now=now)
        person = persons.find(session, person_id=claim.person_id or "", key=parts.key)
        if person is None:
            raise LetterLinkNotValid(_OVER)
        address = parts.key.unseal_address(claim.sealed_address, of=claim.id)
        if not persons.set_address(session, person_id=person.id, address=address, key=parts.key):
            raise LetterLinkNotValid(_OVER)
        # Links to a new password that went to the old address end with the stamp.
        stamp = persons.move_stamp(session, person_id=person.id)
        persons.tell(session, person, kind=LetterKind.ADDRESS_CHANGED, key=parts.key, now=now)
        audit.record_of_person(session, person.id, Action.PERSON_ADDRESS_CHANGED, now=now)
    if stamp is not None:
        parts.sessions.move_stamp(person.id, stamp)


def _take(session: Session, claim_id: str, *, now: datetime) -> ClaimRow:
    """A claim, off the table: of two who use its link at once, the second waits and finds none."""
    row = session.scalars(
        delete(ClaimRow).where(ClaimRow.id == claim_id).where(ClaimRow.expires_at > now).returning(ClaimRow)
    ).one_or_none()
    if row is None:
        raise LetterLinkNotValid(_OVER)
    return row


def _void_claims(session: Session, index: bytes) -> None:
    """Every other claim to become the account of this address is void now."""
    session.execute(delete(ClaimRow).where(ClaimRow.address_index == index, ClaimRow.person_id.is_(None)))
