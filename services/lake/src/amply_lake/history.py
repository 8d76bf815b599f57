"""What the release ledger tells: batches that never change, cells that are released no more, and releases.

A record is canonical JSON and carries the hash of the one before it, so that a ledger that lost or changed one is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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
    """A batch as its record tells it: `sources` are its files' hashes, `certified` what its parts' certificates repeat."""

    number: int
    file: str
    sources: tuple[str, ...]
    quasi: tuple[str, ...]
    released: tuple[str, ...]
    has_row_keys: bool
    certified: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Released:
    """A release that was decided: to whom, from what state of the dataset, its certificate, and what rows stand by in a class."""

    buyer: str
    number: int
    state: str
    form: str
    folder: str
    certificate: str
    rows_by: str


@dataclass(slots=True)
class History:
    """The ledger as read, and what is appended to it since."""

    ledger: ReleaseLedger
    dataset: str
    batches: list[Batch] = field(default_factory=list)
    withheld: dict[int, set[int]] = field(default_factory=dict)
    releases: list[Released] = field(default_factory=list)
    _count: int = 0
    _last: str = ""

    @classmethod
    def read(cls, ledger: ReleaseLedger, dataset: str) -> "History":
        """Read a dataset's ledger.

        Raises:
            LedgerError: Its records do not follow on one another, are another dataset's, or tell of batches of another format.
        """
        history = cls(ledger, dataset)
        for raw in ledger.records():
            try:
                record = json.loads(raw)
                is_next = record["previous"] == history._last and record["dataset"] == dataset
                if not is_next or rfc8785.dumps(record) != raw:
                    raise LedgerError(
                        f"record {history._count} of the release ledger does not follow on the one before; "
                        "restore the ledger from a backup, and release nothing until then"
                    )
                history._take(raw, record)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise LedgerError(
                    f"record {history._count} of the release ledger cannot be read; restore it from a backup"
                ) from error
        return history

    @property
    def sources(self) -> set[str]:
        """The hashes of all files that a batch was made from."""
        return {source for batch in self.batches for source in batch.sources}

    def releases_to(self, buyer: str) -> list[Released]:
        """A buyer's releases, in order."""
        return [released for released in self.releases if released.buyer == buyer]

    def state(self) -> str:
        """What would be released now, as a hash: batches, and cells that are not."""
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
        record = {"dataset": self.dataset, "previous": self._last, "kind": kind, **told}
        raw = rfc8785.dumps(record)
        self.ledger.append(self._count, raw)
        self._take(raw, record)

    def _take(self, raw: bytes, record: Mapping[str, Any]) -> None:
        match record["kind"]:
            case "batch":
                if record.get("format") != FORMAT:
                    raise LedgerError(
                        f"the release ledger of {self.dataset} has batches of another version's format; "
                        "give the dataset another name, under which it begins anew"
                    )
                self.batches.append(
                    Batch(
                        number=record["number"],
                        file=record["file"],
                        sources=tuple(record["sources"]),
                        quasi=tuple(record["quasi"]),
                        released=tuple(record["released"]),
                        has_row_keys=record["has_row_keys"],
                        certified=record["certified"],
                    )
                )
            case "withheld":
                for batch, cells in record["cells"].items():
                    self.withheld.setdefault(int(batch), set()).update(cells)
            case kind if kind in RELEASES:
                self.releases.append(
                    Released(
                        buyer=record["buyer"],
                        number=record["number"],
                        state=record["state"],
                        form=record["form"],
                        folder=record["folder"],
                        certificate=record["certificate"],
                        rows_by=record["rows_by"] if kind == RELEASED else BY_BATCH,
                    )
                )
            case other:
                raise LedgerError(
                    f"the release ledger tells of {other!r}, which only a newer version knows; install that"
                )
        self._count += 1
        self._last = hashlib.sha256(raw).hexdigest()
