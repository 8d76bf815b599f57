"""Ports of data sharing. Called outside transactions."""

from typing import Protocol

from amply.modules.sharing.domain import Decision, PublishedConsent


class FileMoved(Exception):
    """The file changed since its version was read: another writer is active."""


class ConsentTable(Protocol):
    """The consent table that the release process reads."""

    def put(self, consent: PublishedConsent) -> Decision:
        """Keep a consent unless a withdrawal is there, or it is given and this version or a later one is; return what stands there then.

        A withdrawal needs no newer version: it is final, and the database may have been restored to before what the table was told.
        """


class RawFiles(Protocol):
    """The raw files of facts. Write-only from here."""

    def version(self, path: str) -> str | None:
        """The current version, or None."""

    def write(self, path: str, content: bytes, *, replaces: str | None) -> None:
        """Replace the given version by a whole file; None: create it.

        Raises:
            FileMoved: Something else stands there.
        """
