"""Control protocol of the supervisor: JSON lines over a Unix socket in the state directory.

The socket is reached through `/proc/self/fd`, since the kernel allows its path 107 bytes and a checkout may lie deep.
Only the owner of the state directory can connect.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_cloud.inputs import digest

_SOCKET = "supervisor.socket"
_PID = "supervisor.pid"
_REQUEST_BYTES_MAX = 1_000_000
_ANSWER_SECONDS_MAX = 10.0
_START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the name in parentheses (proc(5), field 22)

Request = dict[str, Any]
Answer = dict[str, Any]


@contextmanager
def listening(run: Path) -> Iterator[socket.socket]:
    with _short_path(run) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        Path(path).unlink(missing_ok=True)
        listener.bind(path)
        listener.listen()
        yield listener


def answer_one(listener: socket.socket, answer: Callable[[Request], Answer]) -> None:
    """Answer one request; a client that sends nonsense or goes away does not harm the supervisor."""
    connection, _ = listener.accept()
    connection.settimeout(_ANSWER_SECONDS_MAX)
    with connection, connection.makefile("rwb") as stream:
        try:
            request = json.loads(stream.readline(_REQUEST_BYTES_MAX))
            stream.write(json.dumps(answer(request)).encode() + b"\n")
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f"a request was not understood: {error!r}", flush=True)  # noqa: T201 -- standard output is the log


def ask(run: Path, request: Request) -> Answer:
    """Send one request to the supervisor of a run.

    Raises:
        OSError: There is none, or it does not answer.
    """
    with _short_path(run) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_SECONDS_MAX)
        connection.connect(path)
        with connection.makefile("rwb") as stream:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
            line = stream.readline()
    if not line:
        raise ConnectionResetError("the supervisor did not answer")
    answer: Answer = json.loads(line)
    return answer


def write_pid(run: Path) -> None:
    """Note who we are: the pid with its start time, since pids are used again, and what code we run."""
    pid = os.getpid()
    noted = {"pid": pid, "started": _start_time(pid), "code": our_code()}
    (run / _PID).write_text(json.dumps(noted))


def forget(run: Path) -> None:
    for name in (_PID, _SOCKET):
        (run / name).unlink(missing_ok=True)


def our_code() -> str:
    """A digest of the supervisor's own source."""
    return digest([Path(__file__).parent])


def running_code(run: Path) -> str | None:
    """The code that the noted supervisor runs."""
    noted = _noted(run)
    return noted.get("code") if noted else None


def running_pid(run: Path) -> int | None:
    """The supervisor's pid, when that process is still the one that wrote it, and wrote it here.

    It works in its run's directory: in a copy of that, its pid is noted and another run's.
    """
    noted = _noted(run)
    if noted is None:
        return None
    pid = int(noted["pid"])
    return pid if _start_time(pid) == noted["started"] and _works_in(pid, run) else None


def _noted(run: Path) -> dict[str, Any] | None:
    try:
        noted: dict[str, Any] = json.loads((run / _PID).read_text())
    except (OSError, ValueError):
        return None
    return noted


def _start_time(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_START_TIME_FIELD]


def _works_in(pid: int, run: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(run)
    except OSError:
        return False


@contextmanager
def _short_path(run: Path) -> Iterator[str]:
    directory = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{_SOCKET}"
    finally:
        os.close(directory)
