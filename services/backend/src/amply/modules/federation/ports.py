"""Ports of federated sign-in: DNS lookups, and group membership from the organisation's directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from amply.modules import people


@dataclass(frozen=True, kw_only=True)
class DirectoryEntry:
    """A directory's entry of a person."""

    is_active: bool
    groups: tuple[str, ...]


class Directory(Protocol):
    """An organisation's SCIM directory, if it has one."""

    def listed(
        self, session: Session, *, organization_id: str, person_id: str, address: people.Address
    ) -> DirectoryEntry | None:
        """The directory's entry of a person; None if the organisation has no directory."""


class RecordsAway(Exception):
    """The DNS did not respond."""


class DomainRecords(Protocol):
    """Looks up TXT records. May not be called inside a transaction."""

    def texts(self, name: str) -> Sequence[str]:
        """TXT records of a name.

        Raises:
            RecordsAway: It cannot be said.
        """
