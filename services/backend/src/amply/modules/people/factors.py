"""Second factors: one-time codes (TOTP, RFC 6238) and recovery codes."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from amply.kernel.errors import AmplyError, Conflict
from amply.modules.people.models import PasskeyRow, RecoveryCodeRow, TotpRow
from amply.modules.people.resealing import SealedColumn
from amply.modules.people.sealing import PeopleKey

_SECRET_BYTES: Final = 20
"""As long as SHA-1's digest (RFC 4226 §4, R6)."""
_DIGITS: Final = 6
_STEP_SECONDS: Final = 30
_STEPS_OFF_MAX: Final = 1
"""Tolerated clock drift of phones, in steps (RFC 6238 §5.2)."""
_CODES: Final = 10
_CODE_GROUPS: Final = 4
_GROUP_LENGTH: Final = 4
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without ambiguous characters: sixteen of these are 79 bits."""


class FactorRefused(AmplyError):
    """The code is not right, or was used."""

    status = 401
    code = "factor_refused"
    title = "The second factor was not accepted"


class FactorExists(Conflict):
    """There is an app already; a second one would end the first unseen."""

    code = "factor_exists"


class FactorNotFound(Conflict):
    """There is no app to confirm or to take away."""

    code = "factor_missing"


@dataclass(frozen=True, kw_only=True)
class Factors:
    """A person's second factors."""

    has_totp: bool
    passkeys: int
    recovery_codes: int


@dataclass(frozen=True, kw_only=True)
class NewTotp:
    """A new TOTP secret, shown once: `secret` in base 32, `uri` for a QR code."""

    secret: str
    uri: str


def of_person(session: Session, *, person_id: str) -> Factors:
    """A person's second factors."""
    totp = session.scalar(
        select(func.count()).where(TotpRow.person_id == person_id, TotpRow.confirmed_at.is_not(None))
    )
    passkeys = session.scalar(select(func.count()).where(PasskeyRow.person_id == person_id))
    codes = session.scalar(select(func.count()).where(RecoveryCodeRow.person_id == person_id))
    return Factors(has_totp=bool(totp), passkeys=passkeys or 0, recovery_codes=codes or 0)


def begin_totp(session: Session, *, person_id: str, email: str, key: PeopleKey, now: datetime) -> NewTotp:
    """Create a TOTP secret. It becomes active once confirmed by a code, and is replaced if requested again before.

    Raises:
        FactorExists: There is one that counts.
    """
    secret = secrets.token_bytes(_SECRET_BYTES)
    statement = postgresql.insert(TotpRow).values(
        person_id=person_id,
        sealed_secret=key.seal(secret.hex(), of=_bound_to(person_id)),
        last_step=0,
        created_at=now,
    )
    made = session.execute(
        statement.on_conflict_do_update(
            index_elements=[TotpRow.person_id],
            set_={"sealed_secret": statement.excluded.sealed_secret, "created_at": now},
            where=TotpRow.confirmed_at.is_(None),
        ).returning(TotpRow.person_id)
    ).one_or_none()
    if made is None:
        raise FactorExists("Take away the app you have before you set up another one.")
    return NewTotp(
        secret=base64.b32encode(secret).decode(),
        uri=_totp(secret).get_provisioning_uri(email, "Amply"),
    )


def confirm_totp(session: Session, *, person_id: str, code: str, key: PeopleKey, now: datetime) -> list[str]:
    """Activate the TOTP secret, and return ten new recovery codes, which are shown only once.

    Raises:
        FactorNotFound: No app was begun, or it counts already.
        FactorRefused: The code is not the app's.
    """
    row = session.scalars(
        select(TotpRow)
        .where(TotpRow.person_id == person_id)
        .where(TotpRow.confirmed_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise FactorNotFound("Begin with a new app first.")
    _use_step(session, row, code=code, key=key, now=now)
    row.confirmed_at = now
    return new_codes(session, person_id=person_id, key=key)


def remove_totp(session: Session, *, person_id: str) -> None:
    """Remove TOTP, and the recovery codes if no passkey is left.

    Raises:
        FactorNotFound: There is none.
    """
    gone = session.execute(
        delete(TotpRow).where(TotpRow.person_id == person_id).returning(TotpRow.person_id)
    ).one_or_none()
    if gone is None:
        raise FactorNotFound("There is no app to take away.")
    if not of_person(session, person_id=person_id).passkeys:
        session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))


def new_codes(session: Session, *, person_id: str, key: PeopleKey) -> list[str]:
    """Replace all recovery codes by ten new ones."""
    codes = [_new_code() for _ in range(_CODES)]
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))
    session.execute(
        insert(RecoveryCodeRow),
        [
            {"person_id": person_id, "digest": key.code_digest(_plain(code), person_id=person_id)}
            for code in codes
        ],
    )
    return codes


def use_code(session: Session, *, person_id: str, code: str, key: PeopleKey, now: datetime) -> None:
    """Accept a one-time or recovery code, once.

    Raises:
        FactorRefused: It is neither, or was used.
    """
    plain = _plain(code)
    if len(plain) == _DIGITS and plain.isascii() and plain.isdigit():
        row = session.scalars(
            select(TotpRow)
            .where(TotpRow.person_id == person_id)
            .where(TotpRow.confirmed_at.is_not(None))
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise FactorRefused(_NOT_RIGHT)
        _use_step(session, row, code=plain, key=key, now=now)
        return
    used = session.execute(
        delete(RecoveryCodeRow)
        .where(RecoveryCodeRow.person_id == person_id)
        .where(RecoveryCodeRow.digest == key.code_digest(plain, person_id=person_id))
        .returning(RecoveryCodeRow.person_id)
    ).one_or_none()
    if used is None:
        raise FactorRefused(_NOT_RIGHT)


_NOT_RIGHT: Final = "Type the code that your app shows now, or a recovery code you have not used."


def _use_step(session: Session, row: TotpRow, *, code: str, key: PeopleKey, now: datetime) -> None:
    """Accept a code whose step is later than any before: none is taken twice (RFC 6238 §5.2)."""
    totp = _totp(bytes.fromhex(key.unseal(row.sealed_secret, of=_bound_to(row.person_id))))
    present = int(now.timestamp()) // _STEP_SECONDS
    steps = range(present - _STEPS_OFF_MAX, present + _STEPS_OFF_MAX + 1)
    matching = [
        step for step in steps if secrets.compare_digest(totp.generate(step * _STEP_SECONDS), code.encode())
    ]
    later = [step for step in matching if step > row.last_step]
    if not later:
        raise FactorRefused(_NOT_RIGHT)
    session.execute(update(TotpRow).where(TotpRow.person_id == row.person_id).values(last_step=later[0]))


def _totp(secret: bytes) -> TOTP:
    # SHA-1 as every app understands it; the others are ignored by many of them.
    return TOTP(secret, _DIGITS, SHA1(), _STEP_SECONDS)  # noqa: S303 -- HMAC-SHA-1, as RFC 6238 has it


def _bound_to(person_id: str) -> str:
    return f"totp\0{person_id}"


SEALED: Final = SealedColumn(column=TotpRow.sealed_secret, of=_bound_to)


def _new_code() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(_CODE_GROUPS * _GROUP_LENGTH)]
    return "-".join("".join(letters[at : at + _GROUP_LENGTH]) for at in range(0, len(letters), _GROUP_LENGTH))


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()
