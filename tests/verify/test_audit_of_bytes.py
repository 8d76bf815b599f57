"""`audit`, `org` and `fsck`: every byte of a log counts, wherever it is read from."""

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amply_verify.auditing import plan, run
from amply_verify.auditing.run import Audit, NoProgress, run_audit
from amply_verify.cli import cli
from amply_verify.keys import Trust
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.errors import FormatError
from ledger_format.tiles import encode_bundle
from tests.verify.flips import ALL_BY_NIGHT, positions
from tests.verify.ledger_samples import (
    ORGANIZATION,
    STRANGERS_KEY,
    SampleLog,
    sample_entry,
    sign,
    verifier_key,
)
from tests.verify.log_files import OTHER_ORGANIZATION, Pen, write_log
from tests.verify.log_server import LogServer, log_server

KEY = str(verifier_key())
SIZE = 600


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    pen = Pen()
    pen.many(SIZE)
    return pen.leaves


@pytest.fixture
def log(tmp_path: Path, leaves: list[bytes]) -> Path:
    write_log(tmp_path, leaves)
    return tmp_path


def type_in(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments), "--key", KEY])


def audit(log: Path | str, *options: str) -> Result:
    return type_in("audit", log, *options)


def test_an_honest_log_passes(log: Path) -> None:
    result = audit(log)
    assert result.exit_code == Exit.VERIFIED, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == f"OK: {log}"
    assert any(line.startswith(f"entries {SIZE}, ") for line in lines)
    assert "organisations 2, each with the entries read in one chain" in lines
    assert result.stderr == ""


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513])
def test_a_log_of_any_size_passes(tmp_path: Path, leaves: list[bytes], size: int) -> None:
    write_log(tmp_path, leaves[:size])
    for command in ("audit", "fsck"):
        result = type_in(command, tmp_path, "--json")
        assert json.loads(result.stdout)["entries"] == size
        assert result.exit_code == Exit.VERIFIED


