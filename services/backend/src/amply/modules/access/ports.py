"""Ports by which other modules authenticate callers and renew roles."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from amply.modules.access.domain import Caller


class RoleRenewal(Protocol):
    """Renews a role that an identity provider grants, by asking the provider again."""

    def renew(self, *, organization_id: str, person_id: str, now: datetime) -> None:
        """Ask for it, where that can be. What has become of the role is looked up afterwards."""


class CallerSource(Protocol):
    """One way of authentication: session or key. The application tries each in turn."""

    def caller_of(
        self, *, headers: Mapping[str, str], cookies: Mapping[str, str], address: str, now: datetime
    ) -> Caller | None:
        """Who asks; None where the request carries nothing of this kind. `address` is the client's, as our gateway saw it.

        Raises:
            AmplyError: It carries something of this kind that is not good, or no longer; 401, and not told why.
            Unavailable: Whether it is good cannot be said now; nobody is let in on trust.
        """
