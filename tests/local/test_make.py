"""What people type, in a folder with a space in its name and with another project's environment active."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.settings import Settings
from tests.local.makes_checkout import Checkout, checkout_in

ENVIRONMENTS = (".venv", ".venv-cloud", ".venv-peers")
MISFIT = "What is installed here is half made, or was made for another folder or another Python"


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stubs") / "bin"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, stubs: Path) -> Checkout:
    return checkout_in(tmp_path_factory.mktemp("fresh") / "a b", stubs=stubs)


@pytest.fixture
def checkout(fresh: Checkout, tmp_path: Path) -> Checkout:
    return fresh.copied(tmp_path / "a b")


@pytest.fixture(scope="module")
def first(fresh: Checkout, tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, list[str]]:
    """A checkout that was set up while another project's environment was active, and what was called for it."""
    checkout = fresh.copied(tmp_path_factory.mktemp("first") / "a b")
    done = checkout.make("setup", VIRTUAL_ENV="/another", CONDA_PREFIX="/another", PYTHONPATH="/another")
    assert done.returncode == 0, done.stderr
    return checkout, checkout.called()


@pytest.fixture
def set_up(first: tuple[Checkout, list[str]], tmp_path: Path) -> Checkout:
    return first[0].copied(tmp_path / "a b").as_if_set_up_here()


@pytest.fixture
def run(set_up: Checkout) -> Iterator["subprocess.Popen[bytes]"]:
    """A supervisor that runs in the checkout, as far as others can see it: its note, and where it works."""
    set_up.run.mkdir(parents=True)
    (set_up.run / "data").touch()
    process = subprocess.Popen(["sleep", "600"], cwd=set_up.run)
    (set_up.run / "supervisor.pid").write_text(json.dumps({"pid": process.pid, "started": "", "code": ""}))
    yield process
    process.kill()
    process.wait()


def _made_anew(calls: list[str]) -> list[str]:
    """The environments, in the order in which they were made."""
    return [call.rpartition(" -> ")[0].rpartition(" ")[2] for call in calls if " venv " in call]


def test_everything_is_installed_into_the_folders_own_environments(
    first: tuple[Checkout, list[str]],
) -> None:
    checkout, calls = first
    installed = [call.rpartition(" -> ")[2] for call in calls if call.startswith("uv pip install")]
    assert installed == [".venv", ".venv", ".venv-cloud", ".venv-peers"]
    assert _made_anew(calls) == [*ENVIRONMENTS]
    assert checkout.make("setup").returncode == 0
    assert checkout.called() == []


def test_commands_see_nothing_of_another_projects_modules(set_up: Checkout) -> None:
    assert set_up.make("status", PYTHONPATH="/another").stdout == "local_cloud status, modules of None\n"


def test_a_moved_folder_makes_its_environments_anew(set_up: Checkout, tmp_path: Path) -> None:
    moved = Checkout(set_up.folder.rename(tmp_path / "elsewhere"), set_up.stubs)
    assert MISFIT in moved.make("status").stderr
    assert moved.make("setup").returncode == 0
    assert _made_anew(moved.called()) == [*ENVIRONMENTS]
    assert moved.make("status").returncode == 0


def test_another_interpreter_makes_them_anew(set_up: Checkout) -> None:
    for name in ENVIRONMENTS:
        python = set_up.folder / name / "bin" / "python"
        python.unlink()
        python.symlink_to("/nowhere/python3.9")
    assert MISFIT in set_up.make("logs").stderr
    assert set_up.make("setup").returncode == 0
    assert _made_anew(set_up.called()) == [*ENVIRONMENTS]


def test_an_environment_that_is_a_link_to_anothers_leaves_that_alone(
    set_up: Checkout, tmp_path: Path
) -> None:
    other = set_up.copied(tmp_path / "other")
    shutil.rmtree(other.folder / ".venv")
    (other.folder / ".venv").symlink_to(set_up.folder / ".venv")
    assert other.make("setup").returncode == 0
    assert _made_anew(set_up.called()) == [*ENVIRONMENTS]
    assert set_up.make("setup").returncode == 0
    assert set_up.called() == []


