"""Ports of the seller portal. Called outside transactions; each list is bounded by its `limit`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from amply.kernel.errors import Unavailable
from amply.modules.seller_portal.domain import Dataset, Release, Share, Use


class TablesAway(Unavailable):
    """The data platform's tables do not answer, or hold what nobody understands."""

    def __init__(self, detail: str = "The data platform does not answer: ask again in a moment.") -> None:
        super().__init__(detail)


class SoldTables(Protocol):
    """Read access to the control plane's tables. Every method may raise TablesAway."""

    def datasets(self, owner: str, *, after: str | None, limit: int) -> Sequence[Dataset]:
        """Of one owner, by their ids: those behind `after`."""

    def dataset(self, dataset_id: str) -> Dataset | None:
        """None where there is none of this id."""

    def releases(self, dataset: Dataset, *, before: int | None, limit: int) -> Sequence[Release]:
        """The newest first: those with a lower number than `before`."""

    def release(self, dataset_id: str, number: int) -> Release | None:
        """None where there is none of this number."""

    def uses(self, dataset_id: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Use]:
        """The newest month first: what stands behind this month and contract."""

    def shares(self, credited: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Share]:
        """The newest period first: what stands behind this period and transfer."""


class Certificates(Protocol):
    """Store of release certificates."""

    def read(self, place: str) -> bytes | None:
        """At most as long as a certificate may be. None where there is nothing.

        Raises:
            TablesAway: The store does not answer.
        """


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the seller portal routes."""

    tables: SoldTables
    certificates: Certificates
