"""A small dataset with its policy, and the anonymiser's ports."""

import csv
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply_lake import (
    FileLedger,
    Limits,
    Order,
    Policy,
    Release,
    ReleaseLedger,
    Violation,
    read_policy,
    release,
)
from amply_lake.orders import Form
from ledger_format.notes import VerifierKey

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)
Row = dict[str, Any]

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "id": "small",
    "description": "What tests release.",
    "k": 3,
    "l": 2,
    "suppression_limit": "0.3",
    "retention_days": {"raw": 90, "anonymised": 730},
    "columns": {
        "event": {"role": "row_key"},
        "person": {"role": "person", "publish_as": "donor"},
        "email": {"role": "direct"},
        "age": {"role": "quasi", "generalise": {"kind": "ranges", "widths": [10, 20], "from": 0, "to": 100}},
        "zip": {"role": "quasi", "generalise": {"kind": "truncate", "keep": [2, 1]}},
        "amount": {"role": "sensitive", "bands": [10, 100]},
        "currency": {"role": "insensitive"},
    },
}


def policy(**changes: Any) -> Policy:
    return read_policy(json.dumps({**DOCUMENT, **changes}).encode())


class TestKeys:
    """Keys derived from one secret, as KMS derives them."""

    __test__ = False

    def __init__(self, secret: bytes = b"a secret of tests") -> None:
        self._secret = secret

    def key(self, purpose: str) -> bytes:
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()


class TestSigner:
    """An Ed25519 key that is no secret."""

    __test__ = False

    def __init__(self, seed: int = 7) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)

    @property
    def name(self) -> str:
        return "amply.example/certificates"

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.public_key)


def people(numbers: Iterable[int], *, age: int = 33, zip_code: str = "10115", first: int = 0) -> list[Row]:
    """A gift each of some people, with amounts that differ."""
    return [
        {
            "event": f"ev_{first + number}",
            "person": f"person_{number}",
            "email": f"person{number}@example.org",
            "age": age,
            "zip": zip_code,
            "amount": 5 if number % 2 else 50,
            "currency": "EUR",
        }
        for number in numbers
    ]


def csv_file(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(DOCUMENT["columns"]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def parquet_file(path: Path, rows: Sequence[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


@dataclasses.dataclass
class World:
    """A dataset with its ledger, in a folder."""

    folder: Path
    policy: Policy
    keys: TestKeys = dataclasses.field(default_factory=TestKeys)
    signer: TestSigner = dataclasses.field(default_factory=TestSigner)
    count: int = 0

    @property
    def limits(self) -> Limits:
        return Limits(spill=self.folder / "spill", memory_bytes=256 << 20, threads=1)

    @property
    def ledger(self) -> ReleaseLedger:
        return FileLedger(self.folder / "ledger")

    def made(self, buyer: str = "buyer") -> list[Path]:
        """Whatever a receiver would take for a release."""
        return [
            path
            for path in (self.folder / "out" / "gifts" / buyer).glob("*")
            if not path.name.startswith(".")
        ]

    def source(self, rows: Sequence[Row]) -> Path:
        self.count += 1
        return csv_file(self.folder / f"source-{self.count}.csv", rows)

    def release(
        self,
        *sources: Path,
        buyer: str = "buyer",
        withdrawn: Collection[str] = (),
        absent: Collection[str] = (),
        form: Form = "csv",
    ) -> Release | Violation:
        order = Order(
            dataset="gifts",
            buyer=buyer,
            policy=self.policy,
            into=self.folder / "out",
            form=form,
            withdrawn=withdrawn,
            absent=absent,
        )
        return release(
            sources,
            order,
            keys=self.keys,
            ledger=self.ledger,
            signer=self.signer,
            clock=lambda: NOW,
            limits=self.limits,
        )

    def released(
        self,
        *sources: Path,
        buyer: str = "buyer",
        withdrawn: Collection[str] = (),
        absent: Collection[str] = (),
    ) -> Release:
        """A release that has to come about."""
        done = self.release(*sources, buyer=buyer, withdrawn=withdrawn, absent=absent)
        assert isinstance(done, Release), done
        return done


def rows_of(done: Release) -> list[Row]:
    """The rows of all parts of a release in CSV, with the part they stand in."""
    found: list[Row] = []
    for part in done.certificate.parts:
        with (done.folder / part.file).open(encoding="utf-8", newline="") as file:
            found += [{**row, "part": part.file} for row in csv.DictReader(file)]
    return found
