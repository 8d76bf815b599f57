"""A picture on its whole way through the emulated cloud: the signed form, the worker's program, the bucket behind the edge."""

import io
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import httpx2
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from amply.adapters.pillow import PillowImageProcessor
from amply.adapters.s3.images import S3Images
from amply.adapters.s3.uploads import S3Uploads
from amply.entrypoints import application
from amply.infra.database import Database
from amply.modules import images
from tests.backend.conftest import Databases
from tests.backend.image_world import ALT, taken_at_a_place
from tests.backend.member_world import House

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def buckets(cloud: str) -> tuple[str, str]:  # noqa: ARG001 -- it stands behind boto3
    names = (f"documents-{uuid.uuid4().hex}", f"media-{uuid.uuid4().hex}")
    s3 = boto3.client("s3")
    for name in names:
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return names


@pytest.fixture
def house(database: Database, databases: Databases, buckets: tuple[str, str]) -> Iterator[House]:
    made = House(database, databases)
    made.app = application.create(replace(made.parts, image_uploads=S3Uploads(bucket=buckets[0])))
    made.client = TestClient(made.app, raise_server_exceptions=False)
    with made.client:
        yield made
    made.close()


def names(bucket: str) -> list[str]:
    found: Any = boto3.client("s3").list_objects_v2(Bucket=bucket)
    return [each["Key"] for each in found.get("Contents", [])]


def test_a_photograph_comes_in_by_a_form_and_out_without_where_it_was_taken(
    house: House, buckets: tuple[str, str]
) -> None:
    uploads, media = buckets
    asked = {"kind": "logo", "media_type": "image/jpeg", "alt": ALT}
    place = house.ask("POST", "/images", by="usr_content", json=asked).json()
    form, sent = place["fields"], taken_at_a_place()
    for changed in ({"Content-Type": "text/html"}, {"key": "images/org_x/another"}):
        refused = httpx2.post(place["url"], data={**form, **changed}, files={"file": ("a.jpg", sent)})
        assert refused.status_code in (400, 403)
    assert httpx2.post(place["url"], data=form, files={"file": ("a.jpg", sent)}).is_success
    told = house.ask("POST", f"/images/{place['id']}/received", by="usr_content")
    assert told.json()["state"] == "making"
    # While the form still works, another file is put over it; it is not the one that is made.
    assert httpx2.post(place["url"], data=form, files={"file": ("a.jpg", b"<html>")}).is_success

    store = S3Images(uploads=uploads, media=media)
    making = images.ImageJobs(database=house.database, store=store, processor=PillowImageProcessor())
    assert images.make_images(making, now=house.clock()) == 1
    shown = house.client.get(f"/v1/public/organisations/{house.organization_id}").json()["logo"]
    paths = [
        each["url"].removeprefix("https://edge.example/")
        for each in ({"url": shown["url"]}, *shown["sources"])
    ]
    assert names(media) == sorted(paths)
    for path in paths:
        found = boto3.client("s3").get_object(Bucket=media, Key=path)
        assert found["CacheControl"] == "public, max-age=31536000, s-maxage=86400, immutable"
        assert (
            found["ContentType"] == Image.open(io.BytesIO(body := found["Body"].read())).get_format_mimetype()
        )
        assert b"Ada of the Vale" in sent
        assert b"Ada of the Vale" not in body
    assert names(uploads) == [], "the upload is gone"

    assert house.ask("DELETE", f"/images/{place['id']}", by="usr_content").status_code == 204
    house.clock.advance(hours=25)
    images.make_images(making, now=house.clock())
    assert names(media) == []
    assert store.read(f"images/{house.organization_id}/nothing", version=None) is None
