"""Datasets, releases, usage and revenue for the seller portal, in memory or in the emulated cloud."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import boto3

from amply.entrypoints.seller_portal import seller_portal_dependencies
from amply.infra.database import forbid_transaction
from amply.infra.settings import SoldDataSettings
from amply.kernel.money import Money
from amply.modules.seller_portal import Dataset, Dependencies, Release, Share, Use

RELEASED_AT: Final = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "datasets": ("dataset_id", "part"),
    "usage": ("contract_month", "event"),
    "revenue": ("period", "transfer_id"),
}
INDEXES: Final = {
    "datasets": ("by-owner", ("owner", "dataset_id")),
    "revenue": ("by-credited", ("credited", "period")),
}
"""As the stack has them; tests/infrastructure/test_lake.py holds them to that."""


def certificate_text(dataset_id: str, number: int) -> str:
    """One that nobody signed, with what the pages read of it."""
    part = {
        "file": "part-000001.csv",
        "rows": 4120,
        "people": 2310,
        "k": 21,
        "l": 3,
        "t": "0.218",
        "loss": "0.31",
        "suppressed": 57,
        "policy": "donations-v1",
    }
    said = {"buyer": "all", "dataset": dataset_id, "parts": [part], "release": number}
    return f"amply-release-certificate@v1\n{json.dumps(said)}\n\n— certificates.example AAAA\n"


class SellerData(Protocol):
    """Where what others write is put."""

    def dataset(self, dataset_id: str, *, owner: str, latest: int = 0, refused: str | None = None) -> None:
        """What the anonymiser keeps of one."""

    def source(self, dataset_id: str, *, owner: str, state: str = "open") -> None:
        """What its owner says of it."""

    def release(self, dataset_id: str, number: int, *, withdrawn: bool = False) -> None:
        """With its certificate."""

    def never_shown(self, dataset_id: str, number: int) -> None:
        """A release that ended before it was shown."""

    def use(self, dataset_id: str, month: str, contract_id: str, *, answers: int) -> None:
        """Of a thousand bytes each."""

    def share(self, credited: str, period: str, transfer_id: str, minor_units: int) -> None:
        """In euro, for `gifts_by_age`."""

    def parts(self) -> Dependencies:
        """What the API is given."""


@dataclass
class FakeSellerData:
    """In memory. It is both the tables and the certificates' store."""

    described: dict[str, Dataset] = field(default_factory=dict)
    released: dict[tuple[str, int], Release] = field(default_factory=dict)
    used: dict[str, list[Use]] = field(default_factory=dict)
    shared: dict[str, list[Share]] = field(default_factory=dict)
    certificates: dict[str, bytes] = field(default_factory=dict)

    def dataset(self, dataset_id: str, *, owner: str, latest: int = 0, refused: str | None = None) -> None:
        before = self.described.get(dataset_id)
        self.described[dataset_id] = Dataset(
            dataset_id=dataset_id,
            owner=owner,
            title=f"About {dataset_id}",
            kind="gifts",
            state=before.state if before else None,
            latest=latest,
            refused=refused,
        )

    def source(self, dataset_id: str, *, owner: str, state: str = "open") -> None:
        before = self.described.get(dataset_id)
        self.described[dataset_id] = Dataset(
            dataset_id=dataset_id,
            owner=owner,
            title=f"About {dataset_id}",
            kind=before.kind if before else "",
            state=state,
            latest=before.latest if before else 0,
            refused=before.refused if before else None,
        )

    def release(self, dataset_id: str, number: int, *, withdrawn: bool = False) -> None:
        place, content = _place(dataset_id, number), certificate_text(dataset_id, number).encode()
        self.certificates[place] = content
        self.released[dataset_id, number] = Release(
            dataset_id=dataset_id,
            number=number,
            released_at=RELEASED_AT,
            policy="donations-v1",
            rows=4120,
            k=21,
            l_min=3,
            withdrawn_at=RELEASED_AT if withdrawn else None,
            certificate_sha256=hashlib.sha256(content).hexdigest(),
            place=place,
        )

    def never_shown(self, dataset_id: str, number: int) -> None:
        """Nothing that sellers see."""

    def use(self, dataset_id: str, month: str, contract_id: str, *, answers: int) -> None:
        self.used.setdefault(dataset_id, []).append(
            Use(
                month=month,
                contract_id=contract_id,
                answers=answers,
                files=2 * answers,
                size_bytes=1000 * answers,
            )
        )

    def share(self, credited: str, period: str, transfer_id: str, minor_units: int) -> None:
        amount = Money(minor_units=minor_units, currency="EUR")
        made = Share(period=period, transfer_id=transfer_id, dataset_id="gifts_by_age", amount=amount)
        self.shared.setdefault(credited, []).append(made)

    def parts(self) -> Dependencies:
        return Dependencies(tables=_FakeTables(self), certificates=self)

    def read(self, place: str) -> bytes | None:
        forbid_transaction("read a certificate")
        return self.certificates.get(place)


