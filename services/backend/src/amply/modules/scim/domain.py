"""The directory as a caller, and the errors about its tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from amply.kernel.checked_secret import TAIL, CheckedSecret
from amply.kernel.errors import Conflict, NotFound

TOKENS_MAX: Final = 2
"""Active tokens: one and, during rotation, the next."""
RESOURCES_MAX: Final = 20_000
"""Users and groups of an organisation, and members of a group."""
PATTERN: Final = rf"scim_{TAIL}"
"""For secret scanners (docs/sign-in.md)."""


class Secret(CheckedSecret):
    """A SCIM token as sent in a request."""

    FORM = PATTERN
    PURPOSE = b"amply/scim-token/v1"

    @classmethod
    def fresh(cls) -> "Secret":
        """A new random token."""
        return cls.random("scim_")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A SCIM token after creation, without its secret."""

    id: str
    last_four: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DirectoryCaller:
    """The authenticated directory of a request."""

    token_id: str
    organization_id: str


class TokenNotFound(NotFound):
    """The organisation has no such token."""

    code = "directory_token_not_found"


class TooManyTokens(Conflict):
    """Two work already."""

    code = "too_many_directory_tokens"
