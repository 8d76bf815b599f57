"""Help, completion, the manual page, colour and progress: what stands between a person and a check."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from amply_verify.cli import cli
from amply_verify.outcome import Exit
from tests.verify.conftest import ROOT
from tests.verify.ledger_samples import verifier_key
from tests.verify.log_files import Pen, write_log

COMMANDS = sorted(cli.commands)
SOURCES = [str(ROOT / "services" / name / "src") for name in ("ledger_format", "verify")]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(SOURCES), "PATH": os.environ["PATH"], "TERM": "xterm-256color"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert f"amply-verify {name}" in result.stdout.partition("Examples:")[2]


def test_every_exit_code_is_told_in_the_help_and_in_the_readme() -> None:
    told = CliRunner().invoke(cli, ["--help"]).stdout
    readme = (ROOT / "services" / "verify" / "README.md").read_text()
    for code in Exit:
        assert f"{code.value} " in told, code
        assert f"| {code.value} |" in readme, code


def test_every_command_stands_in_the_readme() -> None:
    readme = (ROOT / "services" / "verify" / "README.md").read_text()
    for name in COMMANDS:
        assert f"amply-verify {name}" in readme, name


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands(shell: str) -> None:
    script = CliRunner().invoke(cli, ["completion", shell]).stdout
    assert "_AMPLY_VERIFY_COMPLETE" in script
    assert "amply-verify" in script


def test_bash_completes_a_command_s_name() -> None:
    script = subprocess.run(
        [sys.executable, "-m", "amply_verify", "completion", "bash"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    asked = f"""
        {script}
        COMP_WORDS=(amply-verify rec); COMP_CWORD=1
        _amply_verify_completion amply-verify
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**ENVIRONMENT, "PATH": f"{Path(sys.executable).parent}:{ENVIRONMENT['PATH']}"}
    done = subprocess.run(["bash", "-c", asked], env=environment, capture_output=True, text=True, check=False)
    assert sorted(done.stdout.split()) == ["receipt", "reconcile"], done.stderr


def test_the_manual_page_has_every_command_and_option() -> None:
    page = CliRunner().invoke(cli, ["manual"]).stdout
    for name in COMMANDS:
        assert f".SS {name} " in page, name
    for option in (
        r"\-\-state FILE",
        r"\-\-from N",
        r"\-\-key KEY_OR_FILE",
        "AMPLY_VERIFIER_KEY",
        "AMPLY_POLICY",
        "TMPDIR",
    ):
        assert option in page
    assert not any(
        line.startswith(".") and line[1:2].islower() and line[1:3] not in {"nf", "fi"}
        for line in page.splitlines()
    )
    assert "\n\n" not in page, "an empty line would show as one"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed here")
def test_the_manual_page_is_read_without_a_warning() -> None:
    page = CliRunner().invoke(cli, ["manual"]).stdout
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    pen = Pen()
    pen.many(300)
    write_log(tmp_path, pen.leaves)
    return tmp_path


def on_a_terminal(*arguments: str, stdout: bool) -> tuple[str, str]:
    """Run a command with standard error on a terminal, and standard output on it too or in a pipe; what each got."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "amply_verify", *arguments],
        env=ENVIRONMENT,
        stdout=slave if stdout else subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    shown = bytearray()
    while True:
        try:
            piece = os.read(master, 65_536)
        except OSError:  # the terminal's other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    piped, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown
    return shown.decode(), (piped or b"").decode()


def test_progress_and_colour_are_for_terminals(log: Path) -> None:
    command = ["audit", str(log), "--key", str(verifier_key())]
    shown, _ = on_a_terminal(*command, stdout=True)
    assert "entries" in shown.partition("OK")[0], "progress comes before the result"
    assert "\x1b[1;32mOK" in shown
    shown, piped = on_a_terminal(*command, stdout=False)
    assert "300/300" in shown
    assert piped.startswith("OK: ")
    assert "\x1b" not in piped


def test_nothing_but_the_result_is_written_where_there_is_no_terminal(log: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "amply_verify", "audit", str(log), "--key", str(verifier_key()), "--json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "\x1b" not in done.stdout
