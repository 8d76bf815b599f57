"""Polling with a timeout."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Polls every `seconds_between` up to `minutes_max`, immediately at first."""

    minutes_max: float
    seconds_between: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def looks(self) -> Iterator[int]:
        for look in range(1 + int(self.minutes_max * 60 / self.seconds_between)):
            if look:
                self.sleep(self.seconds_between)
            yield look
