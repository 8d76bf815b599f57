"""Ingestion with the lake's bucket and dataset table in memory."""

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from amply.adapters.parquet import ParquetRows
from amply.infra.database import forbid_transaction
from amply.modules import ingestion
from amply.modules.ingestion import FileReason, FileRefused, IngestionDependencies, Pieces, PublishedDataset
from tests.backend.application_world import FakeShelf

if TYPE_CHECKING:
    from tests.backend.member_world import House

COLUMNS: Final[Sequence[Mapping[str, Any]]] = (
    {"name": "visit", "type": "text", "role": "row_key", "required": True},
    {"name": "guest", "type": "text", "role": "person", "required": True, "publish_as": "visitor"},
    {"name": "email", "type": "text", "role": "direct"},
    {
        "name": "age",
        "type": "integer",
        "role": "quasi",
        "least": 0,
        "most": 130,
        "generalise": {"kind": "ranges", "widths": [5, 10], "from": 0, "to": 100},
    },
    {
        "name": "came_on",
        "type": "date",
        "role": "quasi",
        "generalise": {"kind": "dates", "periods": ["month", "year"]},
    },
    {"name": "spent", "type": "integer", "role": "sensitive", "bands": [10, 100]},
    {"name": "tier", "type": "text", "role": "insensitive", "one_of": ["gold", "plain"]},
    {"name": "score", "type": "number", "role": "direct", "least": 0, "most": 10},
    {"name": "is_new", "type": "boolean", "role": "insensitive"},
    {"name": "seen_at", "type": "timestamp", "role": "direct"},
)
ROWS: Final[Sequence[Mapping[str, Any]]] = (
    {
        "visit": "v1",
        "guest": "g1",
        "email": "ada@example.org",
        "age": 41,
        "came_on": "2026-11-21",
        "spent": 25,
        "tier": "gold",
        "score": 0.5,
        "is_new": True,
        "seen_at": "2026-11-21T09:00:00Z",
    },
    {"visit": "v2", "guest": 'gäste, "zwei"\nund drei', "age": 0, "score": 3.0, "is_new": False},
)
"""The second one lacks what need not be there."""


@dataclass
class FakeIntake(FakeShelf):
    """The raw bucket, for the API and for the worker. `dies`: where the process ends, as `before datasets` or `after quarantine`: the next file there.

    `meanwhile` is done before a file is there. `read`: how many times something was opened.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    dies: str | None = None
    meanwhile: Callable[[], None] = lambda: None
    opened: int = 0

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        forbid_transaction("hand in")
        self._die("before_put")
        self.kept[key] = content
        self._die("after_put")

    def link(self, path: str, *, filename: str, media_type: str, lasts: timedelta) -> str:  # type: ignore[override] # of another port than the shelf's
        assert media_type == "application/gzip"
        return f"https://raw.example/{path}?as={filename}&for={int(lasts.total_seconds())}"

    @contextmanager
    def open(self, key: str, *, version: str | None) -> Iterator[Pieces]:
        forbid_transaction("open")
        self.opened += 1
        if key not in self.kept:
            raise FileRefused(FileReason.GONE)
        assert version == "1"
        yield io.BytesIO(self.kept[key])

    def write(self, path: str, pieces: Iterable[bytes], *, media_type: str) -> None:
        forbid_transaction("write")
        content = b"".join(pieces)
        where = path.partition("/")[0]
        self._die(f"before {where}")
        if where == "datasets":
            self.meanwhile()
        self.files[path] = content
        self._die(f"after {where}")

    def has(self, path: str) -> bool:
        forbid_transaction("has")
        return path in self.files

    def _die(self, where: str) -> None:
        if self.dies == where:
            self.dies = None
            # Whoever asks over HTTP is answered whatever happens; what ends a worker is caught by nobody.
            raise OSError("the bucket is away") if where.endswith("put") else KeyboardInterrupt


@dataclass
class FakeTable:
    """The table of datasets. `is_away`: nobody answers."""

    items: dict[str, PublishedDataset] = field(default_factory=dict)
    is_away: bool = False

    def put(self, dataset: PublishedDataset) -> None:
        forbid_transaction("put a dataset")
        if self.is_away:
            raise TimeoutError
        known = self.items.get(dataset.dataset_id)
        if known is None or known.version < dataset.version:
            self.items[dataset.dataset_id] = dataset


def taking(house: "House", *, table: FakeTable | None = None, parquet: Any = None) -> IngestionDependencies:
    """What the worker needs."""
    return IngestionDependencies(
        database=house.database,
        bucket=house.intake,
        parquet=parquet or ParquetRows(),
        table=table or FakeTable(),
    )


def ask_beside(house: "House", method: str, path: str, *, by: str | None = "usr_owner", **more: Any) -> Any:
    """Of a route whose path names no organisation."""
    if by is not None:
        more["params"] = {"organization_id": more.pop("of", house.organization_id), **more.get("params", {})}
    return house.ask(method, path, by=by, **more)


def dataset_body(house: "House", **changes: Any) -> dict[str, Any]:
    """A dataset of visits, with a source of its own."""
    source = ask_beside(house, "POST", "/v1/sources", json={"title": "Till"})
    assert source.status_code == 201, source.text
    return {
        "source_id": source.json()["id"],
        "title": "Visits",
        "class": "pos",
        "columns": [dict(column) for column in COLUMNS],
        **changes,
    }


def add_dataset(house: "House", **changes: Any) -> str:
    """Its id."""
    made = ask_beside(house, "POST", "/v1/datasets", json=dataset_body(house, **changes))
    assert made.status_code == 201, made.text
    dataset_id: str = made.json()["id"]
    return dataset_id


def upload(house: "House", dataset_id: str, content: bytes, *, key: str = "file", **said: Any) -> str:
    """Begin a job and upload its file; its id."""
    begun = ask_beside(
        house,
        "POST",
        "/v1/ingest/init",
        json={"dataset_id": dataset_id, **said},
        headers={"Idempotency-Key": key},
    )
    assert begun.status_code == 201, begun.text
    house.intake.kept[begun.json()["upload"]["fields"]["key"]] = content
    job_id: str = begun.json()["id"]
    return job_id


def hand_in(house: "House", dataset_id: str, content: str, *, key: str = "inline", **said: Any) -> str:
    """Content in the request; the job's id."""
    answer = ask_beside(
        house,
        "POST",
        "/v1/ingest/submit",
        json={"dataset_id": dataset_id, "content": content, **said},
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id


def read_all(house: "House", **later: float) -> int:
    """The worker's turn."""
    return ingestion.read_files(taking(house), clock=lambda: house.clock() + timedelta(**later))


def shown(house: "House", job_id: str) -> dict[str, Any]:
    """How a job stands."""
    found: dict[str, Any] = ask_beside(house, "GET", f"/v1/jobs/{job_id}").json()
    return found


def rows_in(parquet: bytes) -> list[dict[str, Any]]:
    """Of accepted rows."""
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(parquet)).to_pylist()
    return rows


def refused_in(packed: bytes) -> list[dict[str, Any]]:
    """Of quarantine."""
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def packed(content: bytes, compression: str) -> bytes:
    """As programs pack it."""
    if compression == "gzip":
        return gzip.compress(content)
    if compression == "zstd":
        made: bytes = pa.compress(content, codec="zstd", asbytes=True)
        return made
    return content
