"""Metering: each response with links is recorded before it is sent, within the contract's monthly limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from amply_marketplace.datasets import File, Released
from amply_marketplace.errors import UsedUp
from amply_marketplace.grants import Grant

TOTAL = "total"
"""The one item of a contract's month that is counted up; every other is written once."""
EVENT = "event#"
"""How the names of these begin."""
OF_DATASET = "dataset#"
"""How a dataset's own sums are named, in place of a contract's month."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """Links to `files` files of `size_bytes`, given to a grant. `event` is its name within the contract's month."""

    grant: Grant
    dataset_id: str
    revision: int
    files: int
    size_bytes: int
    at: datetime
    event: str

    @property
    def contract_month(self) -> str:
        return contract_month(self.grant.under.contract_id, self.at)

    @property
    def of_dataset(self) -> tuple[str, str]:
        """Where its owner finds the sum of this contract's month: the dataset, and within it the month and the contract."""
        return f"{OF_DATASET}{self.dataset_id}", f"{self.at:%Y-%m}#{self.grant.under.contract_id}"

    @property
    def room_bytes(self) -> int:
        """How much may have been used before, so that this still fits; negative where it never does."""
        return self.grant.under.bytes_a_month - self.size_bytes


def contract_month(contract_id: str, at: datetime) -> str:
    return f"{contract_id}#{at.astimezone(UTC):%Y-%m}"


def use(grant: Grant, released: Released, files: Sequence[File], *, now: datetime, name: str) -> Use:
    """What is about to be given. `name` tells it from another one of the same moment.

    Raises:
        UsedUp: It alone is more than a month may bring.
    """
    at = now.astimezone(UTC)
    made = Use(
        grant=grant,
        dataset_id=released.dataset.dataset_id,
        revision=released.revision.number,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        at=at,
        event=f"{EVENT}{at:%Y-%m-%dT%H:%M:%S.%f}Z#{name}",
    )
    if made.room_bytes < 0:
        raise UsedUp(retry_seconds=seconds_left_of_month(now))
    return made


def seconds_left_of_month(now: datetime) -> int:
    """Until the first of the next month, UTC; one at least."""
    here = now.astimezone(UTC)
    following = datetime(here.year + here.month // 12, here.month % 12 + 1, 1, tzinfo=UTC)
    return max(1, int((following - here).total_seconds()))
