"""Reads untrusted Parquet files, each in a subprocess of its own: a crash of the decoder takes down nothing else.

The process (`rows.py`) has none of this one's variables, a limit of memory and of seconds of a processor, and can write no
file. It is no jail: it runs as the same user.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from amply.infra.database import forbid_transaction
from amply.modules.ingestion import EXPANDED_BYTES_MAX, ROWS_MAX, FileReason, FileRefused, Pieces

_PROGRAM: Final = Path(__file__).with_name("rows.py")
_MEMORY_BYTES: Final = 384 * 1024 * 1024
"""Memory beyond the program itself and the file."""
_PROCESSOR_SECONDS: Final = 120
"""CPU time. A task has 300 seconds, and may begin files during its first minute."""
_PIECE: Final = 1024 * 1024
_REFUSED: Final = {
    3: FileReason.UNREADABLE,
    4: FileReason.TOO_LARGE,
    5: FileReason.TOO_MANY_ROWS,
    6: FileReason.COLUMNS_DIFFER,
}
"""Exit codes that mean the file is at fault; all others are our failures, and retried."""
_BY_THE_FILE: Final = {
    *(signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGXCPU)
}
"""Signals that mean a file crashed the decoder. Not SIGKILL, which is the OOM killer."""
_ALLOCATES: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}
"""Makes allocators reserve no more than is used, since the limit counts reserved memory."""


class OpeningFailed(Exception):
    """The subprocess failed for a reason that is not known to be the file's fault."""


class ParquetRows:
    """Opens one file at a time, which bounds the memory in use."""

    def __init__(self) -> None:
        self._one = threading.Lock()

    @contextmanager
    def open(self, file: Pieces, columns: Sequence[str]) -> Iterator[Pieces]:
        """Stream a file's rows as JSON lines."""
        forbid_transaction("Parquet: read a file")
        order = {
            "columns": list(columns),
            "rows": ROWS_MAX,
            "expanded_bytes": EXPANDED_BYTES_MAX,
            "memory_bytes": _MEMORY_BYTES,
            "processor_seconds": _PROCESSOR_SECONDS,
        }
        with (
            self._one,
            subprocess.Popen(  # noqa: S603 -- our own program, told in numbers and names
                [sys.executable, "-I", str(_PROGRAM), json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ALLOCATES,
            ) as program,
        ):
            try:
                _feed(program, file)
                yield _Lines(program)
            finally:
                # A reader that has enough need not wait for the subprocess.
                program.kill()
                _close_input(program)


def _feed(program: subprocess.Popen[bytes], file: Pieces) -> None:
    """All of the file: the program reads it whole before it says anything."""
    if program.stdin is None:
        raise OpeningFailed("it has no input")
    while piece := file.read(_PIECE):
        # If it ended early, reading from it reports why.
        with suppress(BrokenPipeError):
            program.stdin.write(piece)
    _close_input(program)


def _close_input(program: subprocess.Popen[bytes]) -> None:
    """What it holds is for a program that may have ended."""
    if program.stdin is not None:
        with suppress(BrokenPipeError):
            program.stdin.close()


class _Lines:
    """The subprocess's output, which knows at its end whether it was complete."""

    def __init__(self, program: subprocess.Popen[bytes]) -> None:
        self._program = program

    def read(self, size: int, /) -> bytes:
        """Read at most this many bytes; empty at the end."""
        output = self._program.stdout
        piece = output.read1(size) if output is not None else b""  # type: ignore[attr-defined] # a BufferedReader
        if piece:
            return bytes(piece)
        code = self._program.wait()
        if code in _REFUSED:
            raise FileRefused(_REFUSED[code])
        if -code in _BY_THE_FILE:
            raise FileRefused(FileReason.UNREADABLE)
        if code != 0:
            raise OpeningFailed(f"it ended with {code}")
        return b""
