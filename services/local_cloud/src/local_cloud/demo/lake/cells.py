"""Finds a person's cells in released data, with the operator's HMAC key and the release ledger."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow.parquet as pq

from amply_lake.batching import member_of
from amply_lake.cutting import CELL
from amply_lake.statements import MEMBER
from local_cloud.demo.lake.data_platform import DataPlatform
from local_cloud.failures import LocalCloudError

_BATCH: Final = "batch"
_WITHHELD: Final = "withheld"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a batch, with its people and rows."""

    batch: int
    cell: int
    people: int
    rows: int


class ReleaseLedger:
    """A dataset's records, read from their bucket."""

    def __init__(self, platform: DataPlatform, *, dataset: str) -> None:
        self._platform, self._dataset = platform, dataset

    def cell_of(self, person: str) -> Cell:
        """In which cell of the newest batch somebody is.

        Raises:
            LocalCloudError: In none.
        """
        batch = self._records(_BATCH)[-1]
        table = pq.read_table(io.BytesIO(self._get(f"files/{batch['file']}")), columns=[MEMBER, CELL])
        rows = [(row[MEMBER], row[CELL]) for row in table.to_pylist()]
        member = member_of(self._key(), person)
        cell = next((cell for found, cell in rows if found == member), None)
        if cell is None:
            raise LocalCloudError(
                "Nothing of the donor was released: no class was large enough for the gift."
            )
        beside = [found for found, of in rows if of == cell]
        return Cell(batch=int(batch["number"]), cell=int(cell), people=len(set(beside)), rows=len(beside))

    def withholds(self, cell: Cell) -> bool:
        """Whether a cell is in no release made from now on."""
        records = self._records(_WITHHELD)
        return any(cell.cell in record["cells"].get(str(cell.batch), ()) for record in records)

    def _key(self) -> bytes:
        answer = self._platform.cloud.kms.generate_mac(
            KeyId=self._platform.named("PSEUDONYM_KEY_ARN"),
            Message=f"members/{self._dataset}".encode(),
            MacAlgorithm="HMAC_SHA_256",
        )
        return bytes(answer["Mac"])

    def _records(self, kind: str) -> list[Mapping[str, Any]]:
        pages = self._platform.cloud.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._platform.named("LEDGER_BUCKET"), Prefix=f"{self._dataset}/records/"
        )
        names = sorted(str(each["Key"]) for page in pages for each in page.get("Contents", ()))
        read = (json.loads(self._get(name.removeprefix(f"{self._dataset}/"))) for name in names)
        return [record for record in read if record["kind"] == kind]

    def _get(self, name: str) -> bytes:
        bucket = self._platform.named("LEDGER_BUCKET")
        body: bytes = self._platform.cloud.s3.get_object(Bucket=bucket, Key=f"{self._dataset}/{name}")[
            "Body"
        ].read()
        return body
