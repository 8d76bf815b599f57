"""Digests of erased ids, kept outside the database, so that a restored backup does not bring erased data back (ADR 0123).

Kept are digests of the ids that erased things had. Ids have more than 70 random bits: a digest leads to nobody, and finds the
row in a copy of the database from before.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Final, Protocol

PREFIX: Final = "erased/"
"""Prefix of the list's files in the archive."""


class ErasureList(Protocol):
    """Append-only store of files by name."""

    def keep(self, path: str, body: bytes) -> None:
        """Store a file; succeeds if the same bytes exist already."""
        ...

    def read(self, path: str) -> bytes | None:
        """The file of this name, or None."""
        ...

    def names(self) -> Sequence[str]:
        """The names of all files of the list."""
        ...


def note(listed: ErasureList, digests: Collection[str]) -> None:
    """Append these digests to the list. Outside transactions. Idempotent: the name is a digest of the content."""
    if digests:
        body = json.dumps({"version": 1, "digests": sorted(set(digests))}).encode()
        listed.keep(f"{PREFIX}{hashlib.sha256(body).hexdigest()}.json", body)


def noted(listed: ErasureList) -> frozenset[str]:
    """All digests of the list. Outside transactions."""
    bodies = (listed.read(name) for name in listed.names())
    return frozenset(digest for body in bodies if body is not None for digest in json.loads(body)["digests"])


def digest_of(kind: str, erased_id: str) -> str:
    """The digest of an id, distinct for each kind."""
    return hashlib.sha256(f"amply/erased/1\0{kind}\0{erased_id}".encode()).hexdigest()
