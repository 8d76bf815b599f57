"""A market in the emulated cloud: tables, released files, contracts, and buyers with tokens."""

import hashlib
import io
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.session import get_session

from amply_marketplace import asked, delta_sharing
from amply_marketplace.control_plane import ControlPlane, Tables
from amply_marketplace.datasets import Released
from amply_marketplace.errors import RequestRefused
from amply_marketplace.gateway import Answer, Request, problem
from amply_marketplace.grants import digest
from amply_marketplace.links import Links

KEYS: Mapping[str, tuple[str, ...]] = {
    "datasets": ("dataset_id", "part"),
    "contracts": ("contract_id",),
    "usage": ("contract_month", "event"),
    "grants": ("token_digest", "dataset_id"),
}
"""As the stack has them; tests/infrastructure/test_lake.py holds it to that."""
BUCKET = "curated"
BUYER = "acme-research"
"""Who buys unless told."""
BY_CONTRACT = "by-contract"
"""The index of grants; tests/infrastructure/test_lake.py holds it to the stack's."""
NOW = datetime.now(UTC).replace(microsecond=0)
"""Signed links are judged by the emulator's own clock."""
SCHEMA = {
    "type": "struct",
    "fields": [
        {"name": "age_range", "type": "string", "nullable": True, "metadata": {}},
        {"name": "amount_minor", "type": "long", "nullable": True, "metadata": {}},
    ],
}


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """Somebody with a contract and a token for its datasets."""

    token: str
    contract: str
    datasets: tuple[str, ...]
    name: str = BUYER


