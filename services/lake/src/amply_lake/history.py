"""Replays the release ledger: immutable batches, withheld cells, and releases.

A record is canonical JSON and carries the hash of the one before it, so that a ledger that lost or changed one is refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

import rfc8785

from amply_lake.errors import LedgerError
from amply_lake.ports import ReleaseLedger

FORMAT: Final = 2  # of batches: who is in a row is a number of 64 bits

BY_PSEUDONYM: Final = "pseudonym"
BY_BATCH: Final = "batch"
"""As they stand in the batch: what the record of an earlier version's release means, which does not say it."""
RELEASED: Final = "released"
"""A release's record. An earlier version, which takes releases to several buyers for one list, knows no such kind and refuses the ledger."""
RELEASE: Final = "release"
"""That of an earlier version."""
RELEASES: Final = frozenset({RELEASED, RELEASE})


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch from its record: `sources` are file hashes, `certified` what its parts' certificates repeat."""

    number: int
    file: str
    sources: tuple[str, ...]
    quasi: tuple[str, ...]
    released: tuple[str, ...]
    has_row_keys: bool
    certified: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Released:
    """A decided release: buyer, state of the dataset, certificate, and the rows available in each class."""

    buyer: str
    number: int
    state: str
    form: str
    folder: str
    certificate: str
    rows_by: str


@dataclass(slots=True)
class _ReplayedHistory:
    """State while records are replayed. Of releases, only the newest to each buyer is kept: there are thousands."""

    dataset: str
    batches: list[Batch] = field(default_factory=list)
    withheld: dict[int, set[int]] = field(default_factory=dict)
    newest: dict[str, Released] = field(default_factory=dict)
    count: int = 0
    last: str = ""

    def copy(self) -> "_ReplayedHistory":
        """An independent copy."""
        withheld = {batch: set(cells) for batch, cells in self.withheld.items()}
        return replace(self, batches=list(self.batches), withheld=withheld, newest=dict(self.newest))

    def take(self, raw: bytes, record: Mapping[str, Any]) -> None:
        """Apply one more record."""
        match record["kind"]:
            case "batch":
                self.batches.append(_batch(record))
            case "withheld":
                for batch, cells in record["cells"].items():
                    self.withheld.setdefault(int(batch), set()).update(cells)
            case kind if kind in RELEASES:
                self.newest[record["buyer"]] = _released(record)
            case other:
                raise LedgerError(
                    f"the release ledger tells of {other!r}, which only a newer version knows; install that"
                )
        self.count += 1
        self.last = hashlib.sha256(raw).hexdigest()


_READ: Final[WeakKeyDictionary[ReleaseLedger, _ReplayedHistory]] = WeakKeyDictionary()
"""What was read of each ledger, as long as somebody has that. Records never change, so that only those that came since are read again."""


class History:
    """The replayed ledger, and records appended since."""

    def __init__(self, ledger: ReleaseLedger, told: _ReplayedHistory) -> None:
        self.ledger, self._told = ledger, told

    @classmethod
    def read(cls, ledger: ReleaseLedger, dataset: str) -> "History":
        """Replay a dataset's ledger, up to its current end.

        Raises:
            LedgerError: Its records do not follow on one another, are another dataset's, or tell of batches of another format.
        """
        known = _READ.get(ledger)
        told = known.copy() if known and known.dataset == dataset else _ReplayedHistory(dataset)
        for raw in ledger.records(told.count):
            try:
                record = json.loads(raw)
                is_next = record["previous"] == told.last and record["dataset"] == dataset
                if not is_next or rfc8785.dumps(record) != raw:
                    raise LedgerError(
                        f"record {told.count} of the release ledger does not follow on the one before; "
                        "restore the ledger from a backup, and release nothing until then"
                    )
                told.take(raw, record)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise LedgerError(
                    f"record {told.count} of the release ledger cannot be read; restore it from a backup"
                ) from error
        _READ[ledger] = told.copy()
        return cls(ledger, told)

    @property
    def batches(self) -> Sequence[Batch]:
        """All batches, in order."""
        return self._told.batches

    @property
    def withheld(self) -> Mapping[int, set[int]]:
        """Withheld cells by batch."""
        return self._told.withheld

    @property
    def sources(self) -> set[str]:
        """Hashes of all files in batches."""
        return {source for batch in self.batches for source in batch.sources}

    def newest_to(self, buyer: str) -> Released | None:
        """A buyer's newest release, or None."""
        return self._told.newest.get(buyer)

    def state(self) -> str:
        """Hash of what would be released now: batches and withheld cells."""
        told: dict[str, Any] = {
            "batches": [batch.file for batch in self.batches],
            "withheld": {str(batch): sorted(cells) for batch, cells in self.withheld.items()},
        }
        return hashlib.sha256(rfc8785.dumps(told)).hexdigest()

    def append(self, kind: str, **told: Any) -> None:
        """Add a record.

        Raises:
            LedgerConflict: Somebody else has added one since this ledger was read.
        """
        record = {"dataset": self._told.dataset, "previous": self._told.last, "kind": kind, **told}
        raw = rfc8785.dumps(record)
        self.ledger.append(self._told.count, raw)
        self._told.take(raw, record)


def _batch(record: Mapping[str, Any]) -> Batch:
    if record.get("format") != FORMAT:
        raise LedgerError(
            f"the release ledger of {record['dataset']} has batches of another version's format; "
            "give the dataset another name, under which it begins anew"
        )
    return Batch(
        number=record["number"],
        file=record["file"],
        sources=tuple(record["sources"]),
        quasi=tuple(record["quasi"]),
        released=tuple(record["released"]),
        has_row_keys=record["has_row_keys"],
        certified=record["certified"],
    )


def _released(record: Mapping[str, Any]) -> Released:
    return Released(
        buyer=record["buyer"],
        number=record["number"],
        state=record["state"],
        form=record["form"],
        folder=record["folder"],
        certificate=record["certificate"],
        rows_by=record["rows_by"] if record["kind"] == RELEASED else BY_BATCH,
    )
