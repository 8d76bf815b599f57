"""Creates, lists and revokes API keys. Authorised within each statement, and again by row-level security."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.modules import audit
from amply.modules.access import Access, Scope, hold_organization, just_made, newest_first, revoked
from amply.modules.audit import Action
from amply.modules.keys.domain import (
    KEYS_MAX,
    KEYS_OF_A_NAME_MAX,
    ApiKey,
    KeyNotFound,
    Secret,
    TooManyKeys,
    name_of,
)
from amply.modules.keys.models import KeyRow

_LISTED_MAX: Final = 500


def make(
    session: Session,
    access: Access,
    *,
    name: str,
    scopes: Collection[Scope],
    lifetime_days: int | None,
    is_live: bool,
) -> tuple[ApiKey, Secret]:
    """Create a key. Only this response contains the secret.

    To rotate one, make another of its name, let the program use that, and revoke the first.

    Raises:
        KeyNotAcceptable: The name is unusable.
        TooManyKeys: Two of this name work, or fifty in all.
    """
    named = name_of(name)
    hold_organization(session, access.organization_id)
    working = [key for key in keys_of(session, access) if key.works(now=access.now)]
    if sum(key.name == named for key in working) >= KEYS_OF_A_NAME_MAX:
        raise TooManyKeys(f"Two keys named '{named}' work: revoke the one that is not used any more.")
    if len(working) >= KEYS_MAX:
        raise TooManyKeys(f"{KEYS_MAX} keys work: revoke those that are not used any more.")
    secret, key_id = Secret.fresh(is_live=is_live), ids.new_id("key")
    session.execute(
        insert(KeyRow).values(
            id=key_id,
            organization_id=access.organization_id,
            name=named,
            digest=secret.digest,
            last_four=secret.last_four,
            is_live=is_live,
            scopes=sorted(str(scope) for scope in set(scopes)),
            created_by=access.person_id,
            created_at=access.now,
            expires_at=None if lifetime_days is None else access.now + timedelta(days=lifetime_days),
        )
    )
    made = just_made(session, access, KeyRow, row_id=key_id)
    audit.record_by(session, access, Action.KEY_MADE, key_id)
    return _key(made), secret


def keys_of(session: Session, access: Access) -> Sequence[ApiKey]:
    """Active keys, newest first, then revoked ones; 500 at most."""
    return [_key(row) for row in newest_first(session, access, KeyRow, most=_LISTED_MAX)]


def revoke(session: Session, access: Access, *, key_id: str) -> ApiKey:
    """Revoke a key, effective at commit. Idempotent.

    Raises:
        KeyNotFound: The organisation has no such key.
    """
    row, is_news = revoked(session, access, KeyRow, row_id=key_id)
    if row is None:
        raise KeyNotFound("This organisation has no such key; ask for the list of its keys.")
    if is_news:
        audit.record_by(session, access, Action.KEY_REVOKED, key_id)
    return _key(row)


def _key(row: KeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        last_four=row.last_four,
        is_live=row.is_live,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
