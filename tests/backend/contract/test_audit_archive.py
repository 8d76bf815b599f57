"""What the audit log expects of its archive, held against the one in memory and against the emulated cloud."""

import uuid

import boto3
import pytest

from amply.adapters.s3 import S3AuditArchive
from amply.modules import audit
from tests.backend.audit_shelf import AuditShelf

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
BOTH = pytest.mark.parametrize("kind", ["fake", "aws"])


@pytest.fixture
def archive(kind: str, request: pytest.FixtureRequest) -> audit.AuditArchive:
    if kind == "fake":
        return AuditShelf()
    request.getfixturevalue("cloud")
    name = f"bucket-{uuid.uuid4().hex}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    s3.put_object(Bucket=name, Key="checkpoints/1", Body=b"of the ledger")
    return S3AuditArchive(bucket=name)


@BOTH
def test_a_file_is_kept_once_and_never_replaced(archive: audit.AuditArchive) -> None:
    assert archive.read("audit/b") is None
    for path in ("audit/b", "audit/a", "audit/b"):
        archive.keep(path, b"body")
    with pytest.raises(audit.ArchiveDiffers):
        archive.keep("audit/b", b"another")
    assert archive.read("audit/b") == b"body"
    assert list(archive.names()) == ["audit/a", "audit/b"], "and nothing of the ledger's"
