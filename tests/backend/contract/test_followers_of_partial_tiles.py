"""People who follow the log miss nothing when the bucket forgets the partial tiles that full ones have replaced."""

import shutil
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner

from amply.adapters.s3 import SUPERSEDED, S3PublicLog
from amply.modules import ledger
from amply_verify.cli import cli
from tests.backend.contract.test_ledger_outside import bucket
from tests.backend.ledger_world import LedgerWorld

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SIZES = (1, 90, 255, 300, 420, 511, 530, 531)


class Bucket:
    """The public bucket, as its lifecycle sees it and as somebody who copies it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.s3 = boto3.client("s3")

    def keys(self) -> set[str]:
        return {found["Key"] for found in self.s3.list_objects_v2(Bucket=self.name)["Contents"]}

    def forget(self) -> set[str]:
        """What S3 does a day later, by the rule `superseded` of `stacks/storage_lifecycle.py`."""
        tag = {"Key": SUPERSEDED[0], "Value": SUPERSEDED[1]}
        tagged = {
            key
            for key in self.keys()
            if tag in self.s3.get_object_tagging(Bucket=self.name, Key=key)["TagSet"]
        }
        for key in tagged:
            self.s3.delete_object(Bucket=self.name, Key=key)
        return tagged

    def copy(self, directory: Path) -> Path:
        """The files below `log/`, in a fresh directory."""
        shutil.rmtree(directory, ignore_errors=True)
        for key in self.keys():
            file = directory / key.removeprefix("log/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())
        return directory


def test_followers_old_checkpoints_and_mirrors_work_before_and_after(
    books: LedgerWorld, cloud: str, tmp_path: Path
) -> None:
    public = Bucket(bucket())
    log = f"{cloud}/{public.name}/log"
    books.public_log = S3PublicLog(bucket=public.name)  # type: ignore[assignment] # the real one, for the fake
    key = ["--key", str(books.verifier)]

    def run(*words: str | Path) -> None:
        """The command succeeds."""
        done = CliRunner().invoke(cli, [*map(str, words), *key], env={})
        assert done.exit_code == 0, (words, done.output)

    kept: dict[int, Path] = {}
    for size in SIZES:
        books.post_many(size - max(kept, default=0))
        books.sequence()
        published = books.publish()
        assert published is not None
        kept[size] = tmp_path / f"{size}.txt"
        kept[size].write_text(published.note)
        if size == 90:
            run("follow", log, "--state", tmp_path / "seen.json", "--once")
            run("mirror", log, tmp_path / "mirror")

    def everything_works(copy: Path, state: Path, mirror: Path) -> None:
        run("checkpoint", log)
        run("audit", log)
        run("follow", log, "--state", state, "--once")
        run("mirror", log, mirror)
        for place in (copy, mirror):
            run("fsck", place)
            run("audit", place)
        for old in SIZES:
            run("consistency", kept[old], log)

    shutil.copy(tmp_path / "seen.json", tmp_path / "seen-before.json")
    shutil.copytree(tmp_path / "mirror", tmp_path / "mirror-before")
    everything_works(
        public.copy(tmp_path / "before"), tmp_path / "seen-before.json", tmp_path / "mirror-before"
    )

    assert ledger.let_go_of_partials(books.sequencer, public_log=books.public_log) > 0
    forgotten = public.forget()
    assert forgotten == {
        f"log/tile/{kind}/{place}"
        for kind in ("0", "entries")
        for place in ("000.p/1", "000.p/90", "000.p/255", "001.p/44", "001.p/164", "001.p/255")
    }
    everything_works(public.copy(tmp_path / "after"), tmp_path / "seen.json", tmp_path / "mirror")
    # And the publisher goes on from there.
    books.post_many(10)
    books.sequence()
    assert books.publish() is not None
    run("fsck", public.copy(tmp_path / "later"))
