"""Lifecycle of one supervised process: start, health checks, restart, stop."""

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from local_cloud.supervisor import process
from local_cloud.supervisor.part import Part
from local_cloud.supervisor.policy import Restarts

_STARTING_INTERVAL_SECONDS = 0.3
"""Until it is well for the first time a part is asked often: people wait for it."""


class State(StrEnum):
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    WAITING = "waiting to restart"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """What people are shown of a part. Seconds are since it last started."""

    name: str
    state: State
    pid: int | None
    seconds: float
    restarts: int
    last_exit: int | None
    fingerprint: str


class RunningPart:
    """The state of one part; `tick(now)` moves it on and never blocks. `now` is monotonic seconds."""

    def __init__(self, part: Part, *, run: Path, now: float) -> None:
        self.part = part
        self.state = State.WAITING
        self._run = run
        self._process: subprocess.Popen[bytes] | None = None
        self._probe: subprocess.Popen[bytes] | None = None
        self._restarts = Restarts()
        self._last_exit: int | None = None
        self._failed_probes = 0
        self._started_at = self._next_start = self._next_probe = self._probe_ends = self._kill_at = now

    def status(self, now: float) -> PartStatus:
        return PartStatus(
            name=self.part.name,
            state=self.state,
            pid=self._process.pid if self._process else None,
            seconds=round(now - self._started_at, 1) if self._process else 0.0,
            restarts=self._restarts.total,
            last_exit=self._last_exit,
            fingerprint=self.part.fingerprint(),
        )

    def tick(self, now: float) -> None:
        if self._process is None:
            if self.state is State.WAITING and now >= self._next_start:
                self._start(now)
            return
        if self._process.poll() is not None:
            self._ended(now)
        elif self.state is State.STOPPING:
            if now >= self._kill_at:
                process.kill_session(self._process)
        elif self._probe is not None:
            self._read_probe(now)
        elif now >= self._next_probe:
            self._start_probe(now)

    def stop(self, now: float) -> None:
        """Terminate it; killed after its grace period. Not restarted."""
        if self._process is None:
            self.state = State.STOPPED
            return
        self.state = State.STOPPING
        self._kill_at = now + self.part.stop_seconds
        with suppress(ProcessLookupError):
            self._process.send_signal(self.part.stop_signal)

    def _start(self, now: float) -> None:
        self._started_at = self._next_probe = now
        try:
            self._process = process.start(self.part, run=self._run)
        except OSError as error:
            # Its program or its directory is gone, as while the installation is made anew: it is tried again.
            self._say(f"it could not be started: {error}")
            self._last_exit = None
            self._try_again(now)
            return
        self.state = State.STARTING
        self._failed_probes = 0

    def _start_probe(self, now: float) -> None:
        try:
            self._probe = process.start_probe(self.part, run=self._run)
        except OSError as error:
            self._say(f"its health check could not be started: {error}")
            self._unwell(now)
            return
        self._probe_ends = now + self.part.health.timeout

    def _ended(self, now: float) -> None:
        assert self._process is not None  # noqa: S101 -- tick asked it
        self._last_exit = self._process.returncode
        process.kill_session(self._process)
        self._drop_probe()
        self._process = None
        if self.state is State.STOPPING:
            self.state = State.STOPPED
            return
        self._try_again(now)

    def _try_again(self, now: float) -> None:
        self._restarts = self._restarts.after_end(ran_seconds=now - self._started_at)
        self._next_start = now + self._restarts.delay_seconds()
        self.state = State.WAITING

    def _read_probe(self, now: float) -> None:
        assert self._probe is not None  # noqa: S101 -- tick asked it
        answer = self._probe.poll()
        if answer is None and now < self._probe_ends:
            return
        self._drop_probe()
        if answer == 0:
            self._failed_probes = 0
            self.state = State.HEALTHY
            self._next_probe = now + self.part.health.interval
        else:
            self._unwell(now)

    def _unwell(self, now: float) -> None:
        health = self.part.health
        if self.state is State.STARTING and now - self._started_at < health.start_period:
            self._next_probe = now + _STARTING_INTERVAL_SECONDS
            return
        self._failed_probes += 1
        self._next_probe = now + health.interval
        self.state = State.UNHEALTHY
        if self._failed_probes >= health.retries and self._process is not None:
            # ECS replaces a task that stays unhealthy; what ends here is started again.
            process.kill_session(self._process)

    def _say(self, sentence: str) -> None:
        """In the part's own log, where people look; the log's folder may be gone as well."""
        with suppress(OSError), Path(self.part.log).open("a") as log:
            print(f"supervisor: {sentence}", file=log)

    def _drop_probe(self) -> None:
        if self._probe is not None:
            process.kill_session(self._probe)
            self._probe.wait()
            self._probe = None
