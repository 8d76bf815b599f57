"""The supervisor with real small processes."""

import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings
from local_cloud.supervisor import control, leftovers
from local_cloud.supervisor.client import Client
from local_cloud.supervisor.part import Health, Part
from local_cloud.supervisor.running import RunningPart, State
from local_cloud.up import alone
from stacks.local_ports import LocalPorts
from tests.faults.waiting import within

WELL = Health(command=("true",), interval=0.2, start_period=60.0)
SLEEPS = "import time; time.sleep(600)"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    client = Client(run=tmp_path, log=tmp_path / "supervisor.log")
    client.start()
    yield client
    client.end()


def part(client: Client, name: str, program: str, *, health: Health = WELL, inputs: str = "") -> Part:
    return Part(
        name=name,
        command=(sys.executable, "-c", program),
        environment={"PATH": os.environ["PATH"]},
        directory=str(client.run),
        log=str(client.run / f"{name}.log"),
        health=health,
        inputs=inputs,
        stop_seconds=1.0,
    )


def eventually(condition: Callable[[], bool], *, seconds: float = 90.0) -> bool:
    """Whether a condition comes true; the bound only ends a broken test."""
    return bool(within(seconds, condition))


def pid_of(client: Client, name: str) -> int:
    pid = next(status.pid for status in client.status() if status.name == name)
    assert pid is not None
    return pid


def test_a_part_runs_until_the_end_and_leaves_nothing(client: Client) -> None:
    client.ensure(part(client, "sleeper", SLEEPS))
    pid = pid_of(client, "sleeper")
    client.end()
    assert not Path(f"/proc/{pid}").exists()
    assert not client.is_running()
    assert leftovers.find(client.run) == []


def test_an_unchanged_part_is_left_alone_and_a_changed_one_restarted(client: Client) -> None:
    assert client.ensure(part(client, "sleeper", SLEEPS))
    first = pid_of(client, "sleeper")
    assert not client.ensure(part(client, "sleeper", SLEEPS))
    assert pid_of(client, "sleeper") == first
    assert client.ensure(part(client, "sleeper", SLEEPS, inputs="new code"))
    assert pid_of(client, "sleeper") != first


def test_a_part_that_is_killed_is_started_again(client: Client) -> None:
    client.ensure(part(client, "sleeper", SLEEPS))
    first = pid_of(client, "sleeper")
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: client.status()[0].restarts == 1 and client.status()[0].state is State.HEALTHY)
    assert pid_of(client, "sleeper") != first
    assert client.status()[0].last_exit == -signal.SIGKILL


def test_a_part_that_keeps_ending_is_named_with_its_last_words(client: Client) -> None:
    with pytest.raises(LocalCloudError, match=r"The part broken keeps ending \(exit status 3\)") as failure:
        client.ensure(
            part(
                client, "broken", "print('no such table', flush=True); raise SystemExit(3)", health=NEVER_WELL
            )
        )
    assert "no such table" in failure.value.last_log_lines()


NEVER_WELL = Health(command=("false",), interval=0.1, start_period=20.0)


def test_a_part_that_turns_unwell_is_replaced(client: Client, tmp_path: Path) -> None:
    wellness = tmp_path / "well"
    wellness.touch()
    health = Health(command=("test", "-e", str(wellness)), interval=0.05, retries=2, start_period=1.0)
    client.ensure(part(client, "moody", SLEEPS, health=health))
    first = pid_of(client, "moody")
    wellness.unlink()
    # It may be started more than once before anybody looks.
    assert eventually(lambda: client.status()[0].restarts >= 1)
    wellness.touch()
    assert eventually(lambda: client.status()[0].state is State.HEALTHY)
    assert pid_of(client, "moody") != first


def test_a_part_that_ignores_the_polite_signal_is_killed(client: Client) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    client.ensure(part(client, "stubborn", stubborn))
    assert eventually(lambda: "deaf" in (client.run / "stubborn.log").read_text())
    client.end()
    assert leftovers.find(client.run) == []


