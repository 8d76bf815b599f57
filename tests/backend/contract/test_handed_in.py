"""What taking data in expects of the lake, held against the emulated cloud: forms, versions, parts, links, and datasets that move on."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import boto3
import httpx2
import pytest

from amply.adapters.dynamodb import DynamoDatasets
from amply.adapters.s3.exports import PART_BYTES
from amply.adapters.s3.handed_in import S3HandedIn
from amply.modules.ingestion import FileReason, FileRefused, PublishedDataset
from amply.modules.ingestion.domain import DatasetClass
from tests.backend.world import NOW

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("cloud")
    name = f"raw-{uuid.uuid4().hex}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def table(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("cloud")
    name = f"datasets-{uuid.uuid4().hex}"
    keys = (("dataset_id", "HASH"), ("part", "RANGE"))
    boto3.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],  # type: ignore[typeddict-item] # literals, as strings
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_what_was_looked_at_is_read_whatever_is_written_over_it(bucket: str) -> None:
    files = S3HandedIn(bucket=bucket)
    files.put("handed-in/org/a", b"first", media_type="text/csv")
    looked = files.look("handed-in/org/a")
    assert looked is not None
    files.put("handed-in/org/a", b"second", media_type="text/csv")
    with files.open("handed-in/org/a", version=looked.version) as file:
        assert (file.read(3), file.read(100), file.read(100)) == (b"fir", b"st", b"")
    files.take_away("handed-in/org/a")
    with pytest.raises(FileRefused, match="gone"), files.open("handed-in/org/a", version=None):
        pass


def test_a_form_uploads_one_file_and_no_larger_one(bucket: str) -> None:
    files = S3HandedIn(bucket=bucket)
    offered = files.offer(
        "handed-in/org/b", media_type="application/zstd", bytes_max=10, lifetime=timedelta(minutes=1)
    )
    assert offered.fields["key"] == "handed-in/org/b"
    assert offered.fields["Content-Type"] == "application/zstd"


def test_accepted_rows_are_there_once_all_of_them_are(bucket: str) -> None:
    files = S3HandedIn(bucket=bucket)
    path = "datasets/d/dt=2026-11-21/j.parquet"

    def falls() -> Iterator[bytes]:
        yield b"x" * PART_BYTES
        raise FileRefused(FileReason.TOO_MANY_ROWS)

    with pytest.raises(FileRefused):
        files.write(path, falls(), media_type="application/vnd.apache.parquet")
    assert not files.has(path)
    files.write(path, [b"x" * PART_BYTES, b"yz"], media_type="application/vnd.apache.parquet")
    assert files.has(path)
    found = files.look(path)
    assert found is not None
    assert found.size_bytes == PART_BYTES + 2
    url = files.link(path, filename="a.gz", media_type="application/gzip", lasts=timedelta(minutes=5))
    assert httpx2.get(url).content[-2:] == b"yz"


TOLD = PublishedDataset(
    dataset_id="dset_1",
    owner="org_1",
    title="Visits",
    kind=DatasetClass.POS,
    policy="{}",
    version=2,
    release_every_days=30,
    is_open=True,
    changed_at=NOW,
)


def test_a_dataset_moves_on_and_what_others_wrote_beside_it_stays(table: str) -> None:
    client, datasets = boto3.client("dynamodb"), DynamoDatasets(table=table)
    datasets.put(TOLD)
    client.update_item(
        TableName=table,
        Key={"dataset_id": {"S": "dset_1"}, "part": {"S": "source"}},
        UpdateExpression="SET asked_for = :now",
        ExpressionAttributeValues={":now": {"S": "2026-11-21T09:00:00Z"}},
    )
    datasets.put(replace(TOLD, version=3, is_open=False))
    datasets.put(replace(TOLD, version=1, title="Former"))
    datasets.put(replace(TOLD, version=3, title="Another"))
    (item,) = client.scan(TableName=table)["Items"]
    assert {name: next(iter(value.values())) for name, value in item.items()} == {
        "dataset_id": "dset_1",
        "part": "source",
        "owner": "org_1",
        "title": "Visits",
        "class": "pos",
        "policy": "{}",
        "version": "3",
        "release_every_days": "30",
        "state": "closed",
        "changed_at": "2026-11-21T09:00:30.000Z",
        "asked_for": "2026-11-21T09:00:00Z",
    }