@pytest.mark.parametrize("command", ["status", "logs"])
def test_where_nothing_is_set_up_one_sentence_says_so(checkout: Checkout, command: str) -> None:
    done = checkout.make(command)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "Nothing is set up; type 'make local'."


@pytest.mark.parametrize("command", ["status", "logs"])
def test_of_a_half_made_environment_one_sentence_says_what_to_type(set_up: Checkout, command: str) -> None:
    (set_up.folder / ".venv" / "ready").unlink()
    done = set_up.make(command)
    assert done.stderr.splitlines()[0] == f"{MISFIT}: 'make setup' makes it anew."
    assert set_up.called() == []


def test_a_copy_ends_and_removes_nothing_of_the_original(
    set_up: Checkout, run: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    copy = set_up.copied(tmp_path / "copy")
    for command in ("stop", "clean"):
        done = copy.make(command)
        assert (done.returncode, done.stdout) == (0, "Nothing runs.\n")
        assert MISFIT in done.stderr
    assert run.poll() is None
    assert set_up.called() == []
    assert [path.name for path in (copy.folder / ".venv", copy.folder / "var") if path.exists()] == []
    assert (set_up.run / "data").exists()


def test_what_runs_is_ended_without_an_environment(set_up: Checkout, run: "subprocess.Popen[bytes]") -> None:
    (set_up.folder / ".venv" / "ready").unlink()
    done = set_up.make("stop")
    assert (done.returncode, done.stdout) == (0, "Stopped.\n")
    assert run.wait() < 0
    assert (set_up.run / "data").exists()


def test_what_lost_its_supervisor_is_ended_and_everything_removed(set_up: Checkout) -> None:
    shutil.rmtree(set_up.folder / ".venv")
    set_up.run.mkdir(parents=True)
    left = subprocess.Popen(["sleep", "600"], env={"AMPLY_LOCAL_RUN": str(set_up.run)})
    done = set_up.make("clean")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Stopped.\n", "")
    assert left.wait() < 0
    assert sorted(path.name for path in set_up.folder.glob("*") if path.name in {"var", "node_modules"}) == []


def test_who_comes_later_waits_and_installs_nothing_twice(checkout: Checkout) -> None:
    with (checkout.folder / ".ci" / "in-turn").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        waiting = subprocess.Popen(
            ["make", "setup"],
            cwd=checkout.folder,
            env=checkout.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert waiting.stderr is not None
        assert waiting.stderr.readline().startswith("Another make installs into this folder")
        assert checkout.make("IN_TURN=1", "setup").returncode == 0
        checkout.called()
    assert waiting.communicate()[1] == ""
    assert waiting.returncode == 0
    assert checkout.called() == []


def test_a_step_that_fails_says_why_and_what_to_do_next(checkout: Checkout) -> None:
    (checkout.stubs / "no-network").touch()
    done = checkout.make("node_modules/ready")
    assert done.returncode == 2
    why, sentence, *_ = done.stderr.splitlines()
    assert why == "npm error network is unreachable"
    told, _, log = sentence.partition(", and in ")
    assert told == "The step 'CDK command line' failed (exit status 1); all it said is above"
    path, _, then = log.partition(". ")
    assert then == "Mend what it names, then type the same command again."
    assert Path(path).read_text() == f"{why}\n"
    Path(path).unlink()
    (checkout.stubs / "no-network").unlink()


@pytest.mark.parametrize("command", ["setup", "demo", "status", "uninstall"])
def test_what_this_user_may_not_write_to_is_named_with_its_owner_and_left_alone(
    set_up: Checkout, command: str
) -> None:
    environment = set_up.folder / ".venv"
    (environment / "ready").unlink()
    (environment / "uv").unlink()
    environment.chmod(0o500)
    done = set_up.make(command, without_privileges=True)
    assert done.stderr.splitlines()[0] == (
        ".venv is not writable: change its mode (chmod u+w) or its disk's, then type the same command again."
    )
    assert (environment / "bin").exists()
    assert set_up.called() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_belongs_to_another_user_is_named_with_that_user(set_up: Checkout) -> None:
    (set_up.folder / ".venv" / "ready").unlink()
    os.chown(set_up.folder / ".venv", 65534, 65534)
    assert set_up.make("status", without_privileges=True).stderr.splitlines()[0] == (
        ".venv belongs to nobody: type the command as that user (root: with sudo)."
    )


def test_what_runs_is_ended_before_what_it_runs_from_is_made_anew(
    set_up: Checkout, run: "subprocess.Popen[bytes]"
) -> None:
    assert set_up.make("setup").returncode == 0
    assert run.poll() is None
    # As those of earlier versions were.
    (set_up.folder / ".venv" / "uv").write_text("")
    done = set_up.make("setup")
    assert (done.returncode, run.poll()) == (0, -signal.SIGTERM)
    assert done.stderr.startswith("The platform was stopped, because what it runs from is made anew")
    assert (set_up.run / "data").exists()
    assert ".venv" in _made_anew(set_up.called())


def test_an_environment_that_somebody_else_made_is_left_with_a_word(checkout: Checkout) -> None:
    own = checkout.folder / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert checkout.make("setup").stderr.startswith(".venv was not made by 'make setup', which needs that")
    assert checkout.make("clean").stderr.splitlines()[-1] == (
        ".venv was not made by 'make setup' and is left as it is."
    )
    assert own.exists()


def test_a_half_made_environment_of_ours_is_mended(checkout: Checkout) -> None:
    (checkout.stubs / "no-network").touch()
    assert checkout.make("setup").returncode == 2
    (checkout.stubs / "no-network").unlink()
    assert checkout.make("setup").returncode == 0
    assert _made_anew(checkout.called()) == [".venv", *ENVIRONMENTS]


@pytest.mark.parametrize("name", ["{}/", "./{}", "/{}//.", "up/../{}"])
def test_a_run_is_found_however_its_folder_is_written(set_up: Checkout, name: str, tmp_path: Path) -> None:
    (set_up.folder / ".venv" / "ready").unlink()
    is_absolute = name.startswith("/")
    written = name.format(str(tmp_path / "run")[1:] if is_absolute else "run")
    marked = Settings.from_environment({"AMPLY_LOCAL_DIR": str(set_up.folder / written)}).state
    left = subprocess.Popen(["sleep", "600"], env={"AMPLY_LOCAL_RUN": str(marked)})
    done = set_up.make("stop", AMPLY_LOCAL_DIR=written)
    left.kill()
    left.wait()
    assert (done.returncode, done.stdout) == (0, "Stopped.\n")


@pytest.mark.parametrize("holds", [(), ("up.lock", ".git"), ("supervisor.lock", "Makefile")])
def test_a_folder_that_is_not_a_runs_alone_is_never_removed(
    set_up: Checkout, holds: tuple[str, ...], tmp_path: Path
) -> None:
    (set_up.folder / ".venv" / "ready").unlink()
    home = tmp_path / "home"
    home.mkdir()
    for name in ("letters", *holds):
        (home / name).touch()
    done = set_up.make("clean", AMPLY_LOCAL_DIR=str(home))
    assert done.stderr.startswith(f"{home} is no run of this platform, or holds more than that, and is left")
    assert {path.name for path in home.iterdir()} == {"letters", *holds}


def test_a_run_in_a_folder_of_its_own_is_removed_alone(set_up: Checkout, tmp_path: Path) -> None:
    (set_up.folder / ".venv" / "ready").unlink()
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "up.lock").touch()
    assert set_up.make("clean", AMPLY_LOCAL_DIR=f"{beside}/").returncode == 0
    assert not beside.exists()
    assert (set_up.folder / ".venv").exists()


def test_without_flock_nothing_is_removed(set_up: Checkout, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "flock" and not (set_up.stubs / program.name).exists():
            (programs / program.name).symlink_to(program)
    set_up.run.mkdir(parents=True)
    done = set_up.make("clean", PATH=f"{set_up.stubs}:{programs}")
    assert done.stderr.startswith("flock is missing: apt-get install util-linux.")
    assert set_up.called() == []
    assert set_up.run.exists()
