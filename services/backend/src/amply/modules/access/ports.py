"""Ports by which other modules authenticate callers and renew roles."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from amply.modules.access.domain import Caller


class RoleRenewal(Protocol):
    """Renews a role that an identity provider grants, by asking the provider again."""

    def renew(self, *, organization_id: str, person_id: str, now: datetime) -> None:
        """Renew the role if possible. The resulting role is looked up afterwards."""


class CallerSource(Protocol):
    """One way of authentication: session or key. The application tries each in turn."""

    def caller_of(
        self, *, headers: Mapping[str, str], cookies: Mapping[str, str], address: str, now: datetime
    ) -> Caller | None:
        """The caller; None if the request has no credentials of this kind. `address`: the client's, as seen by our
        gateway.

        Raises:
            AmplyError: It carries something of this kind that is not good, or no longer; 401, and not told why.
            Unavailable: Whether it is good cannot be said now; nobody is let in on trust.
        """
