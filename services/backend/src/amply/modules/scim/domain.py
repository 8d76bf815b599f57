"""What a directory is known by, and what is refused about it."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from amply.kernel.errors import Conflict, NotFound
from amply.modules import keys

TOKENS_MAX: Final = 2
"""That work at a time: one and, while it is rotated, the next."""
RESOURCES_MAX: Final = 20_000
"""Users and groups of one organisation, and members of one group."""
PATTERN: Final = r"scim_[0-9A-Za-z]{36}"
"""What scanners look for (docs/sign-in.md)."""
_RANDOM: Final = 30
_CHECK: Final = 6
_FORM: Final = re.compile(PATTERN)


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A token as a directory sends it: 178 random bits and their check, as of an API key (ADR 0107)."""

    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is kept of it: SHA-256 over the token, with what it is for."""
        return hashlib.sha256(b"amply/scim-token/v1\0" + self.text.encode()).digest()

    @property
    def last_four(self) -> str:
        """What tells tokens apart for people."""
        return self.text[-4:]

    @classmethod
    def fresh(cls) -> "Secret":
        """One that nobody has."""
        stem = "scim_" + "".join(secrets.choice(keys.ALPHABET) for _ in range(_RANDOM))
        return cls(text=stem + keys.check_of(stem))

    @classmethod
    def parse(cls, text: str) -> "Secret | None":
        """A token as it was sent; None when it was not made here, or not sent whole."""
        if not _FORM.fullmatch(text) or keys.check_of(text[:-_CHECK]) != text[-_CHECK:]:
            return None
        return cls(text=text)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as it is known after it was made: all but the secret."""

    id: str
    last_four: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whose directory asks."""

    token_id: str
    organization_id: str


class TokenNotFound(NotFound):
    """The organisation has no such token."""

    code = "directory_token_not_found"


class TooManyTokens(Conflict):
    """Two work already."""

    code = "too_many_directory_tokens"