@dataclass(frozen=True)
class _FakeTables:
    stall: FakeSellerData

    def datasets(self, owner: str, *, after: str | None, limit: int) -> Sequence[Dataset]:
        forbid_transaction("datasets")
        found = [each for name, each in sorted(self.stall.described.items()) if name > (after or "")]
        return [each for each in found if each.owner == owner][:limit]

    def dataset(self, dataset_id: str) -> Dataset | None:
        forbid_transaction("a dataset")
        return self.stall.described.get(dataset_id)

    def releases(self, dataset: Dataset, *, before: int | None, limit: int) -> Sequence[Release]:
        forbid_transaction("releases")
        newest = dataset.latest if before is None else min(before - 1, dataset.latest)
        found = (self.stall.released.get((dataset.dataset_id, number)) for number in range(newest, 0, -1))
        return [each for each in found if each is not None][:limit]

    def release(self, dataset_id: str, number: int) -> Release | None:
        forbid_transaction("a release")
        return self.stall.released.get((dataset_id, number))

    def uses(self, dataset_id: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Use]:
        forbid_transaction("uses")
        found = sorted(
            self.stall.used.get(dataset_id, []), key=lambda each: (each.month, each.contract_id), reverse=True
        )
        return [each for each in found if before is None or (each.month, each.contract_id) < before][:limit]

    def shares(self, credited: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Share]:
        forbid_transaction("shares")
        found = sorted(
            self.stall.shared.get(credited, []),
            key=lambda each: (each.period, each.transfer_id),
            reverse=True,
        )
        return [each for each in found if before is None or (each.period, each.transfer_id) < before][:limit]


class CloudSellerData:
    """In the emulated cloud; `unique` keeps tests apart. Items have the attributes that their writers give them."""

    def __init__(self, unique: str) -> None:
        self._names = {name: f"{name}-{unique}" for name in TABLES}
        self.bucket = f"curated-{unique}"
        self._dynamodb: Any = boto3.client("dynamodb")
        self._s3: Any = boto3.client("s3")
        self._s3.create_bucket(Bucket=self.bucket)
        for name, keys in TABLES.items():
            self._make(name, keys)

    def _make(self, name: str, keys: tuple[str, ...]) -> None:
        index = INDEXES.get(name)
        indexes = [] if index is None else [_index(*index)]
        every = {*keys, *(index[1] if index else ())}
        self._dynamodb.create_table(
            TableName=self._names[name],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in sorted(every)],
            KeySchema=_schema(keys),
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        )

    def _put(self, table: str, **attributes: str | int) -> None:
        item = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value}
            for name, value in attributes.items()
        }
        self._dynamodb.put_item(TableName=self._names[table], Item=item)

    def dataset(self, dataset_id: str, *, owner: str, latest: int = 0, refused: str | None = None) -> None:
        said: dict[str, str | int] = {"class": "gifts", **({"refused": refused} if refused else {})}
        said |= {"latest": latest} if latest else {}
        self._put(
            "datasets",
            dataset_id=dataset_id,
            part="dataset",
            owner=owner,
            title=f"About {dataset_id}",
            schema="{}",
            **said,
        )

    def source(self, dataset_id: str, *, owner: str, state: str = "open") -> None:
        self._put(
            "datasets",
            dataset_id=dataset_id,
            part="source",
            owner=owner,
            title=f"About {dataset_id}",
            policy="{}",
            version=3,
            release_every_days=30,
            state=state,
        )

    def release(self, dataset_id: str, number: int, *, withdrawn: bool = False) -> None:
        content = certificate_text(dataset_id, number).encode()
        self._s3.put_object(Bucket=self.bucket, Key=_place(dataset_id, number), Body=content)
        part = f"revision#{number:010d}"
        more = {"withdrawn_at": RELEASED_AT.isoformat()} if withdrawn else {}
        self._put(
            "datasets",
            dataset_id=dataset_id,
            part=part,
            released_at=RELEASED_AT.isoformat(),
            policy_id="donations-v1",
            rows=4120,
            k=21,
            l=3,
            certificate=_place(dataset_id, number),
            certificate_sha256=hashlib.sha256(content).hexdigest(),
            **more,
        )
        self._put(
            "datasets", dataset_id=dataset_id, part=f"{part}#file#00001", key="a", bytes=1, rows=1, sha256="0"
        )

    def never_shown(self, dataset_id: str, number: int) -> None:
        ended = RELEASED_AT.isoformat()
        self._put("datasets", dataset_id=dataset_id, part=f"revision#{number:010d}", withdrawn_at=ended)

    def use(self, dataset_id: str, month: str, contract_id: str, *, answers: int) -> None:
        self._put(
            "usage",
            contract_month=f"dataset#{dataset_id}",
            event=f"{month}#{contract_id}",
            answers=answers,
            files=2 * answers,
            bytes=1000 * answers,
        )

    def share(self, credited: str, period: str, transfer_id: str, minor_units: int) -> None:
        self._put(
            "revenue",
            period=period,
            transfer_id=transfer_id,
            credited=credited,
            amount_minor=minor_units,
            currency="EUR",
            dataset_id="gifts_by_age",
        )

    def parts(self) -> Dependencies:
        parts = seller_portal_dependencies(
            SoldDataSettings(
                datasets_table=self._names["datasets"],
                usage_table=self._names["usage"],
                revenue_table=self._names["revenue"],
                curated_bucket=self.bucket,
            )
        )
        assert parts is not None
        return parts


def _place(dataset_id: str, number: int) -> str:
    return f"released/{dataset_id}/{number:06d}/certificate"


def _schema(keys: Sequence[str]) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)]


def _index(name: str, keys: Sequence[str]) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": _schema(keys), "Projection": {"ProjectionType": "KEYS_ONLY"}}
