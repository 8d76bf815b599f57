"""What exports expect of where they are kept, held against the emulated cloud: parts, whole files alone, and addresses of minutes."""

import urllib.request
import uuid
from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest

from amply.adapters.s3.exports import PART_BYTES, S3Exports

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("cloud")
    name = f"bucket-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def names(bucket: str) -> list[str]:
    return [found["Key"] for found in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def body(bucket: str, path: str) -> bytes:
    return boto3.client("s3").get_object(Bucket=bucket, Key=path)["Body"].read()


def test_a_small_file_and_one_of_several_parts_are_written_whole(bucket: str) -> None:
    store = S3Exports(bucket=bucket)
    piece = b"x" * (PART_BYTES // 3)
    store.write("organisations/a/small", iter([b"one,", b"two"]), media_type="text/csv")
    store.write("organisations/a/large", iter([piece] * 7), media_type="text/csv")
    assert body(bucket, "organisations/a/small") == b"one,two"
    assert body(bucket, "organisations/a/large") == piece * 7
    store.write("organisations/a/small", iter([b"again"]), media_type="text/csv")
    assert body(bucket, "organisations/a/small") == b"again"
    assert names(bucket) == ["organisations/a/large", "organisations/a/small"]


def test_nothing_is_left_of_half_a_file(bucket: str) -> None:
    def half() -> Iterator[bytes]:
        yield b"x" * PART_BYTES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        S3Exports(bucket=bucket).write("organisations/a/half", half(), media_type="text/csv")
    assert names(bucket) == []
    assert boto3.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_a_link_fetches_the_file_under_its_name(bucket: str) -> None:
    store = S3Exports(bucket=bucket)
    store.write("organisations/a/b", iter([b"one"]), media_type="text/csv")
    link = store.link(
        "organisations/a/b", filename="gifts.csv", media_type="text/csv", lasts=timedelta(minutes=5)
    )
    assert "X-Amz-Expires=300" in link
    with urllib.request.urlopen(link) as answer:  # noqa: S310 -- the emulated cloud's
        assert answer.read() == b"one"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="gifts.csv"'
