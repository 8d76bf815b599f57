"""Providers, domains and role mapping of federated sign-in, and its errors. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound, NotOffered, Unavailable
from amply.modules.access import Role

HOLDS_FOR: Final = timedelta(minutes=5)
"""Validity of a role granted by a provider: a revoked role is gone within this time."""
TRIED_EVERY: Final = timedelta(seconds=10)
"""Retry interval for a provider that did not respond, for each person."""
CHECKED_EVERY: Final = timedelta(days=1)
MISSED_AGAIN: Final = timedelta(hours=6)
MISSES_MAX: Final = 3
"""Consecutive failed checks, at least six hours apart, before a domain is removed: a day to migrate DNS."""
DOMAINS_MAX: Final = 20
GROUPS_MAX: Final = 100
RECORD_NAME: Final = "_amply"
_RECORD: Final = "amply-domain-verification="
_DOMAIN: Final = re.compile(
    r"(?=.{4,190}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An organisation's identity provider, without the client secret, which is write-only.

    Attributes:
        group_roles: What members of a group there are here; of several the highest counts. Never an owner.
        default_role: What whoever is in none of them is; None lets them not in.
        is_required: Whether members sign in no other way.
    """

    organization_id: str
    issuer: str
    client_id: str
    default_role: Role | None
    group_roles: Mapping[str, Role]
    is_required: bool
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A domain claimed by an organisation; verified where `verified_at` is set."""

    domain: str
    token: str
    verified_at: datetime | None
    checked_at: datetime | None

    @property
    def record_name(self) -> str:
        """Name of the DNS record."""
        return f"{RECORD_NAME}.{self.domain}"

    @property
    def record_text(self) -> str:
        """Contents of the DNS record."""
        return _RECORD + self.token


class ConnectionNotFound(NotFound):
    """The organisation has no sign-in of its own."""

    code = "sign_in_not_set_up"


class ConnectionNotAcceptable(InvalidRequest):
    """No sign-in can be set up so."""

    code = "sign_in_not_acceptable"


class DomainNotFound(NotFound):
    """The organisation has asked for no such domain."""

    code = "domain_not_found"


class DomainNotAcceptable(InvalidRequest):
    """It is no domain."""

    code = "domain_not_acceptable"


class DomainNotShown(Conflict):
    """The DNS does not say yet that it is theirs."""

    code = "domain_not_shown"


class DomainTaken(Conflict):
    """Another organisation has shown that it is theirs."""

    code = "domain_taken"


class TooManyDomains(Conflict):
    """An organisation has as many as there may be."""

    code = "too_many_domains"


class NotTriedYet(Conflict):
    """Nobody has come by the provider yet: were it required, nobody might get in."""

    code = "sign_in_not_tried"


class RecordsUnavailable(Unavailable):
    """The DNS does not answer."""

    code = "dns_unavailable"


class FederationNotOffered(NotOffered):
    """This environment signs nobody in."""

    code = "federation_not_offered"


def domain_of(text: str) -> str:
    """Normalise a domain: ASCII, lower case.

    Raises:
        DomainNotAcceptable: It is none.
    """
    try:
        named = text.strip().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        named = ""
    if not _DOMAIN.fullmatch(named):
        raise DomainNotAcceptable("Give a domain like 'river-trust.example'.", param="domain")
    return named


def role_by(
    default_role: str | None, group_roles: Mapping[str, str], groups: tuple[str, ...] | None
) -> Role | None:
    """The role of somebody in these groups, or None."""
    given = [Role(group_roles[each]) for each in groups or () if each in group_roles]
    if given:
        return max(given, key=_weight)
    return None if default_role is None else Role(default_role)


def _weight(role: Role) -> int:
    """Of two groups the one that may more counts; which that is, is a matter of the policy table's columns."""
    return (Role.VIEWER, Role.CONTENT, Role.FINANCE, Role.ADMIN, Role.OWNER).index(role)
