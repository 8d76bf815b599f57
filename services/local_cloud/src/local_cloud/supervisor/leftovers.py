"""Finds and ends the processes of a run whose supervisor is gone.

The kernel kills the supervisor's own children with it, but not what they had started. Those carry the run's
name in their environment.
"""

import os
import select
import signal
from contextlib import suppress
from pathlib import Path

from local_cloud.supervisor.process import RUN_VARIABLE

_ROUNDS_MAX = 10
_END_SECONDS_MAX = 5.0


def find(run: Path) -> list[int]:
    """The pids of all processes that belong to this run, except ourselves."""
    mark = f"{RUN_VARIABLE}={run}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and mark in _environment(pid)]


def kill(run: Path) -> list[int]:
    """Kill until none is left, since a process may start another while we look; answer what could not be killed."""
    for _ in range(_ROUNDS_MAX):
        pids = find(run)
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            _wait_for_end(pid)
        if not pids:
            return []
    return find(run)


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _wait_for_end(pid: int) -> None:
    with suppress(OSError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [], _END_SECONDS_MAX)
        finally:
            os.close(descriptor)
