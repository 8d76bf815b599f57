"""Heartbeat of the worker for its container health check."""

from functools import partial
from typing import Any, Final

from celery import Celery, bootsteps

from amply.infra.heartbeat import beat

_BEAT_SECONDS: Final = 10


def show_life(app: Celery, heartbeat_path: str) -> None:
    """Beat from the consumer's own timer, so that a stuck worker falls silent."""

    class Life(bootsteps.StartStopStep):  # type: ignore[misc] # celery ships no types
        requires = {"celery.worker.components:Timer"}  # noqa: RUF012 -- celery's own idiom

        def start(self, worker: Any) -> None:
            beat(heartbeat_path)
            worker.timer.call_repeatedly(_BEAT_SECONDS, partial(beat, heartbeat_path))

    app.steps["worker"].add(Life)
