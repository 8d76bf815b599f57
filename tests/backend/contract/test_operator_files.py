"""What operators upload for a task, against the emulated cloud: read once, and gone once the command has done its work."""

import json
import uuid

import boto3
import click
import pytest

from amply.entrypoints.admin_offline_details import details_given

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SAID = {"reference": "slip-9", "donor": {"name": "Ada"}}


@pytest.fixture
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    request.getfixturevalue("cloud")
    name = f"bucket-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    monkeypatch.setenv("AMPLY_EXPORTS_BUCKET", name)
    boto3.client("s3").put_object(Bucket=name, Key="operators/gift-1.json", Body=json.dumps(SAID).encode())
    return name


def names(bucket: str) -> list[str]:
    return [found["Key"] for found in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_what_was_uploaded_is_read_and_removed_once_all_is_done(bucket: str) -> None:
    with pytest.raises(KeyboardInterrupt), details_given(None, "gift-1.json"):
        raise KeyboardInterrupt
    assert names(bucket) == ["operators/gift-1.json"], "the gift was not recorded: the command is run again"
    with details_given(None, "gift-1.json") as said:
        assert (said.reference, said.donor.name) == ("slip-9", "Ada")
    assert names(bucket) == []


def test_what_is_not_there_or_elsewhere_is_not_read(bucket: str) -> None:
    with pytest.raises(click.UsageError, match="upload it first"), details_given(None, "gift-2.json"):
        pass
    with pytest.raises(click.UsageError, match="letters, digits"), details_given(None, "../organisations/a"):
        pass
    assert names(bucket) == ["operators/gift-1.json"]
