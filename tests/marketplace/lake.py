"""The lake around the market in the emulated cloud: ingestion, consents, releases."""

import json
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from amply_releases.__main__ import parts_of
from amply_releases.ports import Parts
from amply_releases.settings import Settings
from tests.marketplace.market import BUCKET
from tests.releases.desk import DAY, FACTS, Row, parquet


@contextmanager
def signed_in(address: str) -> Iterator[None]:
    """Clients made meanwhile speak to that cloud."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        environment.setattr(boto3, "DEFAULT_SESSION", None)
        yield


def client(service: str) -> Any:
    """Any service by its name: the typed overloads know only literals."""
    made: Any = boto3
    return made.client(service)


@dataclass(frozen=True, kw_only=True)
class Lake:
    """Its names, as a process is told of them."""

    settings: Settings
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def make(cls, *, tables: Mapping[str, str]) -> "Lake":
        """A lake beside tables that are there."""
        name = f"lake-{uuid.uuid4().hex[:8]}"
        for bucket in ("raw", "ledger"):
            client("s3").create_bucket(Bucket=f"{name}-{bucket}")
        client("dynamodb").create_table(
            TableName=f"{name}-consents",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": "S"} for key in ("subject", "purpose", "changed_on")
            ],
            KeySchema=[
                {"AttributeName": "subject", "KeyType": "HASH"},
                {"AttributeName": "purpose", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-day",
                    "KeySchema": [
                        {"AttributeName": "changed_on", "KeyType": "HASH"},
                        {"AttributeName": "subject", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        client("glue").create_database(DatabaseInput={"Name": name})
        return cls(
            settings=Settings(
                arrivals_url=client("sqs").create_queue(QueueName=f"{name}-arrivals")["QueueUrl"],
                raw_bucket=f"{name}-raw",
                curated_bucket=BUCKET,
                ledger_bucket=f"{name}-ledger",
                datasets_table=tables["datasets"],
                consents_table=f"{name}-consents",
                contracts_table=tables["contracts"],
                grants_table=tables["grants"],
                catalogue=name,
                pseudonym_key_arn=_mac_key(),
                certificate_key_arn=_mac_key(),
                certificate_name="amply.example/certificates",
                has_copies=False,
                heartbeat_path="",
            )
        )

    def parts(self, scratch: Path) -> Parts:
        return parts_of(self.settings, scratch, self.stopping)

    def give(self, name: str, rows: Iterable[Row]) -> str:
        """A file of facts, and the message that the bucket would send."""
        key = f"donations/{DAY}/{name}.parquet"
        client("s3").put_object(Bucket=self.settings.raw_bucket, Key=key, Body=parquet(list(rows), FACTS))
        self.tell(key)
        return key

    def tell(self, key: str) -> None:
        body = {"detail-type": "Object Created", "detail": {"object": {"key": key, "size": 1}}}
        client("sqs").send_message(QueueUrl=self.settings.arrivals_url, MessageBody=json.dumps(body))

    def consent(self, numbers: Iterable[int], *, on: datetime, state: str = "given") -> None:
        for number in numbers:
            item = {
                "subject": f"donor{number}",
                "purpose": "analytics",
                "state": state,
                "changed_on": on.date().isoformat(),
            }
            client("dynamodb").put_item(
                TableName=self.settings.consents_table,
                Item={name: {"S": value} for name, value in item.items()},
            )

    def ask(self, dataset: str, *, at: datetime) -> None:
        """Ask for a release now, as whoever wants one does."""
        client("dynamodb").update_item(
            TableName=self.settings.datasets_table,
            Key={"dataset_id": {"S": dataset}, "part": {"S": "source"}},
            UpdateExpression="SET asked_for = :at",
            ExpressionAttributeValues={":at": {"S": at.isoformat()}},
        )

    def item(self, dataset: str, part: str) -> dict[str, str]:
        """An item of the table of datasets, without types."""
        found = client("dynamodb").get_item(
            TableName=self.settings.datasets_table,
            Key={"dataset_id": {"S": dataset}, "part": {"S": part}},
        )
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}


def _mac_key() -> str:
    made = client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return str(made["KeyMetadata"]["Arn"])
