"""Authenticates API keys: `Authorization: Bearer sk_…`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from amply.infra.database import Database
from amply.modules.access import Caller, CredentialNotValid, KeyCaller, Scope, note_use, row_of_secret
from amply.modules.keys.domain import Secret

_FIND: Final = text("""
    SELECT id, organization_id, digest, is_live, scopes, expires_at, revoked_at, last_used_at
    FROM find_api_key(:digest)
""")
_NOTE: Final = text("SELECT note_key_use(:id, :now)")


@dataclass(frozen=True, kw_only=True)
class KeyCallers:
    """Authenticates API keys without caching, so that revocation is immediate."""

    database: Database
    livemode: bool

    def caller_of(
        self, *, headers: Mapping[str, str], cookies: Mapping[str, str], address: str, now: datetime
    ) -> Caller | None:
        """The caller of an API key; None if no valid key was sent.

        Raises:
            CredentialNotValid: It was never made, is revoked, has expired, or is of the other mode. What no key can be is
                refused without asking the database.
        """
        del cookies, address
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not sent.startswith("sk_"):
            return None
        secret = Secret.parse(sent)
        if secret is None or secret.is_live != self.livemode:
            raise self._refused()
        return self._known(secret, now=now)

    def _known(self, secret: Secret, *, now: datetime) -> KeyCaller:
        row = row_of_secret(self.database, secret, find=_FIND)
        if row is None or row.is_live != self.livemode:
            raise self._refused()
        if row.expires_at is not None and row.expires_at <= now:
            raise self._refused()
        note_use(self.database, row, note=_NOTE, now=now)
        return KeyCaller(
            key_id=row.id,
            organization_id=row.organization_id,
            scopes=frozenset(Scope(scope) for scope in row.scopes),
            is_live=row.is_live,
        )

    def _refused(self) -> CredentialNotValid:
        mode = "sk_live_" if self.livemode else "sk_test_"
        return CredentialNotValid(f"Send a key of your organisation that works, and begins with {mode} here.")
