"""Control-plane tables in the emulated cloud as the stack creates them, with buyers and operators' commands."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
from click.testing import CliRunner, Result

from amply.entrypoints.admin import main as admin
from amply.kernel.clock import system_clock
from amply.modules.marketplace import Period
from tests.marketplace.market import KEYS, Market

TABLES = {**KEYS, "revenue": ("period", "transfer_id")}
NOW = system_clock().replace(microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Control:
    """The five tables by what they are, in a cloud of their own names."""

    tables: dict[str, str]
    market: Market

    def items(self, table: str) -> list[dict[str, Any]]:
        found = boto3.client("dynamodb").scan(TableName=self.tables[table])["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found]

    def fetches(self, token: str, dataset: str) -> int:
        """How a buyer is answered who asks for links."""
        now = system_clock().replace(microsecond=0)
        return self.market.answer(token, "POST", call="links", dataset=dataset, now=now).status

    def owned(self, owner: str) -> str:
        """A released dataset of this owner."""
        name = self.market.release([1_500] * 30)
        self.market.put(
            "datasets",
            **{"dataset_id": name, "part": "dataset", "title": "Gifts", "class": "gifts"},
            owner=owner,
            schema='{"type": "struct", "fields": []}',
            latest=1,
        )
        return name


def _like(table: str, keys: tuple[str, ...], *, indexed: bool) -> Any:
    """As the stack makes it."""
    index = {
        "IndexName": "by-contract",
        "KeySchema": _schema("contract_id", "token_digest"),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    named = (*keys, "contract_id") if indexed else keys
    return {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in named],
        "KeySchema": _schema(*keys),
        **({"GlobalSecondaryIndexes": [index]} if indexed else {}),
    }


def _schema(*keys: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]


def control_in(cloud: str) -> Control:
    """Tables and a bucket of their own."""
    mark = uuid.uuid4().hex[:8]
    tables = {name: f"{name}-{mark}" for name in TABLES}
    dynamodb = boto3.client("dynamodb")
    for name, keys in TABLES.items():
        dynamodb.create_table(**_like(tables[name], keys, indexed=name == "grants"))
    bucket = f"curated-{mark}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return Control(tables=tables, market=Market(cloud, tables=tables, bucket=bucket))


def run(*words: str) -> Result:
    return CliRunner().invoke(admin, ["data", *words])


def printed(*words: str) -> Any:
    done = run(*words)
    assert done.exit_code == 0, done.output + str(done.exception)
    return json.loads(done.output)


def opening(*datasets: str, per: str = "gib", price: str = "1000000.00", since: str = "") -> tuple[str, ...]:
    named = (word for dataset in datasets for word in ("--dataset", dataset))
    return (
        *("contract", "open", "--buyer", "acme-research", *named),
        *("--price", price, "--currency", "EUR", "--per", per),
        *("--share", "7000", "--bytes-a-month", "1000000"),
        *("--from", since or f"{Period.of(system_clock())}-01", "--until", f"{NOW.year + 2}-01-01"),
    )


def opened(*datasets: str, per: str = "gib", price: str = "1000000.00") -> Any:
    return printed(*opening(*datasets, per=per, price=price))


def refused(*words: str) -> str:
    done = run(*words)
    assert done.exit_code != 0, done.output
    return str(getattr(done.exception, "detail", "") or done.output)
