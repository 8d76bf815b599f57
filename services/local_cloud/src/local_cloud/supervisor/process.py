"""Starts a process group that cannot outlive the supervisor, and ends it as a whole."""

import ctypes
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from local_cloud.postgres import unprivileged
from local_cloud.supervisor.part import Part

RUN_VARIABLE = "AMPLY_LOCAL_RUN"
"""Every process of a run inherits it with the run's state directory as value: how leftovers are recognised."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def start(part: Part, *, run: Path) -> subprocess.Popen[bytes]:
    """Start a part in a session of its own, its output appended to its log."""
    with Path(part.log).open("ab") as log:
        return subprocess.Popen(
            part.command,
            env={**part.environment, RUN_VARIABLE: str(run)},
            cwd=part.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_DieWith(os.getpid()),  # noqa: PLW1509 -- the supervisor has one thread
            **(unprivileged() if part.as_nobody else {}),
        )


def start_probe(part: Part, *, run: Path) -> subprocess.Popen[bytes]:
    """Start a part's health check; its exit status is the answer."""
    return subprocess.Popen(
        part.health.command,
        env={**part.environment, RUN_VARIABLE: str(run)},
        cwd=part.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_DieWith(os.getpid()),  # noqa: PLW1509 -- the supervisor has one thread
        **(unprivileged() if part.as_nobody else {}),
    )


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever of its group is left, at once."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class _DieWith:
    """Runs in the child before its program: asks the kernel to kill it when the supervisor ends."""

    def __init__(self, parent: int) -> None:
        self._parent = parent

    def __call__(self) -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._parent:
            # The supervisor ended before the request was made.
            os._exit(1)
