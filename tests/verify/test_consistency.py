"""`consistency`: does the newer checkpoint extend the older, or has the log lied?"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from amply_verify.cli import cli
from amply_verify.consistency_check import ForkError, compare
from amply_verify.outcome import Exit
from ledger_format.checkpoints import SignedCheckpoint
from ledger_format.errors import ProofError
from ledger_format.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from tests.verify.ledger_samples import STRANGERS_KEY, SampleLog, sign, verifier_key
from tests.verify.log_files import Pen, write_log
from tests.verify.log_server import LogServer, log_server

KEY = str(verifier_key())
SIZES = (1, 2, 3, 255, 256, 257, 300, 512, 600)


def _leaves() -> list[bytes]:
    pen = Pen()
    pen.many(600)
    return pen.leaves


LEAVES = _leaves()
FULL = SampleLog(LEAVES)


def note_of(size: int, leaves: list[bytes] = LEAVES) -> str:
    return SampleLog(leaves[:size]).note()


def compare_files(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["consistency", *map(str, arguments), "--key", KEY])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("log")
    write_log(directory, LEAVES)
    return directory


@pytest.fixture
def server() -> Iterator[LogServer]:
    with log_server() as running:
        running.serve("/log", FULL.files())
        yield running


@pytest.mark.parametrize("size", SIZES)
def test_a_log_extends_every_checkpoint_it_has_signed(log: Path, tmp_path: Path, size: int) -> None:
    old = tmp_path / "old"
    old.write_text(note_of(size))
    for arguments in ([old, log], [log, old], [old, "--log", log], [old, old, "--log", log]):
        assert compare_files(*arguments).exit_code == Exit.VERIFIED, arguments


def test_what_was_compared_is_told(log: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text(note_of(300))
    told = json.loads(compare_files(old, log, "--json").stdout)
    assert (told["older"]["size"], told["newer"]["size"]) == (300, 600)
    assert 0 < told["proof_hashes"] <= 10
    assert "600 entries, and they begin with the older ones" in compare_files(old, log).stdout


@pytest.mark.parametrize("size", SIZES)
def test_a_log_that_lied_is_found_out(log: Path, tmp_path: Path, size: int) -> None:
    lie = tmp_path / "lie"
    changed = [*LEAVES[: size - 1], LEAVES[0] if size > 1 else LEAVES[1]]
    lie.write_text(SampleLog(changed).note())
    for arguments in ([lie, log], [log, lie], [lie, "--log", log]):
        result = compare_files(*arguments)
        assert result.exit_code == Exit.FORK, result.output
        assert "contradict each other" in result.stderr


@pytest.mark.parametrize("size", SIZES[:-1])
def test_damaged_tiles_do_not_look_like_a_lie(size: int) -> None:
    """Each hash of each tile spoiled in turn: verified where the proof does not need it, and never a fork."""
    old, new = (SignedCheckpoint(SampleLog(LEAVES[:some]).checkpoint(), ("x",)) for some in (size, 600))
    for spoiled, content in FULL.tiles.items():
        for at in range(0, len(content), 32):
            damaged = {**FULL.tiles, spoiled: content[:at] + bytes(32) + content[at + 32 :]}
            with suppress(ProofError):  # anything else, a fork above all, fails the test
                compare(old, new, damaged.__getitem__)


@given(st.data())
def test_honest_prefixes_are_consistent_and_others_are_not(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 600))
    old = data.draw(st.integers(1, new))
    spoiled = data.draw(st.integers(0, old - 1))
    newer = SampleLog(LEAVES[:new])

    def read(tile: Tile) -> bytes:
        width = min(TILE_WIDTH, (new >> TILE_HEIGHT * tile.level) - tile.index * TILE_WIDTH)
        return newer.tiles[Tile(tile.level, tile.index, width)][: 32 * tile.width]

    second = SignedCheckpoint(newer.checkpoint(), ("x",))
    compare(SignedCheckpoint(SampleLog(LEAVES[:old]).checkpoint(), ("x",)), second, read)
    other = [*LEAVES[:spoiled], b"{}", *LEAVES[spoiled + 1 : old]]
    with pytest.raises(ForkError):
        compare(SignedCheckpoint(SampleLog(other).checkpoint(), ("x",)), second, read)


def test_an_empty_log_is_extended_by_any_and_that_is_said(log: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text(note_of(0))
    result = compare_files(old, log)
    assert result.exit_code == Exit.VERIFIED
    assert "proves nothing about its entries" in " ".join(result.stdout.split())


def test_checkpoints_of_two_logs_are_not_compared(log: Path, tmp_path: Path) -> None:
    other = SampleLog(LEAVES[:5], origin="log.amply.example/other")
    (tmp_path / "old").write_text(other.note())
    key = str(verifier_key(name="log.amply.example/other"))
    command = ["consistency", str(tmp_path / "old"), str(log), "--key", KEY, "--key", key]
    assert CliRunner().invoke(cli, command).exit_code == Exit.MISMATCH


def test_an_unsigned_checkpoint_is_refused(log: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text(sign(FULL.checkpoint().note_text(), STRANGERS_KEY))
    assert compare_files(old, log).exit_code == Exit.SIGNATURE


def test_two_files_alone_cannot_be_compared_but_where_they_are_of_one_size(tmp_path: Path) -> None:
    for name, note in {"a": note_of(5), "b": note_of(9), "c": SampleLog(LEAVES[5:10]).note()}.items():
        (tmp_path / name).write_text(note)
    result = compare_files(tmp_path / "a", tmp_path / "b")
    assert result.exit_code == Exit.UNREADABLE
    assert "--log" in result.stderr
    assert compare_files(tmp_path / "a", tmp_path / "a").exit_code == Exit.VERIFIED
    assert compare_files(tmp_path / "a", tmp_path / "c").exit_code == Exit.FORK
    assert compare_files(tmp_path / "a").exit_code == Exit.USAGE


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_checkpoint_is_compared_with_a_log_over_http(server: LogServer, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text(note_of(257))
    assert compare_files(old, f"{server.address}/log").exit_code == Exit.VERIFIED
    assert not any("entries" in path for path in server.asked), "tiles are enough"
    del server.answers["/log/tile/1/000.p/2"]
    assert compare_files(old, f"{server.address}/log").exit_code == Exit.NOT_THERE
