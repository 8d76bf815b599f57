"""What people see while they wait: each step in words, with its time, as it goes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO


class Steps:
    """Prints steps in the same columns as `make setup` does, and remembers their seconds by name."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, words: str | None = None) -> Iterator[None]:
        """Time what happens inside; a failure leaves the line without a time and passes through."""
        words = words or name
        if self._out.isatty():
            self._write(f"  {words:<58} …\r")
        start = monotonic()
        try:
            yield
        except BaseException:
            self._write(f"  {words:<58} failed\n")
            raise
        seconds = monotonic() - start
        self.seconds[name] = round(seconds, 2)
        self._write(f"  {words:<58} {seconds:5.1f} s\n")

    def say(self, text: str = "") -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
