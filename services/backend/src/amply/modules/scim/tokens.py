"""SCIM tokens: create, list, revoke, and look up on each request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel import ids
from amply.modules import audit
from amply.modules.access import (
    Access,
    hold_organization,
    just_made,
    newest_first,
    note_use,
    revoked,
    row_of_secret,
)
from amply.modules.audit import Action
from amply.modules.scim.domain import TOKENS_MAX, DirectoryCaller, Secret, Token, TokenNotFound, TooManyTokens
from amply.modules.scim.models import TokenRow

_LISTED_MAX: Final = 100
_FIND: Final = text(
    "SELECT id, organization_id, digest, revoked_at, last_used_at FROM find_scim_token(:digest)"
)
_NOTE: Final = text("SELECT note_scim_token_use(:id, :now)")


def make(session: Session, access: Access) -> tuple[Token, Secret]:
    """Create a token. Only this response contains the secret. To rotate: create a second one, install it, revoke the
    first.

    Raises:
        TooManyTokens: Two work.
    """
    hold_organization(session, access.organization_id)
    if sum(each.revoked_at is None for each in tokens_of(session, access)) >= TOKENS_MAX:
        raise TooManyTokens("Two tokens work: revoke the one that your directory does not use any more.")
    secret, token_id = Secret.fresh(), ids.new_id("sct")
    session.execute(
        insert(TokenRow).values(
            id=token_id,
            organization_id=access.organization_id,
            digest=secret.digest,
            last_four=secret.last_four,
            created_by=access.person_id,
            created_at=access.now,
        )
    )
    made = just_made(session, access, TokenRow, row_id=token_id)
    audit.record_by(session, access, Action.DIRECTORY_TOKEN_MADE, token_id)
    return _token(made), secret


def tokens_of(session: Session, access: Access) -> Sequence[Token]:
    """Active tokens, newest first, then revoked ones; 100 at most."""
    return [_token(row) for row in newest_first(session, access, TokenRow, most=_LISTED_MAX)]


def revoke(session: Session, access: Access, *, token_id: str) -> Token:
    """Revoke a token, effective at commit. Idempotent.

    Raises:
        TokenNotFound: The organisation has no such token.
    """
    row, is_news = revoked(session, access, TokenRow, row_id=token_id)
    if row is None:
        raise TokenNotFound("Your organisation has no such token; look at the list.")
    if is_news:
        audit.record_by(session, access, Action.DIRECTORY_TOKEN_REVOKED, token_id)
    return _token(row)


def known_by(database: Database, authorization: str, *, now: datetime) -> DirectoryCaller | None:
    """The directory that a request's token authenticates; None if there is no valid token."""
    scheme, _, sent = authorization.partition(" ")
    secret = Secret.parse(sent) if scheme.lower() == "bearer" else None
    if secret is None:
        return None
    row = row_of_secret(database, secret, find=_FIND)
    if row is None:
        return None
    note_use(database, row, note=_NOTE, now=now)
    return DirectoryCaller(token_id=row.id, organization_id=row.organization_id)


def _token(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        last_four=row.last_four,
        created_by=row.created_by,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
