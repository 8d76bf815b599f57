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
    """It changed since it was read, or there is one of this name already."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A token's right to one dataset. All items of one token have the same `grant_id`."""

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
    """A contract's month: bytes by dataset, added up from its events, and the sum that was counted beside them."""

    by_dataset: Mapping[str, int]
    total: int


@dataclass(frozen=True, kw_only=True)
class RevenueLine:
    """What one transfer of the ledger credits somebody with for a month; below zero where it takes back."""

    period: Period
    transfer_id: str
    credited: str
    amount: Money
    contract_id: str
    settlement_id: str
    dataset_id: str | None
    at: datetime


class Contracts(Protocol):
    """The buyers' contracts, as they are now."""

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
    """What tokens may read. Only digests of tokens are known."""

    def of_token(self, token_digest: str) -> Sequence[Grant]:
        """Every grant of a token as it is now, revoked ones too."""

    def give(self, grants: Sequence[Grant]) -> bool:
        """Write all of them or none; False where one of them is there."""

    def of(self, contract_id: str) -> list[Grant]:
        """Every grant of a contract, revoked ones too. What was given within the last seconds may be missing."""

    def revoke(self, grant: Grant, *, now: datetime) -> None:
        """From now on it is refused. Repeated, it stays as it was."""


class Usage(Protocol):
    """What was given to buyers."""

    def month(self, contract_id: str, period: Period) -> Used:
        """Read as it is now."""


class Catalogue(Protocol):
    """The datasets."""

    def owner(self, dataset_id: str) -> str | None:
        """Who a dataset belongs to; None where there is no such dataset."""


class Revenue(Protocol):
    """The shares, as owners are told of them."""

    def put(self, line: RevenueLine) -> None:
        """Write one; one that is there stays."""


@dataclass(frozen=True, kw_only=True)
class MadeKey:
    """A key of the gateway. `value` is what its buyer sends."""

    id: str
    value: str


class BuyerKeys(Protocol):
    """The gateway's keys, by which requests of buyers are counted and slowed."""

    def of(self, contract_id: str) -> Sequence[str]:
        """The ids of the keys that are named so."""

    def make(self, contract_id: str) -> MadeKey:
        """One of this name."""

    def end(self, key_id: str) -> None:
        """It opens nothing any more; one that is gone stays gone."""
