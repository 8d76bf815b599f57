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
        """Datasets of one owner, by id, after `after`."""

    def dataset(self, dataset_id: str) -> Dataset | None:
        """One dataset, or None."""

    def releases(self, dataset: Dataset, *, before: int | None, limit: int) -> Sequence[Release]:
        """Releases below `before`, newest first."""

    def release(self, dataset_id: str, number: int) -> Release | None:
        """One release, or None."""

    def uses(self, dataset_id: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Use]:
        """Usage, newest month first, after the given month and contract."""

    def shares(self, credited: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Share]:
        """Revenue shares, newest period first, after the given period and transfer."""


class Certificates(Protocol):
    """Store of release certificates."""

    def read(self, place: str) -> bytes | None:
        """A certificate's bytes, up to the size limit; None if there is none.

        Raises:
            TablesAway: The store does not answer.
        """


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the seller portal routes."""

    tables: SoldTables
    certificates: Certificates