class Market:
    """Names are new each time: tests share the tables and see nothing of each other."""

    def __init__(
        self, address: str, *, tables: Mapping[str, str] | None = None, bucket: str = BUCKET
    ) -> None:
        """Over tables and a bucket that are there, or over new ones."""
        session = get_session()
        session.set_credentials("test", "test")
        self.dynamodb: Any = session.create_client("dynamodb", endpoint_url=address, region_name="us-east-1")
        self.s3: Any = session.create_client("s3", endpoint_url=address, region_name="us-east-1")
        self.tables = tables or {name: name for name in KEYS}
        self._bucket = bucket
        if tables is None:
            self._make()
        self.control = ControlPlane(self.dynamodb, Tables(**{name: self.tables[name] for name in KEYS}))
        self.links = Links(self.s3, bucket=bucket)

    def _make(self) -> None:
        for name, keys in KEYS.items():
            index = {
                "IndexName": BY_CONTRACT,
                "KeySchema": _schema("contract_id", "token_digest"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            indexed = name == "grants"
            named = (*keys, "contract_id") if indexed else keys
            self.dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in named],
                KeySchema=_schema(*keys),
                **({"GlobalSecondaryIndexes": [index]} if indexed else {}),
            )
        self.s3.create_bucket(Bucket=self._bucket)

    def put(self, table: str, **attributes: object) -> None:
        item = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": str(value)}
            for name, value in attributes.items()
        }
        self.dynamodb.put_item(TableName=self.tables[table], Item=item)

    def release(
        self, *rows: list[int], revision: int = 1, dataset: str | None = None, buyer: str = BUYER
    ) -> str:
        """A revision for a buyer, with one file for each list of amounts, and the dataset's own; answers the dataset's name."""
        name = dataset or f"gifts_{secrets.token_hex(4)}"
        part = f"{own_part(buyer)}{revision:010d}"
        for number, amounts in enumerate(rows):
            body = _parquet(amounts)
            key = f"given/{name}/{buyer}/{revision}/{number}.parquet"
            self.s3.put_object(Bucket=self._bucket, Key=key, Body=body)
            self.put(
                "datasets",
                dataset_id=name,
                part=f"{part}#file#{number:05d}",
                key=key,
                bytes=len(body),
                rows=len(amounts),
                sha256=hashlib.sha256(body).hexdigest(),
            )
        own = f"revision#{revision:010d}"
        for each, more in ((part, {"follows": revision}), (own, {})):
            self.put(
                "datasets",
                dataset_id=name,
                part=each,
                released_at=NOW.isoformat(),
                policy_id="default-v2",
                k=20,
                rows=sum(map(len, rows)),
                certificate_sha256="0" * 64,
                **more,
            )
        self.put(
            "datasets",
            dataset_id=name,
            part=f"buyer#{buyer}",
            schema=json.dumps(SCHEMA),
            latest=revision,
            follows=revision,
        )
        self.put(
            "datasets",
            **{"dataset_id": name, "part": "dataset", "title": "Gifts by age", "class": "gifts"},
            owner="org_1",
            schema=json.dumps(SCHEMA),
            latest=revision,
        )
        return name

    def sell(self, *datasets: str, bytes_a_month: int = 10**9, buyer: str = BUYER, **otherwise: str) -> Buyer:
        """A contract and its grants; `otherwise` are attributes of both, as they would be written."""
        sold = Buyer(
            token=secrets.token_urlsafe(32),
            contract=f"ctr_{secrets.token_hex(4)}",
            datasets=datasets,
            name=buyer,
        )
        self.put(
            "contracts",
            contract_id=sold.contract,
            buyer_id=buyer,
            bytes_a_month=bytes_a_month,
            **{
                "state": "active",
                "starts_at": (NOW - timedelta(days=1)).isoformat(),
                "ends_at": (NOW + timedelta(days=30)).isoformat(),
                **otherwise,
            },
        )
        for name in datasets:
            self.grant(sold, name, **otherwise)
        return sold

    def released(self, buyer: Buyer) -> Released:
        """What the buyer of one dataset is led to."""
        (grant,) = self.control.grants(digest(buyer.token))
        return self.control.released(grant)

    def take_back(self, dataset: str, part: str) -> None:
        """As the process that makes releases does, and operators by hand."""
        self.dynamodb.update_item(
            TableName=self.tables["datasets"],
            Key={"dataset_id": {"S": dataset}, "part": {"S": part}},
            UpdateExpression="SET withdrawn_at = :now",
            ExpressionAttributeValues={":now": {"S": NOW.isoformat()}},
        )

    def grant(self, buyer: Buyer, dataset: str, **otherwise: str) -> None:
        attributes: dict[str, object] = {
            "token_digest": digest(buyer.token),
            "dataset_id": dataset,
            "grant_id": f"grt_{secrets.token_hex(4)}",
            "contract_id": buyer.contract,
            "expires_at": (NOW + timedelta(days=30)).isoformat(),
        }
        self.put("grants", **{**attributes, **otherwise})

    def revoke(self, buyer: Buyer) -> None:
        for name in buyer.datasets:
            self.dynamodb.update_item(
                TableName=self.tables["grants"],
                Key={"token_digest": {"S": digest(buyer.token)}, "dataset_id": {"S": name}},
                UpdateExpression="SET revoked_at = :now",
                ExpressionAttributeValues={":now": {"S": NOW.isoformat()}},
            )

    def end(self, buyer: Buyer) -> None:
        self.dynamodb.update_item(
            TableName=self.tables["contracts"],
            Key={"contract_id": {"S": buyer.contract}},
            UpdateExpression="SET #s = :ended",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={":ended": {"S": "ended"}},
        )

    def events(self, buyer: Buyer) -> list[Mapping[str, Any]]:
        """Every item of this month's usage."""
        return self._used(f"{buyer.contract}#{NOW:%Y-%m}")

    def of_dataset(self, dataset: str) -> list[Mapping[str, Any]]:
        """Every sum that a dataset's owner finds."""
        return self._used(f"dataset#{dataset}")

    def _used(self, partition: str) -> list[Mapping[str, Any]]:
        found = self.dynamodb.query(
            TableName=self.tables["usage"],
            KeyConditionExpression="contract_month = :p",
            ExpressionAttributeValues={":p": {"S": partition}},
        )
        items: list[Mapping[str, Any]] = found["Items"]
        return items

    def share(self, token: str, method: str, path: str, **more: Any) -> Answer:
        """What Delta Sharing answers below its prefix, problems included."""
        return self.answer(token, method, proxy=path, **more)

    def answer(
        self,
        token: str | None,
        method: str = "GET",
        *,
        call: str = "sharing",
        body: object = None,
        query: Mapping[str, str] | None = None,
        now: datetime = NOW,
        **parameters: str,
    ) -> Answer:
        request = Request(
            method=method,
            path="",
            headers={"authorization": f"Bearer {token}"} if token is not None else {},
            query=query or {},
            parameters=parameters,
            body=json.dumps(body) if body is not None else "",
            request_id=secrets.token_hex(8),
        )
        try:
            match call:
                case "datasets":
                    return asked.datasets(request, control=self.control, now=now)
                case "links":
                    return asked.links_to(request, control=self.control, links=self.links, now=now)
                case "usage":
                    return asked.usage(request, control=self.control, now=now)
                case _:
                    return delta_sharing.answer(request, control=self.control, links=self.links, now=now)
        except RequestRefused as refused:
            return problem(refused)


def own_part(buyer: str) -> str:
    """How the names of a buyer's own revisions begin."""
    return f"buyer#{buyer}#revision#"


def _schema(*keys: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]


def lines(answer: Answer) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in answer.body.splitlines()]


def files(answer: Answer) -> list[Mapping[str, Any]]:
    return [line["file"] for line in lines(answer) if "file" in line]


def query_of(buyer: Buyer, dataset: str | None = None) -> str:
    return f"shares/{buyer.contract}/schemas/released/tables/{dataset or buyer.datasets[0]}/query"


def _parquet(amounts: list[int]) -> bytes:
    ages = ["30-39" if amount % 2 else "40-49" for amount in amounts]
    table = pa.table({"age_range": ages, "amount_minor": pa.array(amounts, pa.int64())})
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()
