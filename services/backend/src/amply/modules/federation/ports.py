"""Ports of federated sign-in: DNS lookups, and group membership from the organisation's directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from amply.modules import people


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a directory says of somebody."""

    is_active: bool
    groups: tuple[str, ...]


class Directory(Protocol):
    """An organisation's list of its people, where it has one."""

    def listed(
        self, session: Session, *, organization_id: str, person_id: str, address: people.Address
    ) -> Listed | None:
        """What it says of somebody who comes by the provider; None where the organisation has no directory."""


class RecordsAway(Exception):
    """The DNS does not answer; what it would say is not known."""


class DomainRecords(Protocol):
    """Texts in the DNS. May not be called inside a transaction."""

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records of a name; nothing where there is none.

        Raises:
            RecordsAway: It cannot be said.
        """
