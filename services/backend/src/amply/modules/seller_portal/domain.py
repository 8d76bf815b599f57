"""Datasets as their sellers see them, and the rounding that keeps small counts from identifying anybody."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import NotFound
from amply.kernel.money import Money

SHARED: Final = "donations"
"""The platform's own dataset of shared facts about gifts (ADR 0137)."""
PEOPLE_MIN: Final = 20
"""Smaller counts are only reported as fewer than this, the minimum class size of releases."""
_STEP: Final = 10


class DatasetNotFound(NotFound):
    """The organisation has no part in such a dataset that is sold."""

    code: ClassVar[str] = "sold_dataset_not_found"

    def __init__(self) -> None:
        super().__init__(
            "This organisation has no part in a dataset of this id; ask for the list of those that are sold.",
            param="dataset_id",
        )


class ReleaseNotFound(NotFound):
    """The dataset has no such release."""

    code: ClassVar[str] = "data_release_not_found"

    def __init__(self) -> None:
        super().__init__(
            "This dataset has no release with this number; ask for the list of its releases.", param="number"
        )


class Telling(StrEnum):
    """How a number of people is told. `FEWER`: than twenty. `NEARLY_ALL`: all of those it is counted of, but for fewer than twenty."""

    ABOUT = "about"
    FEWER = "fewer"
    NEARLY_ALL = "nearly_all"


@dataclass(frozen=True, kw_only=True)
class People:
    """A number of people. `about` is rounded down to tens, and set only where it identifies nobody."""

    said: Telling
    about: int | None = None


def people(count: int, *, of: int | None = None) -> People:
    """Round a count out of `of` people, so that neither few who did something nor few who did not can be identified."""
    if count < PEOPLE_MIN:
        return People(said=Telling.FEWER)
    if of is not None and of - count < PEOPLE_MIN:
        return People(said=Telling.NEARLY_ALL)
    return People(said=Telling.ABOUT, about=count - count % _STEP)


@dataclass(frozen=True, kw_only=True)
class Consents:
    """Consents of one month (`2026-10`, UTC): donors asked, consented, and withdrawn since."""

    month: str
    gave: People
    ticked: People
    withdrew: People


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset and its releases.

    Attributes:
        owner: The organisation's id, or another word for the platform's own.
        kind: What it is about; empty before its first release.
        state: `open` or `closed`; None where it is not handed in by its owner.
        latest: Its newest release; 0 before the first.
        refused: Why nothing was released the last time; None where that is not so.
    """

    dataset_id: str
    owner: str
    title: str
    kind: str
    state: str | None
    latest: int
    refused: str | None


@dataclass(frozen=True, kw_only=True)
class Release:
    """One revision; its certificate says more.

    Attributes:
        k: Every row is one of at least so many people's.
        l_min: So many values each sensitive column has in every class; None where there is no such column.
        withdrawn_at: Since when buyers are not given it any more.
        place: Where its certificate is.
    """

    dataset_id: str
    number: int
    released_at: datetime
    policy: str
    rows: int
    k: int
    l_min: int | None
    withdrawn_at: datetime | None
    certificate_sha256: str
    place: str


@dataclass(frozen=True, kw_only=True)
class CertifiedPart:
    """A certificate's statements about one file (docs/data-platform.md). Ratios are decimal strings, 0 to 1.

    Attributes:
        t_max: How far a class's values are at most from those of the whole file.
        loss: What was lost by making values coarser.
        suppressed: Rows of the batch that were left out.
    """

    file: str
    rows: int
    people: int
    k: int
    l_min: int | None
    t_max: str | None
    loss: str
    suppressed: int
    policy: str


@dataclass(frozen=True, kw_only=True)
class Use:
    """One contract's usage of a dataset in a month: responses, with the sizes of their files."""

    month: str
    contract_id: str
    answers: int
    files: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Share:
    """Revenue of a dataset for an owner. `transfer_id` refers to the ledger; corrections are negative."""

    period: str
    transfer_id: str
    dataset_id: str
    amount: Money

    @property
    def entry_id(self) -> str:
        """The ledger entry of the transfer."""
        return self.transfer_id.partition("#")[0]
