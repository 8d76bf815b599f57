"""`mirror` makes a copy, `fsck` judges one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amply_verify.cli import cli
from amply_verify.outcome import Exit
from ledger_format.tiles import encode_bundle
from tests.verify.ledger_samples import SampleLog, verifier_key
from tests.verify.log_files import Pen, write_log
from tests.verify.log_server import Answer, LogServer, log_server

KEY = str(verifier_key())


def _leaves() -> list[bytes]:
    pen = Pen()
    pen.many(600)
    return pen.leaves


LEAVES = _leaves()


def type_in(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments), "--key", KEY])


@pytest.fixture
def server() -> Iterator[LogServer]:
    with log_server() as running:
        running.serve("/log", SampleLog(LEAVES).files())
        yield running


pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_copy_is_the_log_and_can_be_audited_alone(server: LogServer, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert type_in("mirror", f"{server.address}/log", copy).exit_code == Exit.VERIFIED
    files = {
        path.relative_to(copy).as_posix(): path.read_bytes() for path in copy.rglob("*") if path.is_file()
    }
    assert files == SampleLog(LEAVES).files()
    for command in ("fsck", "audit"):
        assert type_in(command, copy).exit_code == Exit.VERIFIED


def test_a_copy_grows_without_fetching_again_what_it_has(server: LogServer, tmp_path: Path) -> None:
    with log_server() as smaller:
        smaller.serve("/log", SampleLog(LEAVES[:300]).files())
        type_in("mirror", f"{smaller.address}/log", tmp_path)
    assert type_in("mirror", f"{server.address}/log", tmp_path).exit_code == Exit.VERIFIED
    assert "/log/tile/entries/000" not in server.asked
    assert "/log/tile/entries/001" in server.asked
    told = json.loads(type_in("fsck", tmp_path, "--json").stdout)
    assert (told["exit_code"], told["leftovers"], told["strays"]) == (Exit.VERIFIED, 3, 0)


def test_an_interrupted_copy_has_no_checkpoint_and_goes_on_where_it_was(
    server: LogServer, tmp_path: Path
) -> None:
    lost = server.answers.pop("/log/tile/entries/001")
    assert type_in("mirror", f"{server.address}/log", tmp_path).exit_code == Exit.NOT_THERE
    assert not (tmp_path / "checkpoint").exists()
    assert type_in("fsck", tmp_path).exit_code == Exit.NOT_THERE
    server.answers["/log/tile/entries/001"] = lost
    server.asked.clear()
    assert type_in("mirror", f"{server.address}/log", tmp_path).exit_code == Exit.VERIFIED
    assert "/log/tile/entries/000" not in server.asked


def test_what_does_not_give_the_signed_root_gets_no_checkpoint(server: LogServer, tmp_path: Path) -> None:
    server.answers["/log/tile/entries/001"] = Answer(encode_bundle(LEAVES[:256]))
    result = type_in("mirror", f"{server.address}/log", tmp_path)
    assert result.exit_code == Exit.PROOF
    assert "and copy again" in result.stderr
    assert not (tmp_path / "checkpoint").exists()


def test_what_was_fetched_damaged_is_not_kept_and_fetched_again(server: LogServer, tmp_path: Path) -> None:
    right = server.answers["/log/tile/entries/001"]
    for damage in (encode_bundle(LEAVES[:256]), b"damaged"):
        server.answers["/log/tile/entries/001"] = Answer(damage)
        assert type_in("mirror", f"{server.address}/log", tmp_path).exit_code in {Exit.PROOF, Exit.MALFORMED}
        assert not (tmp_path / "tile/entries/001").exists()
        assert not (tmp_path / "tile/0/001").exists()
        assert (tmp_path / "tile/entries/000").exists(), "what was checked stays"
    server.answers["/log/tile/entries/001"] = right
    assert type_in("mirror", f"{server.address}/log", tmp_path).exit_code == Exit.VERIFIED


def test_a_log_that_contradicts_the_copy_is_a_fork(server: LogServer, tmp_path: Path) -> None:
    other = [LEAVES[1], LEAVES[0], *LEAVES[2:300]]
    (tmp_path / "checkpoint").write_text(SampleLog(other).note())
    assert type_in("mirror", f"{server.address}/log", tmp_path).exit_code == Exit.FORK
    assert (tmp_path / "checkpoint").read_text() == SampleLog(other).note()


def test_a_log_older_than_the_copy_is_not_copied_over_it(tmp_path: Path) -> None:
    write_log(tmp_path, LEAVES)
    with log_server() as older:
        older.serve("/log", SampleLog(LEAVES[:300]).files())
        assert type_in("mirror", f"{older.address}/log", tmp_path).exit_code == Exit.STALE
    assert (tmp_path / "checkpoint").read_text() == SampleLog(LEAVES).note()


def test_a_copy_is_made_of_an_address_into_a_directory(server: LogServer, tmp_path: Path) -> None:
    assert type_in("mirror", tmp_path, tmp_path).exit_code == Exit.USAGE
    assert type_in("fsck", server.address).exit_code == Exit.USAGE
    (tmp_path / "file").touch()
    assert type_in("mirror", f"{server.address}/log", tmp_path / "file").exit_code == Exit.UNREADABLE


def test_a_file_left_over_must_begin_what_has_grown_from_it(tmp_path: Path) -> None:
    write_log(tmp_path, LEAVES[:300])
    write_log(tmp_path, LEAVES)
    assert json.loads(type_in("fsck", tmp_path, "--json").stdout)["leftovers"] == 3
    (tmp_path / "tile/0/001.p/44").write_bytes(bytes(44 * 32))
    result = type_in("fsck", tmp_path)
    assert result.exit_code == Exit.PROOF
    assert "tile/0/001.p/44 is not the beginning" in result.stderr


def test_what_is_no_part_of_the_log_is_named(tmp_path: Path) -> None:
    write_log(tmp_path, LEAVES[:300])
    for name in ("tile/0/003", "tile/9/000", "tile/entries/000.p/256", "notes.txt", "tile/0/x000/000"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    told = json.loads(type_in("fsck", tmp_path, "--json").stdout)
    assert told["exit_code"] == Exit.VERIFIED
    assert told["strays"] == 5
    assert "notes.txt" in told["told"]
