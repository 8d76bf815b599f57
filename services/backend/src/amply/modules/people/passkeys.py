"""Passkeys (WebAuthn level 3): registration by a signed-in person, then sign-in or second factor.

Each asks for user verification, so that a passkey is something one has and something one knows or is: it needs no password
beside it. Challenges are kept in the cache, for one use within five minutes.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import webauthn
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from amply.infra.database import forbid_transaction
from amply.kernel import ids
from amply.kernel.errors import Conflict, NotFound
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import PENDING_LIFETIME, Person
from amply.modules.people.factors import FactorRefused
from amply.modules.people.models import PasskeyRow

HELD_MAX: Final = 20
_NOT_TAKEN: Final = "The passkey was not accepted: try again, or sign in another way."


class PasskeyNotFound(NotFound):
    """It was taken away, or is somebody else's."""

    code = "passkey_not_found"


class TooManyPasskeys(Conflict):
    """Somebody has as many as are kept."""

    code = "too_many_passkeys"


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """One passkey as its owner sees it."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """A WebAuthn ceremony. `id` returns with the answer; `options` are passed to `navigator.credentials`."""

    id: str
    options: Mapping[str, Any]


def begin_making(parts: Dependencies, person: Person) -> Ceremony:
    """Begin registering a passkey."""
    with parts.database.transaction() as session:
        held = session.scalars(
            select(PasskeyRow.credential_id).where(PasskeyRow.person_id == person.id)
        ).all()
    options = webauthn.generate_registration_options(
        rp_id=parts.site.relying_party,
        rp_name="Amply",
        user_id=person.id.encode(),
        user_name=person.address.written,
        user_display_name=person.address.written,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in held],
    )
    return _kept(parts, options, challenge=options.challenge, purpose="make", person_id=person.id)


def make(
    parts: Dependencies, *, person_id: str, ceremony: str, answer: Mapping[str, Any], name: str, now: datetime
) -> PasskeyRow:
    """Verify a registration; returns the row, not stored yet.

    Raises:
        FactorRefused: It is not what was asked for.
    """
    challenge = _taken(parts, ceremony, purpose="make", person_id=person_id)
    try:
        made = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=parts.site.relying_party,
            expected_origin=list(parts.site.origins),
            require_user_verification=True,
        )
    except Exception as error:  # a stranger's bytes: whatever is stumbled over is a refusal
        raise FactorRefused(_NOT_TAKEN) from error
    return PasskeyRow(
        id=ids.new_id("pky"),
        person_id=person_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=name,
        created_at=now,
    )


def add(session: Session, row: PasskeyRow) -> Passkey:
    """Store a passkey.

    Raises:
        TooManyPasskeys: There are as many as are kept.
        FactorRefused: It is stored already.
    """
    held = session.scalar(select(func.count()).where(PasskeyRow.person_id == row.person_id)) or 0
    if held >= HELD_MAX:
        raise TooManyPasskeys("Take away a passkey you do not use before you add another one.")
    known = session.scalar(select(func.count()).where(PasskeyRow.credential_id == row.credential_id))
    if known:
        raise FactorRefused("This passkey is in use already.")
    session.add(row)
    return _shown(row)


def begin_showing(parts: Dependencies, *, person_id: str | None = None) -> Ceremony:
    """Begin authentication by a passkey of one person, or by any passkey of this site."""
    held: list[PublicKeyCredentialDescriptor] = []
    if person_id is not None:
        with parts.database.transaction() as session:
            rows = session.scalars(
                select(PasskeyRow.credential_id).where(PasskeyRow.person_id == person_id)
            ).all()
        held = [PublicKeyCredentialDescriptor(id=each) for each in rows]
    options = webauthn.generate_authentication_options(
        rp_id=parts.site.relying_party,
        allow_credentials=held,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _kept(parts, options, challenge=options.challenge, purpose="show", person_id=person_id or "")


def show(
    parts: Dependencies,
    *,
    ceremony: str,
    answer: Mapping[str, Any],
    person_id: str | None = None,
    now: datetime,
) -> str:
    """Verify an authentication, update the passkey's use, and return its person.

    Raises:
        FactorRefused: It is unknown, somebody else's, not what was asked for, or its counter went back: then it was copied
            (WebAuthn §6.1.1).
    """
    challenge = _taken(parts, ceremony, purpose="show", person_id=person_id or "")
    credential_id = _credential_of(answer)
    with parts.database.transaction() as session:
        row = session.scalars(
            select(PasskeyRow).where(PasskeyRow.credential_id == credential_id).with_for_update()
        ).one_or_none()
        if row is None or (person_id is not None and row.person_id != person_id):
            raise FactorRefused(_NOT_TAKEN)
        try:
            shown = webauthn.verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=parts.site.relying_party,
                expected_origin=list(parts.site.origins),
                credential_public_key=row.public_key,
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
        except Exception as error:  # a stranger's bytes: whatever is stumbled over is a refusal
            raise FactorRefused(_NOT_TAKEN) from error
        row.sign_count = shown.new_sign_count
        row.last_used_at = now
        return row.person_id


def list_of(session: Session, *, person_id: str) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    rows = session.scalars(
        select(PasskeyRow).where(PasskeyRow.person_id == person_id).order_by(PasskeyRow.id)
    )
    return [_shown(row) for row in rows]


def remove(session: Session, *, person_id: str, passkey_id: str) -> None:
    """Remove a passkey.

    Raises:
        PasskeyNotFound: It is not there, or not theirs.
    """
    gone = session.execute(
        delete(PasskeyRow)
        .where(PasskeyRow.id == passkey_id, PasskeyRow.person_id == person_id)
        .returning(PasskeyRow.id)
    ).one_or_none()
    if gone is None:
        raise PasskeyNotFound("You have no such passkey.")


def _kept(parts: Dependencies, options: Any, *, challenge: bytes, purpose: str, person_id: str) -> Ceremony:
    ceremony = secrets.token_urlsafe(16)
    facts = {"challenge": bytes_to_base64url(challenge), "purpose": purpose, "person_id": person_id}
    parts.sessions.keep(f"passkey:{ceremony}", facts, lasts=PENDING_LIFETIME)
    return Ceremony(id=ceremony, options=json.loads(webauthn.options_to_json(options)))


def _taken(parts: Dependencies, ceremony: str, *, purpose: str, person_id: str) -> bytes:
    """The challenge of a ceremony that was begun for this, and is not used yet."""
    forbid_transaction("taking a challenge")
    facts = parts.sessions.take(f"passkey:{ceremony}")
    if facts is None or (facts["purpose"], facts["person_id"]) != (purpose, person_id):
        raise FactorRefused(_NOT_TAKEN)
    return base64url_to_bytes(facts["challenge"])


def _credential_of(answer: Mapping[str, Any]) -> bytes:
    try:
        return base64url_to_bytes(str(answer["id"]))
    except (KeyError, ValueError) as error:
        raise FactorRefused(_NOT_TAKEN) from error


def _shown(row: PasskeyRow) -> Passkey:
    return Passkey(id=row.id, name=row.name, created_at=row.created_at, last_used_at=row.last_used_at)
