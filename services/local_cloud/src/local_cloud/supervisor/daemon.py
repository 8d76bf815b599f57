"""The supervisor itself: `python -m local_cloud.supervisor.daemon STATE_DIRECTORY`."""

import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any

from local_cloud.supervisor import control, leftovers, logs
from local_cloud.supervisor.part import Part
from local_cloud.supervisor.running import RunningPart, State

_TICK_SECONDS = 0.1
_LOG_CHECK_SECONDS = 30.0


class Supervisor:
    """Holds the parts in the order they were started, and answers requests between ticks."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._parts: dict[str, RunningPart] = {}
        self._replacements: dict[str, Part] = {}
        self._retiring: set[str] = set()
        self._is_ending = False
        self._next_log_check = 0.0

    def end(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self._is_ending = True

    def serve(self, listener: socket.socket) -> None:
        """Supervise and answer requests until asked to end; then stop the parts in reverse order."""
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            while not self._is_ending:
                if selector.select(_TICK_SECONDS):
                    control.answer_one(listener, self._answer)
                self._tick()
        self._stop_all()

    def _tick(self) -> None:
        now = monotonic()
        for name, running in list(self._parts.items()):
            running.tick(now)
            if running.state is State.STOPPED and name in self._retiring:
                self._retiring.remove(name)
                del self._parts[name]
            elif running.state is State.STOPPED and name in self._replacements:
                self._parts[name] = RunningPart(self._replacements.pop(name), run=self._run, now=now)
        if now >= self._next_log_check:
            self._next_log_check = now + _LOG_CHECK_SECONDS
            logs.rotate(Path(running.part.log) for running in self._parts.values())

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        now = monotonic()
        match request["do"]:
            case "ensure":
                return {"changed": self._ensure(Part.from_json(request["part"]), now)}
            case "retire":
                self._retiring.add(request["name"])
                self._parts[request["name"]].stop(now)
        return {"parts": [asdict(running.status(now)) for running in self._parts.values()]}

    def _ensure(self, part: Part, now: float) -> bool:
        """Run this part as described; a running one that differs is stopped first. Says whether it differed."""
        self._retiring.discard(part.name)
        running = self._parts.get(part.name)
        if running is None or running.state is State.STOPPED:
            self._parts[part.name] = RunningPart(part, run=self._run, now=now)
            return True
        if running.part.fingerprint() == part.fingerprint():
            return False
        self._replacements[part.name] = part
        running.stop(now)
        return True

    def _stop_all(self) -> None:
        """In reverse: what uses a part ends before it."""
        self._replacements.clear()
        for running in reversed(self._parts.values()):
            running.stop(monotonic())
            while running.state is not State.STOPPED:
                running.tick(monotonic())
                sleep(_TICK_SECONDS)
        leftovers.kill(self._run)


def main(run: Path) -> None:
    lock = (run / "supervisor.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("A supervisor of this run exists already.")
    guard = _start_guard(run)
    supervisor = Supervisor(run)
    signal.signal(signal.SIGTERM, supervisor.end)
    signal.signal(signal.SIGINT, supervisor.end)
    with control.listening(run) as listener:
        control.write_pid(run)
        supervisor.serve(listener)
    _dismiss(guard)
    lock.close()
    # Last: whoever no longer finds us noted starts the next one at once, which needs the lock and no guard of ours.
    control.forget(run)


def _start_guard(run: Path) -> subprocess.Popen[bytes]:
    """A process that outlives us only to end what we might leave behind; it waits for this pipe to close."""
    return subprocess.Popen(
        [sys.executable, "-m", "local_cloud.supervisor.guard", str(run)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _dismiss(guard: subprocess.Popen[bytes]) -> None:
    guard.communicate(timeout=30)


def _leave_the_terminal() -> None:
    """Live on by ourselves: whoever typed the command gets the prompt back."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)


if __name__ == "__main__":
    _leave_the_terminal()
    main(Path(sys.argv[1]))
