"""Client of the supervisor for `up`, `status` and `stop`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_cloud.failures import LocalCloudError
from local_cloud.supervisor import control, leftovers
from local_cloud.supervisor.part import Part
from local_cloud.supervisor.running import PartStatus, State

_START_SECONDS_MAX = 30.0
_END_SECONDS_MAX = 90.0
_POLL_SECONDS = 0.1
_ENDS_BEFORE_GIVING_UP = 3


@dataclass(frozen=True, kw_only=True)
class Client:
    """A run's supervisor as seen from a command; `log` is where the supervisor writes about itself."""

    run: Path
    log: Path

    def start(self) -> None:
        """Ensure that a supervisor with this code runs; an older one is ended first with its leftovers."""
        if self.is_running() and control.running_code(self.run) == control.our_code():
            return
        self.end()
        with self.log.open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "local_cloud.supervisor.daemon", str(self.run)],
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                cwd=self.run,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
        if not _becomes(self._answers, seconds=_START_SECONDS_MAX):
            raise LocalCloudError("The supervisor did not start.", log=self.log)

    def is_running(self) -> bool:
        return control.running_pid(self.run) is not None and self._answers()

    def ensure(self, *parts: Part) -> bool:
        """Ensure that these parts run as specified and are healthy. Returns whether one was (re)started.

        Raises:
            LocalCloudError: One kept ending, or was not well within its start period; the sentence names it.
        """
        ends = {part.name: self._ends(part) for part in parts}
        changed = {
            part.name: bool(self._ask({"do": "ensure", "part": part.to_json()})["changed"]) for part in parts
        }
        for part in parts:
            self._wait_until_healthy(part, since=0 if changed[part.name] else ends[part.name])
        return any(changed.values())

    def retire_all_but(self, names: Collection[str]) -> None:
        """Stop parts that are no longer specified."""
        for part in self.status():
            if part.name not in names:
                self._ask({"do": "retire", "name": part.name})

    def status(self) -> list[PartStatus]:
        if not self.is_running():
            return []
        parts = self._ask({"do": "status"})["parts"]
        return [PartStatus(**{**part, "state": State(part["state"])}) for part in parts]

    def end(self) -> None:
        """Stop all parts and the supervisor, with any leftovers."""
        pid = control.running_pid(self.run)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if not _becomes(lambda: control.running_pid(self.run) is None, seconds=_END_SECONDS_MAX):
                os.kill(pid, signal.SIGKILL)
        remaining = leftovers.kill(self.run)
        control.forget(self.run)
        if remaining:
            raise LocalCloudError(f"Processes {remaining} could not be stopped: they belong to another user.")

    def _wait_until_healthy(self, part: Part, *, since: int) -> None:
        deadline = time.monotonic() + part.health.start_period + part.health.timeout
        while time.monotonic() < deadline:
            now = self._part(part.name)
            if now is not None and now.fingerprint == part.fingerprint():
                if now.state is State.HEALTHY:
                    return
                if now.restarts - since >= _ENDS_BEFORE_GIVING_UP:
                    raise LocalCloudError(
                        f"The part {part.name} keeps ending ({_exit_words(now.last_exit)}).",
                        log=Path(part.log),
                    )
            time.sleep(_POLL_SECONDS)
        raise LocalCloudError(
            f"The part {part.name} was not well after {part.health.start_period:.0f} seconds.",
            log=Path(part.log),
        )

    def _ends(self, part: Part) -> int:
        status = self._part(part.name)
        return status.restarts if status else 0

    def _part(self, name: str) -> PartStatus | None:
        return next((part for part in self.status() if part.name == name), None)

    def _answers(self) -> bool:
        try:
            control.ask(self.run, {"do": "status"})
        except OSError:
            return False
        return True

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return control.ask(self.run, request)
        except OSError as error:
            raise LocalCloudError(f"The supervisor does not answer: {error}.", log=self.log) from error


def _exit_words(code: int | None) -> str:
    if code is None:
        return "without a status"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _becomes(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(_POLL_SECONDS)
    return condition()
