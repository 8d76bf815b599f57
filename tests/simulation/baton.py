"""Cooperative scheduling of threads: only the holder of the baton runs, and yields it at every seam.

Who runs next, and what happens to it there, is decided by one place alone: so a seed replays a schedule exactly.
"""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Final

_START: Final = "start"


class Died(BaseException):
    """What SIGKILL looks like from inside: nothing catches it."""


class Fate(StrEnum):
    """What happens to an actor at a seam."""

    GO = "go on"
    DIE = "killed"
    FAIL = "fails before it is done"
    LOSE = "is done, the answer is lost"
    LATE = "is done when nobody waits any more"
    REPEAT = "is done, the answer is lost, the client repeats it"


class Actor:
    """One process of the platform, as a thread. `work` runs its real code; `name` is also its connections' name."""

    def __init__(self, name: str, work: Callable[["Actor"], None]) -> None:
        self.name: Final = name
        self.at = _START
        self.choices: tuple[Fate, ...] = ()
        self.has_ended = False
        self.closed: list[int] = []
        """Backends whose connections it closed; they release what they held a moment later."""

        self.failure: BaseException | None = None
        self._work = work
        self._is_doomed = False
        self._fate = Fate.GO
        self._may_go = threading.Semaphore(0)
        self._has_arrived = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        """Start the thread, which waits at its first seam."""
        self._thread.start()
        self._has_arrived.acquire()

    def reach(self, point: str, *choices: Fate) -> Fate:
        """Called by the actor's own thread at a seam: hand the baton back, and learn what happens here.

        Raises:
            Died: This process was killed; also at every later seam that its unwinding passes.
        """
        if not self._is_doomed:
            self.at, self.choices = point, choices
            self._has_arrived.release()
            self._may_go.acquire()
        if self._is_doomed:
            raise Died
        return self._fate

    def send(self, fate: Fate) -> None:
        """Hand it the baton."""
        self._fate = fate
        self._is_doomed = fate is Fate.DIE
        self._may_go.release()

    def has_arrived(self, *, within_seconds: float) -> bool:
        """Whether it has reached its next seam, or its end."""
        return self._has_arrived.acquire(timeout=within_seconds)

    def _run(self) -> None:
        try:
            self.reach(_START)
            self._work(self)
        except Died:
            pass
        except BaseException as error:  # noqa: BLE001 -- told by whoever holds the schedule
            if not self._is_doomed:
                self.failure = error
        finally:
            self.has_ended = True
            self._has_arrived.release()
