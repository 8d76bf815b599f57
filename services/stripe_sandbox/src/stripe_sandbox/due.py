"""Threads that run due work: they sleep until then, or until woken."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0
_AFTER_FAILURE_SECONDS = 1.0
_SHORTEST_WAIT_SECONDS = 0.01


class DueLoop:
    """Calls `work` in its threads. It returns the seconds until it should be called again; None: when woken."""

    def __init__(self, name: str, work: Callable[[], float | None], *, threads: int = 1) -> None:
        self._work = work
        self._changed = threading.Condition()
        self._generation = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start with what is due already."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something may have become due."""
        with self._changed:
            self._generation += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Let the work under way finish, and return when it has."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                seen = self._generation
            seconds = self._attempt()
            with self._changed:
                # A wake-up during the work must not be slept through.
                if seconds != 0 and self._generation == seen and not self._stopping:
                    self._changed.wait(_IDLE_SECONDS if seconds is None else _bounded(seconds))

    def _attempt(self) -> float | None:
        try:
            return self._work()
        except Exception:  # noqa: BLE001  # work that cannot be done must not end the thread, and with it all others
            _log.exception("due work failed")
            return _AFTER_FAILURE_SECONDS


def _bounded(seconds: float) -> float:
    return min(max(seconds, _SHORTEST_WAIT_SECONDS), _IDLE_SECONDS)
