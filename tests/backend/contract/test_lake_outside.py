"""What sharing expects of the lake, held against the emulated cloud: consents that only move on, and files replaced as they were seen."""

import uuid
from datetime import timedelta
from typing import Any

import boto3
import pytest

from amply.adapters.dynamodb import DynamoConsents
from amply.adapters.s3.raw_files import S3RawFiles
from amply.kernel.clock import iso
from amply.modules.sharing import Decision, FileMoved, PublishedConsent, Purpose
from tests.backend.world import NOW

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def table(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("cloud")
    name = f"consents-{uuid.uuid4().hex}"
    boto3.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "subject", "KeyType": "HASH"},
            {"AttributeName": "purpose", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "subject", "AttributeType": "S"},
            {"AttributeName": "purpose", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("cloud")
    name = f"raw-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def consent(version: int, state: Decision) -> PublishedConsent:
    return PublishedConsent(
        subject="a" * 64,
        purpose=Purpose.ANALYTICS,
        state=state,
        version=version,
        changed_at=NOW,
        told_at=NOW + timedelta(days=version),
    )


def item(table: str) -> dict[str, Any]:
    (found,) = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return {name: next(iter(value.values())) for name, value in found.items()}


def test_a_consent_is_kept_and_only_a_newer_one_takes_its_place(table: str) -> None:
    consents = DynamoConsents(table=table)
    assert consents.put(consent(1, Decision.GIVEN)) is Decision.GIVEN
    assert consents.put(consent(3, Decision.GIVEN)) is Decision.GIVEN
    assert consents.put(consent(2, Decision.GIVEN)) is Decision.GIVEN, "an earlier one"
    assert item(table)["version"] == "3"
    assert consents.put(consent(12, Decision.WITHDRAWN)) is Decision.WITHDRAWN
    for version in (1, 9, 12, 13):
        assert consents.put(consent(version, Decision.GIVEN)) is Decision.WITHDRAWN, version
    assert item(table) == {
        "subject": "a" * 64,
        "purpose": "analytics",
        "state": "withdrawn",
        "version": "12",
        "changed_on": "2026-12-03",
        "changed_at": iso(NOW),
    }, "found on the day it was told, and not on the day of the decision"


def test_a_withdrawal_is_kept_whatever_version_was_given(table: str) -> None:
    """The database was restored to before some of what the table was told."""
    consents = DynamoConsents(table=table)
    assert consents.put(consent(5, Decision.GIVEN)) is Decision.GIVEN
    assert consents.put(consent(4, Decision.WITHDRAWN)) is Decision.WITHDRAWN
    assert (item(table)["state"], item(table)["version"]) == ("withdrawn", "4")
    for version in (3, 4, 5, 6):
        assert consents.put(consent(version, Decision.WITHDRAWN)) is Decision.WITHDRAWN
        assert consents.put(consent(version, Decision.GIVEN)) is Decision.WITHDRAWN
    assert item(table)["changed_on"] == iso(NOW + timedelta(days=4))[:10], (
        "found on the day it was told first"
    )


def test_a_file_is_replaced_only_while_it_is_what_was_seen(bucket: str) -> None:
    files = S3RawFiles(bucket=bucket)
    path = "donations/dt=2026-11-21/a.parquet"
    assert files.version(path) is None
    files.write(path, b"one", replaces=None)
    with pytest.raises(FileMoved):
        files.write(path, b"two", replaces=None)
    seen = files.version(path)
    assert seen is not None
    files.write(path, b"two", replaces=seen)
    with pytest.raises(FileMoved):
        files.write(path, b"three", replaces=seen)
    assert files.version("donations/dt=2026-11-21/a") is None
    assert boto3.client("s3").get_object(Bucket=bucket, Key=path)["Body"].read() == b"two"