def test_killing_the_supervisor_leaves_neither_parts_nor_what_they_started(client: Client) -> None:
    starts_another = (
        "import subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True);"
        "print('started', flush=True); time.sleep(600)"
    )
    # Not asked again meanwhile: who asks is one of its processes, too.
    seldom = Health(command=("true",), interval=600.0, start_period=60.0)
    client.ensure(part(client, "parent", starts_another, health=seldom))
    assert eventually(lambda: "started" in (client.run / "parent.log").read_text())
    assert len(leftovers.find(client.run)) == 2
    supervisor = control.running_pid(client.run)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert eventually(lambda: leftovers.find(client.run) == [])


def test_a_part_that_nobody_describes_any_more_is_retired(client: Client) -> None:
    client.ensure(part(client, "kept", SLEEPS), part(client, "retired", SLEEPS))
    pid = pid_of(client, "retired")
    client.retire_all_but({"kept"})
    assert eventually(lambda: [status.name for status in client.status()] == ["kept"])
    assert not Path(f"/proc/{pid}").exists()


def test_a_supervisor_of_older_code_is_replaced(client: Client) -> None:
    client.ensure(part(client, "sleeper", SLEEPS))
    noted = client.run / "supervisor.pid"
    older = {**json.loads(noted.read_text()), "code": "older"}
    noted.write_text(json.dumps(older))
    client.start()
    assert control.running_pid(client.run) != older["pid"]
    assert client.status() == []


def test_a_supervisor_that_is_noted_no_longer_leaves_room_for_the_next(client: Client) -> None:
    supervisor = control.running_pid(client.run)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGTERM)
    while control.running_pid(client.run) is not None:
        pass  # a pause would hide what is held for a moment more
    with (client.run / "supervisor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_second_supervisor_of_the_same_run_is_not_started(client: Client) -> None:
    first = control.running_pid(client.run)
    client.start()
    assert control.running_pid(client.run) == first


def test_the_note_of_a_copied_run_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = tmp_path / "original"
    original.mkdir()
    monkeypatch.chdir(original)
    control.write_pid(original)
    copy = shutil.copytree(original, tmp_path / "copy")
    moved = original.rename(tmp_path / "moved")
    assert control.running_pid(moved) == os.getpid()
    assert control.running_pid(copy) is None


def _alone(run: Path, *command: str, health: tuple[str, ...]) -> RunningPart:
    """A part without a supervisor: who asks says what time it is."""
    described = Part(
        name="lonely",
        command=command,
        environment={"PATH": os.environ["PATH"]},
        directory=str(run),
        log=str(run / "lonely.log"),
        health=Health(command=health, interval=1.0, retries=2, start_period=0.0),
    )
    return RunningPart(described, run=run, now=0.0)


def _await_end(running: RunningPart) -> None:
    pid = running.status(2.0).pid
    assert pid is not None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    running.tick(2.0)


def test_a_program_that_is_gone_is_an_end_and_tried_again(tmp_path: Path) -> None:
    running = _alone(tmp_path, str(tmp_path / "program"), health=("true",))
    for now in (0.0, 0.1, 0.5):
        running.tick(now)
    assert (running.state, running.status(0.5).restarts) == (State.WAITING, 2)
    assert "it could not be started: [Errno 2]" in (tmp_path / "lonely.log").read_text()
    (tmp_path / "program").symlink_to("/bin/true")
    running.tick(1.5)
    assert running.state is State.STARTING
    _await_end(running)


def test_a_health_check_that_is_gone_is_a_failed_one(tmp_path: Path) -> None:
    running = _alone(tmp_path, "sleep", "600", health=(str(tmp_path / "probe"),))
    for now in (0.0, 0.1):
        running.tick(now)
    states = [running.status(0.1).state]
    running.tick(1.1)
    _await_end(running)  # it was killed, to be replaced
    assert [*states, running.status(2.0).state] == [State.UNHEALTHY, State.WAITING]
    assert "its health check could not be started" in (tmp_path / "lonely.log").read_text()


def test_two_commands_that_change_a_run_are_told_to_take_turns(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, ports=LocalPorts())
    with (
        alone(settings),
        pytest.raises(LocalCloudError, match="wait until it is done, then type it again"),
        alone(settings),
    ):
        pass


def test_nonsense_on_the_socket_does_not_end_the_supervisor(client: Client) -> None:
    with pytest.raises(ConnectionResetError):
        control.ask(client.run, {"do": "retire", "name": "nobody"})
    assert client.is_running()
