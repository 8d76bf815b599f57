"""Ports of the release process. All calls are idempotent."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from amply_lake import Keys, Limits, ReleaseLedger, Signer
from amply_releases.arrivals import Arrival
from amply_releases.datasets import FileState, Source, Standing, Waiting


@dataclass(frozen=True, slots=True)
class Message:
    """One of the queue. It comes again until it is done."""

    body: str
    receipt: str


class ArrivalQueue(Protocol):
    """What tells of files."""

    def receive(self) -> Sequence[Message]:
        """Wait for some; none came within some seconds where there is none."""
        ...

    def done(self, message: Message) -> None:
        """It shall not come again."""
        ...


@dataclass(frozen=True, slots=True)
class Object:
    """What stands in the raw lake under a key."""

    etag: str
    size_bytes: int


class RawFiles(Protocol):
    """The raw lake, read only."""

    def look(self, key: str) -> Object | None:
        """What stands there; None: nothing any more."""
        ...

    def fetch(self, key: str, into: Path) -> Object | None:
        """Copy what stands there into a file, and say what it was."""
        ...


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """One file of a revision as buyers are told of it."""

    key: str
    size_bytes: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A release as the control plane keeps it."""

    number: int
    released_at: datetime
    policy_id: str
    k: int
    l: int | None  # noqa: E741 -- the field's own name
    rows: int
    certificate: str
    certificate_sha256: str
    schema: str
    files: Sequence[ReleasedFile]


class NotCopiedError(Exception):
    """A release is made, and is shown once the second region has it too. `has_shown`: another one was shown meanwhile."""

    has_shown = False


class UnreadableSourceError(Exception):
    """A dataset's item is not what it should be; the text says what is wrong."""


class Datasets(Protocol):
    """The control plane's table of datasets (docs/adr/0136-the-marketplace.md, 0141)."""

    def known(self) -> Sequence[str]:
        """The datasets that anything has arrived for."""
        ...

    def source(self, dataset_id: str) -> Source | None:
        """Where it comes from; None: nobody has said yet.

        Raises:
            UnreadableSourceError: What is said makes no sense.
        """
        ...

    def begin(self, source: Source, schema: str, *, now: datetime) -> Standing:
        """How far it has come, the dataset being made where there is none; how long it is served is remembered."""
        ...

    def standing(self, dataset_id: str, *, now: datetime) -> Standing | None:
        """How far it has come, as `begin` left it; None: it was never begun."""
        ...

    def note(self, arrival: Arrival, found: Object, *, now: datetime) -> None:
        """Let a file wait, unless it was noted as it stands."""
        ...

    def waiting(self, dataset_id: str, *, most: int) -> Sequence[Waiting]:
        """Files that wait, by day and name."""
        ...

    def decide(self, file: Waiting, state: FileState, reason: str = "", *, now: datetime) -> None:
        """Say what became of a file, if it still is what was noted."""
        ...

    def tried(self, dataset_id: str, *, refused: str | None, now: datetime) -> None:
        """A release was tried, and refused for this reason; None: it was not refused."""
        ...

    def refuse(self, dataset_id: str, reason: str, *, now: datetime) -> bool:
        """Say why nothing is released, without a release having been tried; whether that is news."""
        ...

    def withdrawals_looked_at(self, dataset_id: str, *, until: date, now: datetime) -> None:
        """Whoever has withdrawn up to this day is released no more."""
        ...

    def publish(self, source: Source, revision: Revision) -> bool:
        """Show a revision: its files, then itself, then that it is the newest; False where it was taken back before."""
        ...

    def followed(self, dataset_id: str, buyer: str) -> int:
        """The number of the dataset's own revision that a buyer's newest one follows; 0 before the first."""
        ...

    def hand_over(self, source: Source, buyer: str, revision: Revision, *, follows: int) -> None:
        """Show a buyer's own revision, to nobody else: its files, then itself, then that it is the newest.

        It is served as long as the dataset's own revision `follows` is.
        """
        ...

    def is_served(self, dataset_id: str, number: int) -> bool:
        """Whether a revision is there, and was not taken back."""
        ...

    def take_back(self, dataset_id: str, *, since: int, before: int, now: datetime) -> None:
        """Serve to nobody the revisions from one number on, before another; those that are not there stay away for good."""
        ...

    def keep_from(self, dataset_id: str, number: int) -> None:
        """Revisions of lower numbers need not be looked for again."""
        ...

    def go_back(self, dataset_id: str, *, to: int, before: int) -> None:
        """Let the numbers from one on, before another, which is where all that is kept begins, be shown: none of them was decided."""
        ...

    def first_since(self, dataset_id: str, standing: Standing, moment: datetime) -> int:
        """The first number that may be of a revision that was released since; those that were never shown do not count."""
        ...


class Consent(StrEnum):
    """What somebody has decided. The table may know of more one day: nobody is released who is not given."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class Consents(Protocol):
    """The table of consents, read only."""

    def states(self, people: Collection[str]) -> Mapping[str, str]:
        """What these have decided, as of now (`Consent`); whoever the table does not know is missing."""
        ...

    def withdrawn(self, days: Sequence[date]) -> set[str]:
        """Who has withdrawn on these days."""
        ...


class Buyers(Protocol):
    """The control plane's contracts and grants, read only."""

    def granted(self, *, now: datetime) -> Mapping[str, Sequence[str]]:
        """Of each dataset that anybody may read now, who that is: names as contracts have them, in order."""
        ...


class Curated(Protocol):
    """The bucket that links of buyers lead into."""

    def put(self, key: str, path: Path) -> None:
        """Store a file; storing it again is nothing.

        Raises:
            LakeError: Something else stands there.
        """
        ...

    def are_copied(self, keys: Sequence[str]) -> bool:
        """Whether these stand in the second region too; without one there is nothing to wait for."""
        ...

    def are_being_copied(self, keys: Sequence[str]) -> bool:
        """Whether all of these are stored here, and the second region lacks one of them."""
        ...


class Catalogue(Protocol):
    """The lake's catalogue, for those who ask by SQL."""

    def add(self, dataset_id: str, columns: Mapping[str, str], *, revision: int, prefix: str) -> None:
        """A revision as a partition of its dataset's table, which is made or widened where it has to be."""
        ...

    def remove(self, dataset_id: str, revision: int) -> None:
        """Show a revision no more; removing one that is not there is nothing."""
        ...


class Ledgers(Protocol):
    """The release ledgers, one a dataset."""

    def of(self, dataset_id: str) -> ReleaseLedger:
        """A dataset's."""
        ...

    def is_copied(self, dataset_id: str) -> bool:
        """Whether all of a dataset's ledger stands in the second region too; without one there is nothing to wait for."""
        ...

    def drop_copies(self, dataset_id: str) -> None:
        """Keep no file of a dataset's ledger here; it is fetched again when it is needed."""
        ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All of it. `scratch` is a folder of this process's own; what is in it may be gone tomorrow."""

    raw: RawFiles
    datasets: Datasets
    consents: Consents
    buyers: Buyers
    curated: Curated
    catalogue: Catalogue
    ledgers: Ledgers
    keys: Keys
    signer: Signer
    scratch: Path
    limits: Limits
    batch_bytes: int = field(default=2 << 30)
    """What files of one batch may have together, packed as they are."""
    pause: Callable[[float], object] = field(default=time.sleep)
    """For some seconds, while S3 copies; one that is ended early is no harm."""
