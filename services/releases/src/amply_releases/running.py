"""The main loop: messages as they arrive, datasets three times a minute, and a heartbeat."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from amply_lake import LakeError
from amply_releases.arrivals import DONATIONS
from amply_releases.buyer_releases import MADE
from amply_releases.failures import Failures
from amply_releases.lines import FAILED, NOT_TAKEN, WAITS, say
from amply_releases.making import turn
from amply_releases.message_intake import take
from amply_releases.ports import ArrivalQueue, NotCopiedError, Parts
from amply_releases.startup_repair import RepairStep, look_once

LOOK_EVERY: Final = timedelta(seconds=20)
AGAIN_AFTER: Final = timedelta(minutes=10)
"""When a dataset that failed is looked at again."""
COPIED_AFTER: Final = timedelta(minutes=2)
"""When it is looked again whether the second region has a release."""
COPIED_WITHIN: Final = timedelta(minutes=30)
"""S3 takes seconds as a rule, and may take a quarter of an hour; what takes longer has failed."""
_PAUSE_SECONDS: Final = 5
_BEAT_SECONDS: Final = 10
_NO_DATASET: Final = ""
"""What is told of under no dataset's name: that contracts and grants cannot be read, for which buyers of all datasets wait, and
withdrawals do not; or the list of datasets, for which everything waits."""
STUCK_AFTER: Final = timedelta(hours=2)
"""Longer than the largest release takes: a loop that has not turned for so long falls silent, and is replaced."""


@dataclass(kw_only=True)
class Loop:
    """One process's work. Killed anywhere, another one goes on."""

    parts: Parts
    queue: ArrivalQueue
    clock: Callable[[], datetime]
    stopping: threading.Event = field(default_factory=threading.Event)
    turned_at: datetime = field(init=False)
    _looked_at: datetime | None = None
    _not_before: dict[str, datetime] = field(default_factory=dict)
    _looked_at_once: set[str] = field(default_factory=set)
    _put_right: dict[str, set[RepairStep]] = field(default_factory=dict)
    _finished: set[str] = field(default_factory=set)
    """Datasets whose last turn was this process's, and left nothing undone."""
    _waits_since: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.turned_at = self.clock()

    def run(self) -> None:
        """Go on until told to stop."""
        while not self.stopping.is_set():
            self.once()

    def once(self) -> None:
        """Take what has come, and look at the datasets when it is time."""
        self.turned_at = now = self.clock()
        self._take(now)
        known = self._known() if self._is_time(now) else ()
        granted = self._granted(now) if known else {}
        for dataset_id in known:
            if self.stopping.is_set():
                return
            self._turn(dataset_id, granted.get(dataset_id, ()))
        if known:
            self._looked_at = now

    def _take(self, now: datetime) -> None:
        """What has come. A queue that does not answer stops nothing but that: who has withdrawn is looked for all the same."""
        try:
            take(self.parts, self.queue, now=now)
        except Exception as error:  # noqa: BLE001 -- the cloud is away, and comes back; what was not taken comes again
            self._not_taken(error)

    def _known(self) -> Sequence[str]:
        """All datasets; that of donors first, so that no seller's files hold up who withdraws. None, where that could not be asked:
        then no withdrawal is honoured either, which is told of as a release that fails.
        """
        try:
            known = self.parts.datasets.known()
        except Exception as error:  # noqa: BLE001 -- told of, and asked again
            say(FAILED, dataset=_NO_DATASET, error=type(error).__name__, why="")
            self._not_taken(error)
            return ()
        return sorted(known, key=lambda dataset_id: (dataset_id != DONATIONS, dataset_id))

    def _not_taken(self, error: Exception) -> None:
        say(NOT_TAKEN, why=type(error).__name__)
        self.stopping.wait(_PAUSE_SECONDS)

    def _is_time(self, now: datetime) -> bool:
        return self._looked_at is None or now - self._looked_at >= LOOK_EVERY

    def _granted(self, now: datetime) -> Mapping[str, Sequence[str]]:
        """Who may read what now; nobody for a while, where that could not be asked."""
        if now < self._not_before.get(_NO_DATASET, now):
            return {}
        try:
            return self.parts.buyers.granted(now=now)
        except Exception as error:  # noqa: BLE001 -- told of, and tried again
            self._failed(_NO_DATASET, error)
            return {}

    def _turn(self, dataset_id: str, buyers: Sequence[str]) -> None:
        """One dataset; whatever stops it must not stop the others."""
        self.turned_at = now = self.clock()
        if now < self._not_before.get(dataset_id, now):
            return
        is_unfinished = dataset_id not in self._finished
        self._finished.discard(dataset_id)
        try:
            self._do(dataset_id, buyers, now, is_unfinished=is_unfinished)
        except NotCopiedError as error:
            if error.has_shown:
                self._waits_since.pop(dataset_id, None)
            self._wait(dataset_id, now)
        except Exception as error:  # noqa: BLE001 -- told of, and tried again: what was decided is in the ledger
            self._failed(dataset_id, error)
        else:
            self._finished.add(dataset_id)
            self._waits_since.pop(dataset_id, None)

    def _do(self, dataset_id: str, buyers: Sequence[str], now: datetime, *, is_unfinished: bool) -> None:
        """What a process that begins has to put right stops nothing that is due."""
        failures = Failures()
        if dataset_id not in self._looked_at_once:
            with failures.collected():
                look_once(self.parts, dataset_id, self._put_right.setdefault(dataset_id, set()), now=now)
                self._looked_at_once.add(dataset_id)
        with failures.collected():
            try:
                turn(self.parts, dataset_id, buyers, now=now, is_unfinished=is_unfinished)
            finally:
                self._leave_nothing_of(dataset_id)
        failures.raise_worst()

    def _failed(self, dataset_id: str, error: Exception) -> None:
        why = str(error) if isinstance(error, LakeError) else ""
        say(FAILED, dataset=dataset_id, error=type(error).__name__, why=why)
        # From now on, and not from its beginning: a turn may take longer than the pause.
        self._not_before[dataset_id] = self.clock() + AGAIN_AFTER

    def _wait(self, dataset_id: str, now: datetime) -> None:
        """For the second region; what is told as failed is still tried as often."""
        since = self._waits_since.setdefault(dataset_id, now)
        if now - since > COPIED_WITHIN:
            why = "the second region does not have it; look at the replication of the lake's buckets"
            say(FAILED, dataset=dataset_id, error=NotCopiedError.__name__, why=why)
        else:
            say(WAITS, dataset=dataset_id)
        self._not_before[dataset_id] = self.clock() + COPIED_AFTER

    def _leave_nothing_of(self, dataset_id: str) -> None:
        """The disk is for one dataset at a time; the next turn finds as much here as another process would."""
        shutil.rmtree(self.parts.scratch / MADE / dataset_id, ignore_errors=True)
        self.parts.ledgers.drop_copies(dataset_id)


def show_life(loop: Loop, path: str) -> None:
    """Beat from a thread of its own: a release takes longer than a container may be silent."""

    def beating() -> None:
        while loop.clock() - loop.turned_at < STUCK_AFTER:
            Path(path).touch()
            if loop.stopping.wait(_BEAT_SECONDS):
                return

    if path:
        threading.Thread(target=beating, name="life", daemon=True).start()
