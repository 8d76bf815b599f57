"""A real process that a test may kill and restart."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.waiting import until

_LINES_SHOWN, _LINE_CHARACTERS_SHOWN = 20, 600


@dataclass(kw_only=True)
class Process:
    """One command with its whole environment. `is_ready` says whether it does its work; the log outlives restarts."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[], bool]
    prepare: Callable[[], None] = field(default=lambda: None)
    _running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._running is not None, f"{self.name} was never started"
        return self._running.pid

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def launch(self) -> None:
        """Start it; it may not be ready yet."""
        assert not self.is_running, f"{self.name} runs already"
        self.prepare()
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                list(self.command),
                env=dict(self.environment),
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.is_running, f"{self.name} has ended: {self.log_tail()}"
            return self.is_ready()

        until(ready, otherwise=f"{self.name} is not ready: {self.log_tail()}")

    def start(self) -> None:
        """Start it and wait until it does its work."""
        self.launch()
        self.wait_until_ready()

    def kill(self) -> None:
        """SIGKILL: it cannot finish, flush or say goodbye."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(timeout=30)

    def stop(self) -> None:
        """SIGTERM, as the cloud stops a container; returns once it has ended."""
        assert self._running is not None, f"{self.name} was never started"
        self._running.terminate()
        self._running.wait(timeout=60)

    def log_tail(self) -> str:
        """What it said last."""
        if not self.log.exists():
            return "(no log)"
        lines = self.log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:]
        return "\n".join(line[:_LINE_CHARACTERS_SHOWN] for line in lines)
