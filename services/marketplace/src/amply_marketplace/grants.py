"""Decides access by grants (token digest, contract, dataset, expiry). Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from amply_marketplace.errors import NotGranted, NoToken, NotThere

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]{32,512})", re.ASCII)
"""RFC 6750, section 2.1; shorter ones are none of ours."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
SCHEMA = "released"
"""Each share has this one schema: what was released."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a buyer pays for. `bytes_a_month` is how much they may fetch in a month of UTC."""

    contract_id: str
    buyer: str
    """Whose it is: a name, which releases made to them have too."""
    is_active: bool
    starts_at: datetime
    ends_at: datetime
    bytes_a_month: int

    def holds(self, now: datetime) -> bool:
        return self.is_active and self.starts_at <= now < self.ends_at


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One dataset for whoever has the token. `contract` is None where it is not there any more."""

    token_digest: str
    grant_id: str
    dataset_id: str
    contract: Contract | None
    expires_at: datetime
    is_revoked: bool

    def holds(self, now: datetime) -> bool:
        return (
            not self.is_revoked
            and now < self.expires_at
            and self.contract is not None
            and self.contract.holds(now)
        )

    @property
    def under(self) -> Contract:
        """The contract of a grant that holds."""
        if self.contract is None:
            raise NotGranted
        return self.contract

    @property
    def buyer(self) -> str:
        """Whom releases have to be made to."""
        return self.under.buyer

    @property
    def share(self) -> str:
        """As Delta Sharing calls it: a buyer's contracts are their shares."""
        return self.under.contract_id

    def ends(self) -> datetime:
        return min(self.expires_at, self.under.ends_at)


def digest(token: str) -> str:
    """What is stored of a token: it has 256 random bits, so a plain digest tells nobody what it was."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_digest(authorization: str | None) -> str:
    """Of the header's bearer token.

    Raises:
        NoToken: It holds none.
    """
    found = _BEARER.fullmatch(authorization or "")
    if found is None:
        raise NoToken
    return digest(found[1])


def usable(grants: Iterable[Grant], now: datetime) -> Mapping[tuple[str, str], Grant]:
    """Those that hold now, by share and dataset.

    Raises:
        NoToken: There are none at all: nobody was given this token.
        NotGranted: There were, and all have ended.
    """
    every = list(grants)
    if not every:
        raise NoToken
    holding = {(grant.share, grant.dataset_id): grant for grant in every if grant.holds(now)}
    if not holding:
        raise NotGranted
    return dict(sorted(holding.items()))


def named(said: str) -> str:
    """A share, schema or table as it is stored: Delta Sharing's names are told apart without regard to case.

    Raises:
        NotThere: Nothing can be called so.
    """
    name = said.lower()
    if not _NAME.fullmatch(name):
        raise NotThere
    return name


def the(grants: Mapping[tuple[str, str], Grant], *, share: str, schema: str, table: str) -> Grant:
    """The grant of one table; another buyer's table is not there, as one that never was."""
    found = grants.get((named(share), named(table)))
    if found is None or named(schema) != SCHEMA:
        raise NotThere
    return found
