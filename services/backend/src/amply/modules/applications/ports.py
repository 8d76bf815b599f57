"""Ports of applications: people's addresses, public registers, document uploads."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from amply.infra.uploads import UploadStore


class People(Protocol):
    """Looks up people's verified addresses. May not be called inside a transaction."""

    def verified_address(self, *, person_id: str) -> str | None:
        """A person's verified e-mail address, or None."""


@dataclass(frozen=True, kw_only=True)
class RegisterEntry:
    """A public register's entry: the name in it, and its status in the register's own words."""

    name: str
    status: str


class RegisterUnavailable(Exception):
    """The register does not respond, or not intelligibly. It is retried."""


class Register(Protocol):
    """Public registers of charities and companies. May not be called inside a transaction."""

    def name_for(self, *, country: str) -> str | None:
        """The name of a country's register; None if it has none that can be queried."""

    def look_up(self, *, country: str, tax_id: str) -> RegisterEntry | None:
        """The register's entry of a number, or None.

        Raises:
            RegisterUnavailable: It does not answer.
        """


class DocumentStore(UploadStore, Protocol):
    """The store of documents, with download links."""

    def link(self, key: str, *, version: str | None, media_type: str, lifetime: timedelta) -> str:
        """A presigned download URL with this lifetime."""
