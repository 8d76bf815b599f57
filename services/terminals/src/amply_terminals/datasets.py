"""The terminals' datasets for the anonymiser: columns, policy, and daily files."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from amply_terminals.told import Kind

OWNER: Final = "amply"
"""Nobody who could be credited, so that no contract takes these datasets: k terminals are seldom one organisation's, and whose
the revenue would be is not decided."""
DAYS_BETWEEN_RELEASES: Final = 30
VERSION: Final = 1
"""Of what `source` says; a change of it or of a policy needs the next number."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """`columns` by the name of what they are taken from, in the order of the file."""

    id: str
    title: str
    policy: str
    columns: Mapping[str, str]

    @property
    def document(self) -> str:
        return (files("amply_terminals") / "policies" / f"{self.policy}.json").read_text()

    def source(self) -> Mapping[str, Mapping[str, str]]:
        """The item of the table Datasets that names it to the anonymiser."""
        return {
            "dataset_id": {"S": self.id},
            "part": {"S": "source"},
            "owner": {"S": OWNER},
            "title": {"S": self.title},
            "class": {"S": "iot"},
            "policy": {"S": self.document},
            "version": {"N": str(VERSION)},
            "release_every_days": {"N": str(DAYS_BETWEEN_RELEASES)},
            "state": {"S": "open"},
        }

    def file_name(self, day: str, keys: Sequence[str]) -> str:
        """Named by what is in it: what stands at a key never changes, so the same keys are the same bytes."""
        digest = hashlib.sha256("\n".join((self.document, *keys)).encode()).hexdigest()[:32]
        return f"datasets/{self.id}/dt={day}/{digest}.csv.gz"

    def file(self, messages: Sequence[bytes]) -> bytes:
        """CSV, since the function has no library that writes Parquet; the anonymiser reads both."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(self.columns.values())
        for message in messages:
            said = json.loads(message)
            rows.writerow([_cell(said, name) for name in self.columns])
        return gzip.compress(text.getvalue().encode(), mtime=0)


def _cell(said: Mapping[str, Any], name: str) -> str | int:
    if name == "event_id":
        return f"{said['terminal']}:{said['number']}"
    if name == "day":
        return str(said["at"])[:10]
    value: str | int = said[name]
    return value


_OF_EVERY: Final = {"event_id": "event_id", "terminal": "terminal", "organization": "organization"}
DATASETS: Final[Mapping[Kind, Dataset]] = {
    Kind.GIFTS: Dataset(
        id="terminal_gifts",
        title="Gifts at donation terminals",
        policy="terminal-gifts-v1",
        columns={
            **_OF_EVERY,
            "day": "given_on",
            "method": "method",
            "amount_minor": "amount_minor",
            "currency": "currency",
        },
    ),
    Kind.COUNTERS: Dataset(
        id="terminal_counters",
        title="What donation terminals count",
        policy="terminal-counters-v1",
        columns={
            **_OF_EVERY,
            "day": "ended_on",
            "counter": "counter",
            "count": "count",
            "seconds": "seconds",
        },
    ),
}
