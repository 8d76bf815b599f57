"""Format and errors of API keys: `sk_live_` or `sk_test_`, and a secret with a checksum (ADR 0107)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from amply.kernel import human_text
from amply.kernel.checked_secret import TAIL, CheckedSecret
from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules.access import Scope

PATTERN: Final = rf"sk_(?:live|test)_{TAIL}"
"""For secret scanners (docs/access.md)."""
KEYS_OF_A_NAME_MAX: Final = 2
KEYS_MAX: Final = 50
LIFETIME_DAYS_MAX: Final = 730
_NAME_LENGTH_MAX: Final = 100


class Secret(CheckedSecret):
    """An API key as sent in a request."""

    FORM = PATTERN
    PURPOSE = b"amply/api-key/v1"

    @property
    def is_live(self) -> bool:
        """Whether it moves real money."""
        return self.text.startswith("sk_live_")

    @classmethod
    def fresh(cls, *, is_live: bool) -> "Secret":
        """A new random key."""
        return cls.random(f"sk_{'live' if is_live else 'test'}_")


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """An API key after creation, without its secret."""

    id: str
    organization_id: str
    name: str
    last_four: str
    is_live: bool
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def works(self, *, now: datetime) -> bool:
        """Whether it is valid now."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class KeyNotFound(NotFound):
    """The organisation has no such key."""

    code = "key_not_found"


class KeyNotAcceptable(InvalidRequest):
    """No key can be called so."""

    code = "key_not_acceptable"


class TooManyKeys(Conflict):
    """Two keys of a name work already, or fifty in all."""

    code = "too_many_keys"


def name_of(text: str) -> str:
    """Normalise a key's name to one line.

    Raises:
        KeyNotAcceptable: It is empty, too long, or has characters that cannot be printed.
    """
    try:
        return human_text.name(text, longest=_NAME_LENGTH_MAX)
    except human_text.TextNotAcceptable as refused:
        raise KeyNotAcceptable(refused.sentence("the key's name"), param="name") from None
