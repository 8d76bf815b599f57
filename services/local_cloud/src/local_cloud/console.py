"""Console output: each step with its duration, as it happens."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TextIO

_WORDS = 48


@dataclass
class StepResult:
    """A step's result, shown after its duration."""

    result: str = ""


class Steps:
    """Prints steps in columns with their durations, and remembers those by name."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, words: str) -> Iterator[StepResult]:
        """Time the block; on failure the line is left without a duration."""
        if self._out.isatty():
            self._write(f"  {words:<{_WORDS}} …\r")
        told, start = StepResult(), monotonic()
        try:
            yield told
        except BaseException:
            self._write(f"  {words:<{_WORDS}} failed\n")
            raise
        seconds = monotonic() - start
        self.seconds[name] = round(seconds, 2)
        self._write(f"  {words:<{_WORDS}} {seconds:5.1f} s   {told.result}".rstrip() + "\n")

    def say(self, text: str = "") -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
