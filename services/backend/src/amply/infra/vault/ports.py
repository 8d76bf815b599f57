"""Ports of the vault: the key service that wraps envelope keys, and the store of key trees."""

from dataclasses import dataclass, field
from typing import Protocol

from amply.kernel.errors import AmplyError


class KeyWrappingAway(AmplyError):
    """The key service did not answer, or refused."""

    code = "key_wrapping_away"


class KeyWrapping(Protocol):
    """A key service. Called outside transactions only; retries by itself, a few times."""

    def generate(self, *, scope: str, version: int) -> tuple[bytes, bytes]:
        """Generate a 32-byte key; returns it in plain, and wrapped for this scope and version.

        Raises:
            KeyWrappingAway: The key service did not answer, or refused.
        """

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        """Unwrap a key that was wrapped for this scope and version.

        Raises:
            KeyWrappingAway: The key service did not answer, or refused.
        """


class KeyTreeAway(AmplyError):
    """A tree of keys could not be read or written, is not where it was, or does not open."""

    code = "key_tree_away"


class KeyTreeMoved(AmplyError):
    """Somebody else has written a tree since it was read: read it again."""

    code = "key_tree_moved"


@dataclass(frozen=True, kw_only=True)
class StoredTree:
    """An encrypted tree in the store; `mark` changes with every write."""

    body: bytes = field(repr=False)
    mark: str


class TreeStore(Protocol):
    """A store outside the database and its backups, where overwritten versions expire within days."""

    def read(self, name: str, *, unless: str | None = None) -> StoredTree | None:
        """The tree of this name; None where there is none. `unless` is the mark of one that is known: the same may come back
        with an empty body.

        Raises:
            KeyTreeAway: The store did not answer, or refused.
        """
        ...

    def write(self, name: str, body: bytes, *, replaces: str | None) -> str:
        """Write what replaces the tree with this mark, or the first one; answers the new mark.

        Raises:
            KeyTreeMoved: What is there has another mark.
            KeyTreeAway: As `read` says.
        """
        ...
