"""What must be there before a command does anything, and whose it must be."""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud import cli, doctor
from local_cloud.clean import remove_everything
from local_cloud.failures import LocalCloudError
from local_cloud.settings import PROJECT_ROOT, Settings
from stacks.local_ports import LocalPorts

NEEDED = ("node_modules/.bin/cdk", ".venv-cloud/bin/python", "services/widgets/dist/index.html", "app.py")
SYSTEM = "a refusal of the system"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a checkout in which everything is there."""
    for name in (*NEEDED, "path/node"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "prefix", str(PROJECT_ROOT / ".venv"))
    return Settings(state=tmp_path / "state", ports=LocalPorts(), root=tmp_path)


@pytest.fixture
def somebody_elses(settings: Settings) -> Iterator[Settings]:
    """A run whose directory the person who asks may not write to; root is somebody else while it lasts."""
    settings.state.mkdir()
    if os.geteuid() != 0:
        settings.state.chmod(0o500)
        yield settings
        return
    os.setreuid(65534, 0)
    yield settings
    os.setreuid(0, 0)


def _said(settings: Settings) -> str:
    with pytest.raises(LocalCloudError) as refused:
        doctor.require_everything(settings)
    return refused.value.sentence


def test_nothing_is_said_where_nothing_is_missing(settings: Settings) -> None:
    doctor.require_everything(settings)
    settings.prepare()
    doctor.require_everything(settings)
    doctor.require_own(settings)


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("path/node", "Node.js is missing: install Node 20 or newer."),
        ("node_modules/.bin/cdk", "The CDK command line is missing: type 'make setup'."),
        (".venv-cloud/bin/python", "The emulated cloud's environment is missing: type 'make setup'."),
    ],
)
def test_what_is_missing_is_named_with_what_to_type(settings: Settings, gone: str, sentence: str) -> None:
    (settings.root / gone).unlink()
    assert _said(settings) == sentence


def test_without_widgets_or_an_app_nothing_begins(settings: Settings) -> None:
    (settings.root / "app.py").unlink()
    assert _said(settings).startswith(f"There is no CDK app in {settings.root}")
    (settings.root / "services/widgets/dist/index.html").unlink()
    (settings.root / "services/widgets/dist").rmdir()
    assert _said(settings) == "The widgets are not built: type 'make setup'."


def test_another_system_than_linux_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _said(settings).startswith("The laptop cloud runs on Linux only")


def test_a_file_where_the_run_should_be_is_named(settings: Settings) -> None:
    settings.state.touch()
    assert _said(settings) == f"{settings.state} is a file: set AMPLY_LOCAL_DIR to a folder."


def test_a_run_of_another_user_is_named_with_the_user_before_anything_is_done(
    somebody_elses: Settings,
) -> None:
    owner = somebody_elses.state.owner()
    belongs = f"{somebody_elses.state} belongs to {owner}: type the command as that user (root: with sudo)"
    assert _said(somebody_elses).startswith(belongs)
    with pytest.raises(LocalCloudError, match=r"belongs to .*: type the command as that user"):
        doctor.require_own(somebody_elses)


def test_a_run_that_cannot_be_made_there_is_refused(somebody_elses: Settings) -> None:
    below = Settings(state=somebody_elses.state / "run", ports=LocalPorts(), root=somebody_elses.root)
    doctor.require_own(below)
    assert _said(below).startswith(f"{below.state} cannot be made by this user: set AMPLY_LOCAL_DIR")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_does_not_run_what_another_user_began_and_may_end_it(settings: Settings) -> None:
    settings.state.mkdir()
    os.chown(settings.state, 65534, 65534)
    assert _said(settings) == (
        f"{settings.state} belongs to nobody: type the command as that user, without sudo."
    )
    doctor.require_own(settings)


def test_a_copied_environment_acts_on_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/copy/.venv")
    with pytest.raises(LocalCloudError, match=rf"/copy/\.venv was copied from {PROJECT_ROOT}"):
        doctor.require_own(settings)


def test_an_environment_on_another_disk_that_is_linked_here_is_this_checkouts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.root / "another" / "disk").mkdir(parents=True)
    (settings.root / ".venv").symlink_to(settings.root / "another" / "disk")
    monkeypatch.setattr(doctor, "PROJECT_ROOT", settings.root.resolve())
    monkeypatch.setattr(sys, "prefix", str(settings.root / ".venv"))
    doctor.require_own(settings)


def test_what_has_gone_while_it_was_looked_at_belongs_to_nobody(settings: Settings) -> None:
    settings.prepare()
    (settings.state / "socket").symlink_to("gone")
    doctor.require_own(settings)


def test_nothing_begins_in_a_folder_that_holds_something_else(settings: Settings) -> None:
    settings.state.mkdir()
    doctor.require_everything(settings)
    (settings.state / "letters").touch()
    assert _said(settings).startswith(f"{settings.state} holds something else than a run of this platform")


@pytest.mark.parametrize("other", [".git", "Makefile"])
def test_a_folder_that_is_not_a_runs_alone_is_never_removed(
    other: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.state.mkdir()
    (settings.state / "letters").touch()
    refusal = f"{settings.state} is no run of this platform, or holds more than that, and is left as it is"
    assert _typed("clean", settings, monkeypatch, capsys).startswith(refusal)
    settings.prepare()
    (settings.state / other).touch()
    assert _typed("clean", settings, monkeypatch, capsys).startswith(refusal)
    assert (settings.state / "letters").exists()


def refused(folder: Path) -> None:
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(folder))


def test_what_cannot_be_removed_is_told_and_the_rest_is_still_a_run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = Settings(state=settings.root / "behind", ports=settings.ports, root=settings.root)
    behind.prepare()
    settings.state.symlink_to(behind.state)
    with pytest.raises(LocalCloudError, match=r"could not be removed .*: mend that, then type the same"):
        remove_everything(settings)
    settings.state.unlink()
    with monkeypatch.context() as refusing:
        refusing.setattr(shutil, "rmtree", refused)
        with pytest.raises(LocalCloudError, match=r"could not be removed \(Device or resource busy\)"):
            remove_everything(behind)
    assert behind.holds_a_run, "the command can be repeated"
    remove_everything(behind)
    assert not behind.state.exists()


@pytest.mark.parametrize("command", ["status", "logs", "stop", "clean", "demo", "demo-payments", "destroy"])
def test_every_command_asks_first_whose_run_it_is(
    command: str,
    somebody_elses: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "belongs to" in _typed(command, somebody_elses, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(13, SYSTEM, "/a/file"), f"/a/file: {SYSTEM}; type the command as the user whom"),
        (OSError(28, SYSTEM), f"{SYSTEM}; make room, then type the same command again."),
        (OSError(30, SYSTEM, "/a/file"), f"/a/file: {SYSTEM}; set AMPLY_LOCAL_DIR to a folder on another"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    error: OSError,
    sentence: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _refused_by_the_system(error, monkeypatch)
    assert _typed("stop", settings, monkeypatch, capsys).startswith(sentence)


def test_any_other_refusal_is_a_defect_and_is_shown_whole(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _refused_by_the_system(IsADirectoryError(21, SYSTEM), monkeypatch)
    with pytest.raises(IsADirectoryError):
        _typed("stop", settings, monkeypatch, capsys)


def _refused_by_the_system(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_settings: Settings) -> None:
        raise error

    monkeypatch.setattr(doctor, "require_own", refuse)


def _typed(
    command: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """The one sentence that a command says when it ends with exit status 1."""
    monkeypatch.setattr(sys, "argv", ["local_cloud", command])
    monkeypatch.setenv("AMPLY_LOCAL_DIR", str(settings.state))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    return capsys.readouterr().err.strip()
