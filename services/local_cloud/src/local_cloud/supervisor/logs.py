"""One log a part: kept to a size, followed by people."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

_BYTES_MAX = 20 * 1024 * 1024


def rotate(paths: Iterable[Path], *, bytes_max: int = _BYTES_MAX) -> None:
    """Move a full log aside, keeping one older one. Parts append, so they write on into the emptied file."""
    for path in paths:
        if path.exists() and path.stat().st_size > bytes_max:
            path.with_suffix(".log.1").write_bytes(path.read_bytes())
            with path.open("r+b") as log:
                log.truncate(0)


@dataclass
class Follower:
    """Reads what is appended to some logs, from their last lines on."""

    paths: dict[str, Path]
    lines_before: int = 20
    _open: dict[str, BinaryIO] = field(default_factory=dict)

    def new_lines(self) -> Iterator[tuple[str, str]]:
        """Every whole (part, line) since the last call. A log that appears or is emptied is read from its start."""
        for name, path in self.paths.items():
            if name not in self._open:
                if not path.exists():
                    continue
                self._open[name] = path.open("rb")
                yield from ((name, line) for line in self._last_lines(self._open[name]))
            log = self._open[name]
            if log.tell() > path.stat().st_size:
                log.seek(0)
            while (line := log.readline()).endswith(b"\n"):
                yield name, line.decode(errors="replace").rstrip("\n")
            log.seek(-len(line), 1)

    def _last_lines(self, log: BinaryIO) -> list[str]:
        whole, _, unfinished = log.read().rpartition(b"\n")
        log.seek(-len(unfinished), 1)
        lines = whole.decode(errors="replace").splitlines()
        return lines[-self.lines_before :] if self.lines_before else []
