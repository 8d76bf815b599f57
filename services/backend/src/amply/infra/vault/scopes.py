"""Scopes of keys (whose data a key encrypts), and the error where a key is unavailable."""

from typing import Final

from amply.kernel.errors import AmplyError, Unavailable

Scope = str
"""Whose data a key encrypts. Each column's definition names its scope."""

DONORS: Final[Scope] = "donors"
DONOR_INDEX: Final[Scope] = "donor-index"
PEOPLE: Final[Scope] = "people"
OF_ORGANIZATION: Final = "organization:"
"""Prefix of the scope of an organisation's own key; its id follows."""
ALWAYS: Final[tuple[Scope, ...]] = (DONORS, DONOR_INDEX, PEOPLE)
WITH_TREES: Final[frozenset[Scope]] = frozenset({DONORS})
"""Scopes with key trees, for crypto-shredding (ADR 0129)."""


class KeyNotAtHand(Unavailable):
    """A key is needed that could not be fetched before the transaction."""

    retry_after_seconds = 5

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            "Personal data cannot be kept or shown for the moment; repeat the request with the same Idempotency-Key."
        )
        self.scope = scope


class NoKeysHere(AmplyError):
    """Something sealed has to be found or opened in a process that was given no keys."""

    code = "no_keys_here"

    def __init__(self) -> None:
        super().__init__(
            "This needs the keys of personal data: run it as a task with the worker's settings (docs/runbooks/personal-keys.md)."
        )
