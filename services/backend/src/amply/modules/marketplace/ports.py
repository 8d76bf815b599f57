"""Ports of the marketplace: control-plane tables and gateway keys. Called outside transactions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules.marketplace.domain import Contract, Period

PeopleByOrganization = Callable[[Session, datetime], Mapping[str, int]]
"""Of how many people each organisation's gifts had been handed in by a moment, without those who had withdrawn."""


class ContractMoved(Exception):
    """The contract changed since it was read, or its name is taken."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A token's access to one dataset. All grants of one token share a `grant_id`."""

    token_digest: str
    dataset_id: str
    grant_id: str
    contract_id: str
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it reads at that moment, unless it is revoked until then."""
        return self.revoked_at is None and at < self.expires_at


@dataclass(frozen=True, kw_only=True)
class Used:
    """A contract's usage in a month: bytes by dataset summed from events, and the running total."""

    by_dataset: Mapping[str, int]
    total: int


@dataclass(frozen=True, kw_only=True)
class RevenueLine:
    """A credit for a month by one ledger transfer; negative for a reversal."""

    period: Period
    transfer_id: str
    credited: str
    amount: Money
    contract_id: str
    settlement_id: str
    dataset_id: str | None
    at: datetime


class Contracts(Protocol):
    """Store of buyers' contracts."""

    def get(self, contract_id: str) -> Contract | None:
        """None where there is none.

        Raises:
            ContractUnreadable: Its row is not as commands write it.
        """

    def all(self) -> Iterator[Contract]:
        """Closed ones too, in no order. One that cannot be read is left out, and told of in the log."""

    def put(self, contract: Contract, *, replaces: int | None) -> None:
        """Write one in place of that version; None: where none is.

        Raises:
            ContractMoved: Another version stands there.
        """


class Grants(Protocol):
    """Store of grants. Tokens are stored as digests."""

    def of_token(self, token_digest: str) -> Sequence[Grant]:
        """Every grant of a token as it is now, revoked ones too."""

    def give(self, grants: Sequence[Grant]) -> bool:
        """Write all of them or none; False where one of them is there."""

    def of(self, contract_id: str) -> list[Grant]:
        """Every grant of a contract, revoked ones too. What was given within the last seconds may be missing."""

    def revoke(self, grant: Grant, *, now: datetime) -> None:
        """From now on it is refused. Repeated, it stays as it was."""


class Usage(Protocol):
    """Reads usage by buyers."""

    def month(self, contract_id: str, period: Period) -> Used:
        """Read as it is now."""


class Catalogue(Protocol):
    """Looks up datasets."""

    def owner(self, dataset_id: str) -> str | None:
        """Who a dataset belongs to; None where there is no such dataset."""


class Revenue(Protocol):
    """Store of the owners' revenue lines."""

    def put(self, line: RevenueLine) -> None:
        """Write one; one that is there stays."""


@dataclass(frozen=True, kw_only=True)
class MadeKey:
    """A new gateway key. `value` is what the buyer sends."""

    id: str
    value: str


class BuyerKeys(Protocol):
    """Gateway keys, by which buyers' requests are metered and throttled."""

    def of(self, contract_id: str) -> Sequence[str]:
        """The ids of the keys that are named so."""

    def make(self, contract_id: str) -> MadeKey:
        """One of this name."""

    def end(self, key_id: str) -> None:
        """It opens nothing any more; one that is gone stays gone."""
