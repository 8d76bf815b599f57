"""Image processing by Pillow: implements `images.ImageProcessor`, each image in a subprocess of its own.

Decoders are written in C and read what strangers send. The process (`reencode.py`) has none of this one's variables, a limit
of memory and of seconds of a processor, and can write no file; what brings it down brings down nothing else. It is no jail: it
runs as the same user.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from amply.infra.database import forbid_transaction
from amply.modules.images import PIXELS_MAX, GeneratedFile, ImageRefused, Refusal, Shape

_PROGRAM: Final = Path(__file__).with_name("reencode.py")
_PATIENCE_SECONDS: Final = 60
_MEMORY_BYTES: Final = 512 * 1024 * 1024
_PROCESSOR_SECONDS: Final = 20
_REFUSED: Final = 3
"""The exit code that means the file is at fault; all others are our failures, and retried."""
_BY_THE_FILE: Final = {
    *(signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGXCPU)
}
"""Signals that mean a file crashed the decoder. Not SIGKILL, which is the OOM killer."""


class ImageProcessingFailed(Exception):
    """The subprocess failed for a reason that is not known to be the file's fault."""


class PillowImageProcessor:
    """Processes one image at a time, which bounds the memory in use."""

    def __init__(self) -> None:
        self._one = threading.Lock()

    def make(self, content: bytes, shape: Shape) -> Sequence[GeneratedFile]:
        """Decode, and re-encode in each size: only pixels survive, no metadata."""
        forbid_transaction("Pillow: make an image")
        order = {
            "sizes": [[size.width, size.height] for size in shape.sizes],
            "covers": shape.covers,
            "fallback": shape.fallback,
            "pixels_max": PIXELS_MAX,
            "memory_bytes": _MEMORY_BYTES,
            "processor_seconds": _PROCESSOR_SECONDS,
        }
        with self._one:
            ended = subprocess.run(  # noqa: S603 -- our own program, told in numbers
                [sys.executable, "-I", str(_PROGRAM), json.dumps(order)],
                input=content,
                capture_output=True,
                timeout=_PATIENCE_SECONDS,
                env={},
                check=False,
            )
        if ended.returncode == _REFUSED:
            raise ImageRefused(Refusal(ended.stdout.decode("ascii")))
        if -ended.returncode in _BY_THE_FILE:
            raise ImageRefused(Refusal.UNREADABLE)
        if ended.returncode != 0:
            raise ImageProcessingFailed(
                f"it ended with {ended.returncode}: {ended.stderr[-500:].decode(errors='replace')}"
            )
        return list(_made(ended.stdout))


def _made(said: bytes) -> Iterator[GeneratedFile]:
    """A line about each file, and as many bytes as it says."""
    while said:
        line, _, rest = said.partition(b"\n")
        about = json.loads(line)
        content, said = rest[: about["bytes"]], rest[about["bytes"] :]
        yield GeneratedFile(
            media_type=about["media_type"], width=about["width"], height=about["height"], content=content
        )
