"""`--policy` for the commands that read a whole log: enough witnesses, or exit code 15, or it is said that none was demanded."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amply_verify.cli import cli
from amply_verify.following import evidence_of
from amply_verify.outcome import Exit
from tests.verify.ledger_samples import ORGANIZATION, SampleLog, cosigned, sample_policy, verifier_key
from tests.verify.log_files import Pen, write_log
from tests.verify.log_server import log_server

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

KEY = str(verifier_key())
ENOUGH = ("harbour", "lantern")
TOO_FEW = ("harbour",)


def _leaves() -> list[bytes]:
    pen = Pen()
    pen.many(60)
    return pen.leaves


LEAVES = _leaves()
OTHER = [LEAVES[1], LEAVES[0], *LEAVES[2:]]

Arguments = Callable[[Path], Sequence[str | Path]]
COMMANDS: dict[str, Arguments] = {
    "audit": lambda place: [place / "log"],
    "org": lambda place: [place / "log", ORGANIZATION],
    "fsck": lambda place: [place / "log"],
    "consistency": lambda place: [place / "older", place / "log"],
    "follow": lambda place: [place / "log", "--state", place / "seen.json", "--once"],
}


def witnessed(directory: Path, leaves: Sequence[bytes], names: Sequence[str]) -> None:
    """Publish a log whose checkpoint these witnesses have cosigned."""
    log = write_log(directory, leaves)
    (directory / "checkpoint").write_text(cosigned(log.note(), *names))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a cosigned log in `log`, an older checkpoint of it in `older`, and a `policy` of two of three."""
    witnessed(tmp_path / "log", LEAVES, ENOUGH)
    (tmp_path / "older").write_text(cosigned(SampleLog(LEAVES[:20]).note(), *ENOUGH))
    (tmp_path / "policy").write_text(sample_policy().text())
    return tmp_path


def run(command: str, place: Path, *options: str | Path) -> Result:
    arguments = map(str, [command, *COMMANDS[command](place), *options])
    return CliRunner().invoke(cli, list(arguments), env={"AMPLY_VERIFIER_KEY": None, "AMPLY_POLICY": None})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_quorum_that_is_met_is_told(command: str, place: Path) -> None:
    told = run(command, place, "--policy", place / "policy")
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert told.exit_code == Exit.VERIFIED, told.stderr
    assert "witnesses demanded the quorum partners of the policy, which is met" in lines
    assert sum(line.startswith("witnessed by ") for line in lines) == 2
    assert "shown the same log" not in told.stdout
    document = json.loads(run(command, place, "--policy", place / "policy", "--json").stdout)
    signed = document["newer" if command == "consistency" else "checkpoint"]
    assert (signed["witnesses_demanded"], len(signed["witnesses"])) == (True, 2)


@pytest.mark.parametrize("command", COMMANDS)
def test_too_few_witnesses_are_refused(command: str, place: Path) -> None:
    witnessed(place / "log", LEAVES, TOO_FEW)
    told = run(command, place, "--policy", place / "policy")
    assert told.exit_code == Exit.QUORUM
    assert "are not enough for the policy's quorum" in told.stderr
    # What the log has signed is remembered though too few have witnessed it: it may not show another one later.
    assert (place / "seen.json").exists() == (command == "follow")


@pytest.mark.parametrize("command", COMMANDS)
def test_that_no_witness_was_demanded_is_said(command: str, place: Path) -> None:
    told = run(command, place, "--key", KEY)
    assert told.exit_code == Exit.VERIFIED, told.stderr
    assert "NONE: no policy was given (--policy)" in told.stdout
    assert "that others are shown the same log" in told.stdout


@pytest.fixture
def address() -> Iterator[str]:
    """A server with the log at `/enough` and, cosigned by one witness only, at `/few`."""
    log = SampleLog(LEAVES)
    with log_server() as running:
        for name, names in (("enough", ENOUGH), ("few", TOO_FEW)):
            files = log.files() | {"checkpoint": cosigned(log.note(), *names).encode()}
            running.serve(f"/{name}", files)
        yield running.address


def test_a_copy_is_made_of_what_enough_witnesses_have_seen(address: str, place: Path) -> None:
    def mirror(log: str, *options: str | Path) -> Result:
        arguments = ["mirror", f"{address}/{log}", place / "copy", *options]
        return CliRunner().invoke(cli, list(map(str, arguments)))

    assert mirror("few", "--policy", place / "policy").exit_code == Exit.QUORUM
    assert not (place / "copy" / "checkpoint").exists()
    told = mirror("enough", "--policy", place / "policy")
    assert told.exit_code == Exit.VERIFIED, told.stderr
    assert "which is met" in told.stdout
    kept = (place / "copy" / "checkpoint").read_text()
    assert kept == (place / "log" / "checkpoint").read_text(), "with the cosignatures"
    assert "NONE: no policy was given" in mirror("few", "--key", KEY).stdout


def test_a_fork_is_a_fork_whoever_has_cosigned(place: Path) -> None:
    """The log's own signatures prove it, so that it cannot hide behind a quorum that is not met."""
    policy = ("--policy", place / "policy")
    assert run("follow", place, *policy).exit_code == Exit.VERIFIED
    (place / "older").write_text(SampleLog(OTHER[:20]).note())
    assert run("consistency", place, *policy).exit_code == Exit.FORK
    witnessed(place / "log", OTHER, ())
    assert run("follow", place, *policy).exit_code == Exit.FORK
    assert evidence_of(place / "seen.json").exists()


def test_both_checkpoints_of_a_comparison_need_their_witnesses(place: Path) -> None:
    (place / "older").write_text(SampleLog(LEAVES[:20]).note())
    assert run("consistency", place, "--policy", place / "policy").exit_code == Exit.QUORUM


def test_what_was_seen_before_needs_no_witness_of_a_later_policy(place: Path) -> None:
    witnessed(place / "log", LEAVES[:20], ())
    assert run("follow", place, "--key", KEY).exit_code == Exit.VERIFIED
    witnessed(place / "log", LEAVES, ENOUGH)
    assert run("follow", place, "--policy", place / "policy").exit_code == Exit.VERIFIED


@pytest.mark.parametrize("command", COMMANDS)
def test_a_policy_that_is_none_checks_nothing(command: str, place: Path) -> None:
    (place / "policy").write_text("quorum x\n")
    assert run(command, place, "--policy", place / "policy").exit_code == Exit.NO_KEY
