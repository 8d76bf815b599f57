"""Rows of people: find, create, update. Every change that ends sessions changes the security stamp."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.kernel import ids
from amply.modules.mail import Language
from amply.modules.people.addresses import Address
from amply.modules.people.domain import TOPIC_LETTER_ASKED, IpBinding, LetterKind, Person
from amply.modules.people.models import DeviceRow, LetterRow, PasskeyRow, PersonRow, TotpRow
from amply.modules.people.sealing import PeopleKey

_DEVICES_MAX: Final = 30


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Data for verifying a sign-in. `is_known_device`: this browser signed in to this account before."""

    person_id: str
    stamp: int
    ip_binding: IpBinding
    password_hash: str | None
    has_totp: bool
    has_passkeys: bool
    is_known_device: bool

    @property
    def has_factor(self) -> bool:
        """Whether a second factor is required."""
        return self.has_totp or self.has_passkeys


def credentials_of(
    session: Session, *, index: bytes | None = None, person_id: str | None = None, device: bytes | None
) -> Credentials | None:
    """Look up by blind index or id in one statement, whose timing does not depend on the result."""
    totp = exists().where(TotpRow.person_id == PersonRow.id, TotpRow.confirmed_at.is_not(None))
    passkey = exists().where(PasskeyRow.person_id == PersonRow.id)
    known = exists().where(DeviceRow.person_id == PersonRow.id, DeviceRow.mark == (device or b""))
    whose = PersonRow.address_index == index if person_id is None else PersonRow.id == person_id
    row = session.execute(
        select(PersonRow, totp.label("totp"), passkey.label("passkey"), known.label("known"))
        .where(whose)
        .where(PersonRow.erased_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    found, has_totp, has_passkeys, is_known = row
    return Credentials(
        person_id=found.id,
        stamp=found.stamp,
        ip_binding=IpBinding(found.ip_binding),
        password_hash=found.password_hash,
        has_totp=has_totp,
        has_passkeys=has_passkeys,
        is_known_device=is_known,
    )


def find(session: Session, *, person_id: str, key: PeopleKey) -> Person | None:
    """A person who is not erased."""
    row = session.get(PersonRow, person_id)
    if row is None or row.sealed_address is None:
        return None
    return Person(
        id=row.id,
        address=key.unseal_address(row.sealed_address, of=row.id),
        language=Language(row.language),
        stamp=row.stamp,
        ip_binding=IpBinding(row.ip_binding),
        created_at=row.created_at,
    )


def addresses(session: Session, *, person_ids: Collection[str], key: PeopleKey) -> Mapping[str, str]:
    """Addresses of these people by id, without erased ones."""
    rows = session.execute(
        select(PersonRow.id, PersonRow.sealed_address).where(
            PersonRow.id.in_(person_ids), PersonRow.sealed_address.is_not(None)
        )
    )
    return {
        row.id: key.unseal_address(row.sealed_address, of=row.id).written
        for row in rows
        if row.sealed_address is not None
    }


def stamp_of(session: Session, *, person_id: str) -> int | None:
    """A person's stamp; None if they do not exist or are erased."""
    return session.scalars(
        select(PersonRow.stamp).where(PersonRow.id == person_id).where(PersonRow.erased_at.is_(None))
    ).one_or_none()


def add(
    session: Session,
    *,
    address: Address,
    password_hash: str | None,
    language: Language,
    key: PeopleKey,
    now: datetime,
) -> str | None:
    """Create a person and return their id; None if the address has an account."""
    person_id = ids.new_id("usr")
    made = session.execute(
        insert(PersonRow)
        .values(
            id=person_id,
            address_index=key.index_of(address),
            sealed_address=key.seal_address(address, of=person_id),
            password_hash=password_hash,
            language=language,
            created_at=now,
            password_changed_at=now,
        )
        .on_conflict_do_nothing(index_elements=[PersonRow.address_index])
        .returning(PersonRow.id)
    )
    return made.scalar_one_or_none()


def replace_hash(session: Session, *, person_id: str, before: str, after: str) -> None:
    """Store the same password's hash with new parameters, unless it was changed meanwhile. No session ends."""
    session.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id, PersonRow.password_hash == before)
        .values(password_hash=after)
    )


def move_stamp(session: Session, *, person_id: str, at: int | None = None) -> int | None:
    """Increment the stamp, which invalidates all sessions and tokens, and return it; None unless it was `at`."""
    statement = (
        update(PersonRow)
        .where(PersonRow.id == person_id, PersonRow.erased_at.is_(None))
        .values(stamp=PersonRow.stamp + 1)
        .returning(PersonRow.stamp)
    )
    if at is not None:
        statement = statement.where(PersonRow.stamp == at)
    return session.scalars(statement).one_or_none()


def set_password(session: Session, *, person_id: str, password_hash: str, now: datetime) -> None:
    """Store another password. The caller moves the stamp."""
    session.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id)
        .values(password_hash=password_hash, password_changed_at=now)
    )


def set_address(session: Session, *, person_id: str, address: Address, key: PeopleKey) -> bool:
    """Change the address; False if it has an account. The caller moves the stamp."""
    try:
        with session.begin_nested():
            session.execute(
                update(PersonRow)
                .where(PersonRow.id == person_id)
                .values(
                    address_index=key.index_of(address),
                    sealed_address=key.seal_address(address, of=person_id),
                )
            )
    except IntegrityError:
        return False
    return True


def note_device(session: Session, *, person_id: str, mark: bytes, now: datetime) -> bool:
    """Remember a browser; True if it is new beside others. The least recently seen one is dropped."""
    had = session.scalar(select(func.count()).where(DeviceRow.person_id == person_id)) or 0
    added = session.execute(
        insert(DeviceRow)
        .values(person_id=person_id, mark=mark, seen_at=now)
        .on_conflict_do_nothing()
        .returning(DeviceRow.mark)
    ).one_or_none()
    if added is None:
        session.execute(
            update(DeviceRow)
            .where(DeviceRow.person_id == person_id, DeviceRow.mark == mark)
            .values(seen_at=now)
        )
        return False
    oldest = (
        select(DeviceRow.mark)
        .where(DeviceRow.person_id == person_id)
        .order_by(DeviceRow.seen_at.desc())
        .offset(_DEVICES_MAX)
    )
    session.execute(delete(DeviceRow).where(DeviceRow.person_id == person_id, DeviceRow.mark.in_(oldest)))
    return had > 0


def ask_letter(
    session: Session,
    *,
    kind: LetterKind,
    address: Address,
    language: Language,
    key: PeopleKey,
    now: datetime,
    person_id: str | None = None,
    claim_id: str | None = None,
) -> None:
    """Request a letter to an address; the worker decides which one from the state at that time."""
    letter_id = ids.new_id("plt")
    session.add(
        LetterRow(
            id=letter_id,
            kind=kind,
            person_id=person_id,
            claim_id=claim_id,
            address_index=key.index_of(address),
            sealed_address=key.seal_address(address, of=letter_id),
            language=language,
            attempts=0,
            next_attempt_at=now,
            created_at=now,
        )
    )
    outbox.put(session, topic=TOPIC_LETTER_ASKED, payload={"letter_id": letter_id}, now=now)


def tell(session: Session, person: Person, *, kind: LetterKind, key: PeopleKey, now: datetime) -> None:
    """Request a letter that notifies a person about their account."""
    ask_letter(
        session,
        kind=kind,
        address=person.address,
        language=person.language,
        key=key,
        now=now,
        person_id=person.id,
    )
