"""What applications expect of the place for documents, held against the emulated cloud: forms, links, and what is refused."""

import urllib.parse
import uuid
from datetime import timedelta

import boto3
import httpx2
import pytest

from amply.adapters.s3.documents import S3Documents
from amply.infra.uploads import Upload
from amply.modules.applications import BYTES_MAX
from tests.backend.application_world import PDF

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
KEY = "applications/org_x/odoc_x/7Wz1hL0m0Xv9S2v0Xy5cQK1n"
MINUTES = timedelta(minutes=5)


@pytest.fixture
def bucket(cloud: str) -> str:  # noqa: ARG001 -- it stands behind boto3
    name = f"documents-{uuid.uuid4().hex}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def shelf(bucket: str) -> S3Documents:
    return S3Documents(bucket=bucket)


def offered(shelf: S3Documents, *, bytes_max: int = BYTES_MAX) -> Upload:
    return shelf.offer(KEY, media_type="application/pdf", bytes_max=bytes_max, lifetime=MINUTES)


def post(upload: Upload, body: bytes, **changed: str) -> int:
    fields = {**upload.fields, **changed}
    return httpx2.post(upload.url, data=fields, files={"file": ("a.pdf", body)}).status_code


def test_a_file_is_uploaded_looked_at_read_and_taken_away(shelf: S3Documents) -> None:
    assert shelf.look(KEY) is None
    assert post(offered(shelf), PDF) in (200, 201, 204)
    stored = shelf.look(KEY)
    assert stored is not None
    assert (stored.size_bytes, stored.beginning) == (len(PDF), PDF[:16])
    link = shelf.link(KEY, version=stored.version, media_type="application/pdf", lifetime=MINUTES)
    read = httpx2.get(link)
    assert (read.content, read.headers["content-type"]) == (PDF, "application/pdf")
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
    assert asked["X-Amz-Expires"] == ["300"]
    # S3 answers with what the signed link asks for; the emulator leaves it out.
    assert asked["response-content-disposition"] == ['attachment; filename="document.pdf"']
    shelf.take_away(KEY)
    assert shelf.look(KEY) is None


def test_what_is_uploaded_over_it_later_is_not_what_is_read(shelf: S3Documents) -> None:
    upload = offered(shelf)
    post(upload, PDF)
    stored = shelf.look(KEY)
    assert stored is not None
    assert stored.version is not None
    post(upload, b"<html>")
    link = shelf.link(KEY, version=stored.version, media_type="application/pdf", lifetime=MINUTES)
    assert httpx2.get(link).content == PDF


@pytest.mark.parametrize(
    "changed",
    [
        {"Content-Type": "text/html"},
        {"key": "applications/org_y/another"},
        {"policy": "eyJjb25kaXRpb25zIjogW119"},
    ],
)
def test_another_type_or_place_is_refused_by_the_bucket(shelf: S3Documents, changed: dict[str, str]) -> None:
    assert post(offered(shelf), PDF, **changed) in (400, 403)
    assert shelf.look(KEY) is None


def test_more_than_was_allowed_is_refused_by_the_bucket(shelf: S3Documents) -> None:
    assert post(offered(shelf, bytes_max=len(PDF) - 1), PDF) == 400
    assert post(offered(shelf), b"") == 400
    assert shelf.look(KEY) is None
