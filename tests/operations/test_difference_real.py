"""The program over the real app, synthesised twice with a change between."""

from pathlib import Path

import aws_cdk as cdk
import pytest

from operations.assembly import read
from operations.difference.changes import Kind
from operations.difference.review import Review, review
from operations.difference.vendor import Library
from stacks.build import build
from tests.infrastructure.assembly import CONTEXT, small_site, synthesise
from tests.operations.conftest import TODAY

IMAGE = f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply@sha256:{'1a' * 32}"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("before"), only="sandbox", image=IMAGE)


def _with_renamed_bucket(folder: Path) -> Path:
    app = cdk.App(
        context={**CONTEXT, "aws:cdk:enable-path-metadata": True, "image": IMAGE},
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=False,
    )
    sandbox = build(app, site=small_site(folder / "site"), only="sandbox")["sandbox"]
    bucket = sandbox.node.find_child("storage").node.find_child("Documents").node.find_child("Resource")
    if not isinstance(bucket, cdk.CfnElement):
        raise TypeError
    bucket.override_logical_id("Files")
    return Path(app.synth().directory)


def _reviewed(before: Path, after: Path, library: Library) -> Review:
    return review(
        "sandbox",
        read(before)["sandbox"],
        read(after)["sandbox"],
        compare=library.compare,
        approved=(),
        today=TODAY,
        monthly=None,
    )


def test_synthesised_twice_the_app_is_the_same(before: Path, tmp_path: Path, library: Library) -> None:
    found = _reviewed(before, synthesise(tmp_path, only="sandbox", image=IMAGE), library)
    assert (found.changes, found.sections, found.built.contents) == ((), (), ())


def test_a_new_image_changes_every_task_and_nothing_else(
    before: Path, tmp_path: Path, library: Library
) -> None:
    found = _reviewed(before, synthesise(tmp_path, only="sandbox", image=IMAGE.replace("1a", "2b")), library)
    assert found.changes == ()
    (image,) = found.built.images
    assert (image.before, image.after) == ("sha256:1a1a1a1a1a1a", "sha256:2b2b2b2b2b2b")
    assert image.tasks > 1


def test_a_bucket_renamed_in_the_real_app_is_stopped(before: Path, tmp_path: Path, library: Library) -> None:
    found = _reviewed(before, _with_renamed_bucket(tmp_path), library)
    assert [(change.name, change.kind) for change in found.blocking] == [
        ("storage/Documents", Kind.DESTROYED)
    ]