@pytest.mark.parametrize("first", [0, 1, 255, 256, 300, 512, 599, 600])
def test_an_audit_may_begin_anywhere(log: Path, first: int) -> None:
    told = json.loads(audit(log, "--from", str(first), "--json").stdout)
    expected = Exit.VERIFIED if first < 256 else Exit.PARTLY
    assert (told["exit_code"], told["entries"]) == (expected, SIZE - first // 256 * 256)


def test_an_audit_beyond_the_end_checks_nothing(log: Path) -> None:
    assert audit(log, "--from", "601").exit_code == Exit.NOT_THERE


@pytest.mark.parametrize("file", ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"])
@pytest.mark.parametrize("command", ["audit", "fsck"])
def test_a_changed_tile_is_found_on_every_level(log: Path, file: str, command: str) -> None:
    target = log / file
    content = bytearray(target.read_bytes())
    content[-1] ^= 1
    target.write_bytes(content)
    result = type_in(command, log)
    assert result.exit_code == Exit.PROOF
    assert file.removesuffix(".p/88") in result.stderr


@ALL_BY_NIGHT
def test_a_flipped_bit_of_the_log_is_found(tmp_path: Path, bits: int) -> None:
    """Of a small log's bundle and tiles, and of its checkpoint."""
    pen = Pen()
    pen.many(2)
    write_log(tmp_path, pen.leaves)
    wanted = Audit(place=str(tmp_path), trusted=Trust((verifier_key(),)))
    run_audit(wanted, NoProgress())
    for file in [path for path in tmp_path.rglob("*") if path.is_file()]:
        original = file.read_bytes()
        for position in positions(original, bits=bits):
            changed = bytearray(original)
            changed[position // 8] ^= 1 << position % 8
            file.write_bytes(changed)
            with pytest.raises(Exception) as refusal:  # noqa: PT011 -- which of two classes is looked at next
                run_audit(wanted, NoProgress())
            assert isinstance(refusal.value, CheckFailure | FormatError)
        file.write_bytes(original)
    run_audit(wanted, NoProgress())


def swap_two_entries(log: Path, leaves: list[bytes]) -> None:
    changed = [leaves[1], leaves[0], *leaves[2:256]]
    (log / "tile/entries/000").write_bytes(encode_bundle(changed))


def leave_an_entry_out(log: Path, leaves: list[bytes]) -> None:
    (log / "tile/entries/000").write_bytes(encode_bundle(leaves[1:256]))


def cut_a_bundle(log: Path, leaves: list[bytes]) -> None:
    (log / "tile/entries/001").write_bytes(encode_bundle(leaves[256:512])[:-1])


def empty_a_bundle(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/entries/001").write_bytes(b"")


def cut_a_tile(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/0/001").write_bytes(bytes(8_191))


def remove_a_bundle(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/entries/001").unlink()


def remove_an_upper_tile(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/1/000.p/2").unlink()


def make_a_bundle_huge(log: Path, leaves: list[bytes]) -> None:
    del leaves
    with (log / "tile/entries/001").open("wb") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no room


def link_a_file(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/0/001").unlink()
    (log / "tile/0/001").symlink_to("/dev/zero")


def link_a_file_to_its_own_bytes(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/0/001").rename(log / "elsewhere")
    (log / "tile/0/001").symlink_to(log / "elsewhere")


def link_a_folder_out(log: Path, leaves: list[bytes]) -> None:
    del leaves
    outside = log.parent / f"{log.name}-outside"
    (log / "tile/0").rename(outside)
    (log / "tile/0").symlink_to(outside)


def link_a_folder_in_a_circle(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/0").rename(log / "elsewhere")
    (log / "tile/0").symlink_to(log / "tile/0")


def put_a_pipe(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/0/001").unlink()
    os.mkfifo(log / "tile/0/001")


def put_a_folder(log: Path, leaves: list[bytes]) -> None:
    del leaves
    (log / "tile/0/001").unlink()
    (log / "tile/0/001").mkdir()


def sign_another_root(log: Path, leaves: list[bytes]) -> None:
    (log / "checkpoint").write_text(SampleLog(leaves[::-1]).note())


def sign_a_shorter_tree_with_the_same_root(log: Path, leaves: list[bytes]) -> None:
    text = SampleLog(leaves).checkpoint().note_text().replace("\n600\n", "\n599\n")
    (log / "checkpoint").write_text(sign(text))


def let_a_stranger_sign(log: Path, leaves: list[bytes]) -> None:
    (log / "checkpoint").write_text(sign(SampleLog(leaves).checkpoint().note_text(), STRANGERS_KEY))


Fault = Callable[[Path, list[bytes]], None]
FAULTS: dict[Fault, Exit] = {
    swap_two_entries: Exit.PROOF,
    leave_an_entry_out: Exit.MALFORMED,
    cut_a_bundle: Exit.MALFORMED,
    empty_a_bundle: Exit.MALFORMED,
    cut_a_tile: Exit.PROOF,
    remove_a_bundle: Exit.NOT_THERE,
    remove_an_upper_tile: Exit.NOT_THERE,
    make_a_bundle_huge: Exit.MALFORMED,
    link_a_file: Exit.UNREADABLE,
    link_a_file_to_its_own_bytes: Exit.UNREADABLE,
    link_a_folder_out: Exit.UNREADABLE,
    link_a_folder_in_a_circle: Exit.UNREADABLE,
    put_a_pipe: Exit.UNREADABLE,
    put_a_folder: Exit.UNREADABLE,
    sign_another_root: Exit.PROOF,
    sign_a_shorter_tree_with_the_same_root: Exit.NOT_THERE,
    let_a_stranger_sign: Exit.SIGNATURE,
}


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS])
@pytest.mark.parametrize("command", ["audit", "fsck", "org"])
def test_a_damaged_or_hostile_copy_is_never_verified(
    log: Path, leaves: list[bytes], fault: Fault, expected: Exit, command: str
) -> None:
    fault(log, leaves)
    result = type_in(command, log, *([ORGANIZATION] if command == "org" else []))
    assert result.exit_code == expected, result.output
    assert result.output.startswith("FAIL: ")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("place", ["nowhere", "/dev/null", "nul\0byte", ""])
def test_what_is_no_directory_was_not_checked(place: str, tmp_path: Path) -> None:
    assert audit(place or str(tmp_path / "x")).exit_code == Exit.UNREADABLE


def test_a_malformed_entry_under_a_true_root_is_told_with_its_index(
    tmp_path: Path, leaves: list[bytes]
) -> None:
    wrong = leaves[299].replace(b'"v":1', b'"v":1 ')
    write_log(tmp_path, [*leaves[:299], wrong, *leaves[300:]])
    result = audit(tmp_path)
    assert result.exit_code == Exit.MALFORMED
    assert "entry 299: the entry's JSON is not in its canonical form" in result.stderr
    assert type_in("fsck", tmp_path).exit_code == Exit.VERIFIED


def test_an_entry_of_a_later_version_was_not_checked(tmp_path: Path, leaves: list[bytes]) -> None:
    write_log(tmp_path, [*leaves[:3], leaves[3].replace(b'"v":1', b'"v":2'), *leaves[4:]])
    result = audit(tmp_path)
    assert result.exit_code == Exit.UNKNOWN_VERSION
    assert "could not be checked" in result.stderr


def test_the_first_damage_is_told_whoever_finds_it(
    tmp_path: Path, leaves: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SMALL_LOG", 0)
    write_log(tmp_path, leaves)
    told = json.loads(audit(tmp_path, "--jobs", "2", "--json").stdout)
    assert (told["exit_code"], told["jobs"], told["books"]["organizations"]) == (Exit.VERIFIED, 2, 2)
    for bundle in ("000", "002.p/88"):
        (tmp_path / "tile/0" / bundle).write_bytes(bytes((tmp_path / "tile/0" / bundle).stat().st_size))
    assert "tile/0/000 does not hold" in audit(tmp_path, "--jobs", "2").stderr


def test_parts_cover_the_log_once_whatever_its_size() -> None:
    chance = random.Random(7)  # noqa: S311 -- sizes to try
    for _ in range(500):
        size, jobs = chance.randrange(1, 10**6), chance.randrange(1, 64)
        first = chance.randrange(plan.bundles_of(size))
        parts = list(plan.parts_of(size, first_bundle=first, jobs=jobs))
        assert [part.first for part in parts[1:]] == [part.stop for part in parts[:-1]]
        assert (parts[0].first, parts[-1].stop) == (first, plan.bundles_of(size))
        assert sum(part.entries for part in parts) == size - first * 256
        assert all(0 < part.stop - part.first <= plan.MAX_BUNDLES for part in parts)


def test_an_organization_s_chain_is_followed(log: Path) -> None:
    told = json.loads(type_in("org", log, OTHER_ORGANIZATION, "--json").stdout)
    assert told["exit_code"] == Exit.VERIFIED
    assert (told["org_entries"], told["last_index"]) == (SIZE // 3, SIZE - 3)
    assert [account["account"] for account in told["accounts"]] == [
        f"{OTHER_ORGANIZATION}/gifts",
        f"{OTHER_ORGANIZATION}/processor_balance",
        f"{OTHER_ORGANIZATION}/processor_fees",
    ]


def test_every_gap_of_an_organization_is_named(tmp_path: Path) -> None:
    pen = Pen()
    pen.many(300)
    pen.write(org=ORGANIZATION, org_seq=250, id="ent_skips")
    pen.write(org=ORGANIZATION, org_prev=bytes(32), id="ent_misnames")
    write_log(tmp_path, pen.leaves)
    result = type_in("org", tmp_path, ORGANIZATION)
    assert result.exit_code == Exit.BOOKS
    assert "has 2 gaps: entry 300 is number 250, and number 200 should come next; entry 301" in result.stderr
    assert type_in("org", tmp_path, OTHER_ORGANIZATION).exit_code == Exit.VERIFIED


def test_an_organization_without_entries_was_not_checked(log: Path) -> None:
    assert type_in("org", log, "org_0000").exit_code == Exit.NOT_THERE
    assert type_in("org", log, "not an id").exit_code == Exit.USAGE


@pytest.fixture
def server(leaves: list[bytes]) -> Iterator[LogServer]:
    with log_server() as running:
        running.serve("/log", SampleLog(leaves).files())
        yield running


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_log_is_audited_over_http(server: LogServer) -> None:
    told = json.loads(audit(f"{server.address}/log", "--json").stdout)
    assert (told["exit_code"], told["entries"]) == (Exit.VERIFIED, SIZE)
    for path in ("tile/entries/000", "tile/entries/002.p/88", "tile/0/001", "tile/1/000.p/2"):
        assert server.asked.count(f"/log/{path}") == 1, path


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_server_that_loses_a_file_was_not_checked(server: LogServer) -> None:
    del server.answers["/log/tile/entries/001"]
    assert audit(f"{server.address}/log").exit_code == Exit.NOT_THERE


def test_no_entry_is_like_another_log_s(tmp_path: Path) -> None:
    pen = Pen()
    pen.add(sample_entry(log="log.amply.example/other"))
    write_log(tmp_path, pen.leaves)
    assert audit(tmp_path).exit_code == Exit.MISMATCH
    assert type_in("org", tmp_path, ORGANIZATION).exit_code == Exit.MISMATCH
