"""Identities at OpenID providers, linked to an account once its owner has proven it.

An identity is provider, issuer and subject. The address that the provider says is never one: it may be another person's
tomorrow (OpenID Connect Core §5.7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.errors import Conflict, NotFound
from amply.modules import audit
from amply.modules.audit import Action
from amply.modules.people import persons
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import LetterKind
from amply.modules.people.models import IdentityRow, PasskeyRow, PersonRow

IDENTITIES_MAX: Final = 20


class IdentityTaken(Conflict):
    """Who somebody is at a provider belongs to another account."""

    code = "identity_taken"


class TooManyIdentities(Conflict):
    """An account has as many as there may be."""

    code = "too_many_identities"


class IdentityNotFound(NotFound):
    """It was taken away, or is somebody else's."""

    code = "identity_not_found"


class LastWayIn(Conflict):
    """Nothing would be left to sign in by."""

    code = "last_way_in"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A linked identity at one provider."""

    id: str
    provider: str
    created_at: datetime
    last_used_at: datetime


def person_at(session: Session, *, digest: bytes, now: datetime) -> str | None:
    """The person of an identity, marking it as used, or None."""
    return session.scalars(
        update(IdentityRow)
        .where(IdentityRow.digest == digest)
        .values(last_used_at=now)
        .returning(IdentityRow.person_id)
    ).one_or_none()


def identities_of(session: Session, *, person_id: str) -> Sequence[Identity]:
    """A person's identities, oldest first."""
    rows = session.scalars(
        select(IdentityRow).where(IdentityRow.person_id == person_id).order_by(IdentityRow.id)
    )
    return [
        Identity(id=row.id, provider=row.provider, created_at=row.created_at, last_used_at=row.last_used_at)
        for row in rows
    ]


def link(
    session: Session, parts: Dependencies, *, person_id: str, provider: str, digest: bytes, now: datetime
) -> None:
    """Link an identity, and notify the person by letter. Idempotent.

    Raises:
        IdentityTaken: Somebody else is signed in by it.
        TooManyIdentities: There are twenty.
    """
    if len(identities_of(session, person_id=person_id)) >= IDENTITIES_MAX:
        raise TooManyIdentities("Take a provider away before you add another one.")
    identity_id = ids.new_id("pid")
    made = session.scalars(
        insert(IdentityRow)
        .values(
            id=identity_id,
            person_id=person_id,
            provider=provider,
            digest=digest,
            created_at=now,
            last_used_at=now,
        )
        .on_conflict_do_nothing(index_elements=[IdentityRow.digest])
        .returning(IdentityRow.id)
    ).one_or_none()
    if made is None:
        owner = session.scalars(select(IdentityRow.person_id).where(IdentityRow.digest == digest)).one()
        if owner != person_id:
            raise IdentityTaken("Sign in by this provider instead: another account is linked to it.")
        return
    person = persons.find(session, person_id=person_id, key=parts.key)
    if person is not None:
        persons.tell(session, person, kind=LetterKind.IDENTITY_LINKED, key=parts.key, now=now)
    audit.record_of_person(session, person_id, Action.PERSON_IDENTITY_LINKED, identity_id, now=now)


def unlink(session: Session, *, person_id: str, identity_id: str) -> None:
    """Unlink an identity. The caller ends the other sessions.

    Raises:
        IdentityNotFound: They have no such one.
        LastWayIn: There is no password, no passkey and no other provider.
    """
    # Concurrent requests would each see the other's identity: lock the person's row.
    password = session.scalars(
        select(PersonRow.password_hash).where(PersonRow.id == person_id).with_for_update()
    ).one_or_none()
    gone = session.scalars(
        delete(IdentityRow)
        .where(IdentityRow.id == identity_id, IdentityRow.person_id == person_id)
        .returning(IdentityRow.id)
    ).one_or_none()
    if gone is None:
        raise IdentityNotFound("No such provider signs you in; look at the list again.")
    passkey = session.scalars(select(PasskeyRow.id).where(PasskeyRow.person_id == person_id).limit(1)).first()
    if password is None and passkey is None and not identities_of(session, person_id=person_id):
        raise LastWayIn("Choose a password or add a passkey first: nothing else would sign you in.")
