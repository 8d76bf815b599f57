"""The release process with all its ports in memory."""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from amply_lake import Limits, Policy, read_policy
from amply_releases.datasets import Source
from amply_releases.ports import Message, Parts, Revision
from amply_releases.running import Loop
from tests.lake.lake_world import DOCUMENT, TestKeys, TestSigner
from tests.releases import memory

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)
DAY = "dt=2026-11-26"
GOALS = ("sdg1", "sdg2 sdg13")
Row = Mapping[str, Any]


def facts(numbers: Iterable[int], *, kind: str = "gift", **otherwise: object) -> list[Row]:
    """A gift each of some donors, as `modules/sharing` writes them."""
    return [
        {
            "event_id": f"event{number}{kind}",
            "donor_id": f"donor{number}",
            "gift_id": f"gift{number}",
            "given_at": date(2026, 11, 20),
            "kind": kind,
            "amount_minor": 500 if number % 2 else 5000,
            "amount_band": "1-9" if number % 2 else "10-99",
            "currency": "EUR",
            "organization": "sea-rescue",
            "country": "DE",
            "fund_kind": "",
            "cause": GOALS[number % 3 % 2],
            "method": "online",
            "is_recurring": number % 2 == 0,
            **otherwise,
        }
        for number in numbers
    ]


FACTS = pa.schema(
    [
        (
            name,
            {"given_at": pa.date32(), "amount_minor": pa.int64(), "is_recurring": pa.bool_()}.get(
                name, pa.string()
            ),
        )
        for name in facts([1])[0]
    ]
)


def parquet(rows: Sequence[Row], schema: pa.Schema | None = None) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), written)
    return written.getvalue()


def policy(**changes: Any) -> Policy:
    """A seller's, with k of 3."""
    return read_policy(json.dumps({**DOCUMENT, **changes}).encode())


def message(key: str, number: int = 0) -> Message:
    """S3's event as EventBridge hands it to the queue."""
    told = {"bucket": {"name": "raw"}, "object": {"key": key, "size": 1, "sequencer": f"{number:016X}"}}
    return Message(json.dumps({"source": "aws.s3", "detail": told}), f"receipt-{number}")


@dataclass
class Desk:
    """What is outside stays when the process is killed; `scratch` is another folder each time."""

    folder: Path
    dying: memory.Dying = field(default_factory=memory.Dying)
    now: datetime = NOW
    pause: Callable[[float], object] = field(default=lambda _: None)
    """What happens while S3 is given some seconds to copy; otherwise nothing."""
    _processes: int = 0

    def __post_init__(self) -> None:
        self.raw, self.queue, self.consents = memory.Raw(), memory.Queue(), memory.Consents()
        self.buyers, self.datasets = memory.Buyers(), memory.Datasets(self.dying)
        self.curated, self.catalogue = memory.Curated(self.dying), memory.Catalogue(self.dying)
        self.ledgers = memory.Ledgers(self.folder / "ledgers", self.dying)
        self.start()

    def start(self) -> None:
        """A process, of which there was none or that is gone."""
        self.loop = self.beside()

    def beside(self) -> Loop:
        """Another process, as there never should be."""
        self._processes += 1
        scratch = self.folder / f"scratch-{self._processes}"
        scratch.mkdir()
        parts = Parts(
            raw=self.raw,
            datasets=self.datasets,
            consents=self.consents,
            buyers=self.buyers,
            curated=self.curated,
            catalogue=self.catalogue,
            ledgers=self.ledgers,
            keys=TestKeys(),
            signer=TestSigner(),
            scratch=scratch,
            pause=self._pause,
            limits=Limits(spill=scratch / "spill", memory_bytes=256 << 20, threads=1),
        )
        return Loop(parts=parts, queue=self.queue, clock=lambda: self.now)

    def _pause(self, seconds: float) -> None:
        """As `pause` is by then."""
        self.pause(seconds)

    def give(self, name: str, rows: Sequence[Row], *, dataset: str = "donations") -> str:
        """A file as its writer leaves it, and the message about it."""
        place = "donations" if dataset == "donations" else f"datasets/{dataset}"
        key = f"{place}/{DAY}/{name}.parquet"
        self.raw.objects[key] = parquet(rows, FACTS if dataset == "donations" else None)
        self.tell(key)
        return key

    def tell(self, key: str) -> None:
        self.queue.messages.append(message(key, len(self.queue.messages)))

    def consent(self, numbers: Iterable[int], state: str = "given", on: date | None = None) -> None:
        self.consents.decided |= {f"donor{number}": (state, on or NOW.date()) for number in numbers}

    def sell(self, dataset: str, **changes: Any) -> None:
        """A seller's dataset, released daily."""
        self.datasets.sources[dataset] = replace(
            Source(
                dataset_id=dataset,
                owner="org_1",
                title="Visits",
                kind="custom",
                policy=policy(),
                release_every=timedelta(days=1),
                is_open=True,
                asked_for=None,
                of_donors=False,
            ),
            **changes,
        )

    def work(self, *, days: float = 0) -> None:
        """One turn of the loop, after some days."""
        self.now += timedelta(days=days)
        self.loop.once()

    def wait(self, *, days: float) -> None:
        """Take what has come in, and look again after some days."""
        self.work()
        self.work(days=days)

    def released(self, dataset: str = "donations") -> list[Revision]:
        """The dataset's own revisions that are served, in order."""
        return [
            revision
            for (name, number), revision in sorted(self.datasets.revisions.items())
            if name == dataset and (name, number) not in self.datasets.taken_back
        ]

    def given(self, buyer: str, dataset: str = "donations") -> list[Revision]:
        """What a buyer is served, in order: each as long as the one that it follows."""
        served = {revision.number for revision in self.released(dataset)}
        return [
            revision
            for (name, of, _), (revision, follows) in sorted(self.datasets.given.items())
            if (name, of) == (dataset, buyer) and follows in served
        ]

    def rows(self, revision: Revision) -> list[Row]:
        """What a buyer reads."""
        return [
            row
            for file in revision.files
            for row in pq.read_table(io.BytesIO(self.curated.objects[file.key])).to_pylist()
        ]

    def states(self, dataset: str = "donations") -> dict[str, tuple[str, str]]:
        """Of each file what became of it, and why."""
        return {
            name.removeprefix(f"{DAY}/").removesuffix(".parquet"): (str(file.state), file.reason)
            for (of, name), file in self.datasets.files.items()
            if of == dataset
        }
