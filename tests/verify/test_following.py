"""`follow`: it remembers, it notices, and it does not forget an alarm."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amply_verify.cli import cli
from amply_verify.following import evidence_of, follow_once
from amply_verify.keys import Trust
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.errors import QuorumError
from tests.verify.conftest import ROOT
from tests.verify.ledger_samples import STRANGERS_KEY, SampleLog, sample_policy, sign, verifier_key
from tests.verify.log_files import Pen, write_log

KEYS = [verifier_key()]
NOW = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)


def _leaves() -> list[bytes]:
    pen = Pen()
    pen.many(600)
    return pen.leaves


LEAVES = _leaves()
OTHER = [LEAVES[1], LEAVES[0], *LEAVES[2:]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    place = tmp_path / "log"
    write_log(place, LEAVES[:300])
    return place


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "seen.json"


def look(log: Path, state: Path, *options: str) -> Result:
    command = ["follow", str(log), "--state", str(state), "--key", str(KEYS[0]), "--once", *options]
    return CliRunner().invoke(cli, command)


def grow(log: Path, leaves: Sequence[bytes]) -> None:
    write_log(log, leaves)


def test_a_growing_log_is_followed(log: Path, state: Path) -> None:
    first = look(log, state)
    assert first.exit_code == Exit.VERIFIED
    assert "the first look" in first.stdout
    assert "as before" in look(log, state).stdout
    grow(log, LEAVES)
    told = json.loads(look(log, state, "--json").stdout)
    assert (told["step"], told["before"], told["checkpoint"]["size"]) == ("grown", 300, 600)
    assert json.loads(state.read_text())["note"] == SampleLog(LEAVES).note()
    assert not evidence_of(state).exists()


def test_a_log_that_contradicts_itself_raises_an_alarm_that_stays(log: Path, state: Path) -> None:
    look(log, state)
    remembered = state.read_bytes()
    grow(log, OTHER)
    alarm = look(log, state)
    assert alarm.exit_code == Exit.FORK
    assert str(evidence_of(state)) in alarm.stderr
    evidence = evidence_of(state).read_text()
    for note in (SampleLog(LEAVES[:300]).note(), SampleLog(OTHER).note()):
        assert note in evidence
    assert state.read_bytes() == remembered, "the first checkpoint is not forgotten"

    grow(log, LEAVES)
    assert look(log, state).exit_code == Exit.FORK, "an alarm does not go away by itself"
    evidence_of(state).unlink()
    assert look(log, state).exit_code == Exit.VERIFIED


def test_another_root_for_the_same_size_is_a_fork(log: Path, state: Path) -> None:
    look(log, state)
    grow(log, OTHER[:300])
    assert look(log, state).exit_code == Exit.FORK


def test_an_older_checkpoint_is_no_proof_and_no_news(log: Path, state: Path) -> None:
    grow(log, LEAVES)
    look(log, state)
    (log / "checkpoint").write_text(SampleLog(LEAVES[:300]).note())
    stale = look(log, state)
    assert stale.exit_code == Exit.STALE
    assert "could not be checked: the log shows a checkpoint of 300 entries" in stale.stderr
    assert json.loads(state.read_text())["note"] == SampleLog(LEAVES).note()
    (log / "checkpoint").write_text(SampleLog(OTHER[:300]).note())
    assert look(log, state).exit_code == Exit.FORK, "older and contradicting is a fork all the same"


def test_an_older_checkpoint_without_the_tiles_to_compare_is_stale(log: Path, state: Path) -> None:
    grow(log, LEAVES)
    look(log, state)
    for file in (log / "tile").rglob("*.p/*"):
        file.unlink()
    (log / "checkpoint").write_text(SampleLog(LEAVES[:300]).note())
    assert look(log, state).exit_code == Exit.STALE


def test_damaged_tiles_are_no_fork_and_are_not_remembered(log: Path, state: Path) -> None:
    look(log, state)
    grow(log, LEAVES)
    (log / "tile/1/000.p/2").write_bytes(bytes(64))
    assert look(log, state).exit_code == Exit.PROOF
    assert json.loads(state.read_text())["note"] == SampleLog(LEAVES[:300]).note()


def test_a_checkpoint_by_a_stranger_is_refused(log: Path, state: Path) -> None:
    (log / "checkpoint").write_text(sign(SampleLog(LEAVES[:300]).checkpoint().note_text(), STRANGERS_KEY))
    assert look(log, state).exit_code == Exit.SIGNATURE
    assert not state.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version":2,"note":""}', b'{"version":1,"note":5}', b"\xff", b"[" * 99_999],
)
def test_a_damaged_memory_is_never_taken_for_a_first_look(log: Path, state: Path, content: bytes) -> None:
    look(log, state)
    state.write_bytes(content)
    assert look(log, state).exit_code == Exit.UNREADABLE
    assert state.read_bytes() == content


def test_a_memory_signed_by_a_former_key_needs_that_key(log: Path, state: Path) -> None:
    look(log, state)
    new_key = verifier_key(STRANGERS_KEY)
    (log / "checkpoint").write_text(sign(SampleLog(LEAVES[:300]).checkpoint().note_text(), STRANGERS_KEY))
    with pytest.raises(CheckFailure, match="cannot be opened with your keys") as failure:
        follow_once(str(log), Trust((new_key,)), state, now=NOW)
    assert failure.value.exit_code is Exit.UNREADABLE
    assert follow_once(str(log), Trust((new_key, *KEYS)), state, now=NOW).step == "unchanged"


def test_a_crash_while_remembering_leaves_the_old_memory(
    log: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(log, state)
    before = state.read_bytes()
    grow(log, LEAVES)

    def crash(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    assert look(log, state).exit_code == Exit.UNREADABLE
    assert state.read_bytes() == before
    assert sorted(path.name for path in state.parent.iterdir()) == ["seen.json", "seen.json.lock"]


def test_a_place_that_cannot_be_written_is_said(log: Path) -> None:
    assert look(log, Path("/proc/nowhere/seen.json")).exit_code == Exit.UNREADABLE


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_service_looks_until_it_is_asked_to_end(log: Path, state: Path, ending: signal.Signals) -> None:
    with running(log, state, "--interval", "86400") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["step"] == "first"
        process.send_signal(ending)
        assert process.wait(timeout=30) == Exit.VERIFIED


def test_a_service_ends_with_a_fork(log: Path, state: Path) -> None:
    with running(log, state, "--interval", "1") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["step"] == "first"
        grow(log, OTHER[:300])
        assert json.loads(process.stdout.readline())["error"] == "fork"
        assert process.wait(timeout=30) == Exit.FORK


def running(log: Path, state: Path, *options: str) -> "subprocess.Popen[str]":
    sources = [str(ROOT / "services" / name / "src") for name in ("ledger_format", "verify")]
    command = [sys.executable, "-m", "amply_verify", "follow", str(log), "--state", str(state), "--json"]
    return subprocess.Popen(
        [*command, "--key", str(KEYS[0]), *options],
        env={"PYTHONPATH": os.pathsep.join(sources), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_checkpoint_without_its_witnesses_is_refused_and_remembered(log: Path, state: Path) -> None:
    """What the log has signed once, it cannot take back: neither what follows with witnesses nor what has none either."""
    watched = Trust(tuple(KEYS), sample_policy())
    with pytest.raises(QuorumError):
        follow_once(str(log), watched, state, now=NOW)
    assert json.loads(state.read_text())["note"] == SampleLog(LEAVES[:300]).note()
    grow(log, OTHER)
    with pytest.raises(CheckFailure) as fork:
        follow_once(str(log), watched, state, now=NOW)
    assert fork.value.exit_code is Exit.FORK
