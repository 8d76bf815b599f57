"""Log files of the parts, rotated by size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

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
    _offsets: dict[str, int] = field(default_factory=dict)

    def new_lines(self) -> Iterator[tuple[str, str]]:
        """Every whole (part, line) since the last call. A log that appears or is emptied is read from its start."""
        for name, path in self.paths.items():
            if path.exists():
                yield from ((name, line) for line in self._read(name, path))

    def _read(self, name: str, path: Path) -> list[str]:
        is_first = name not in self._offsets
        offset = self._offsets.get(name, 0)
        if offset > path.stat().st_size:
            offset = 0
        with path.open("rb") as log:
            log.seek(offset)
            whole, newline, _unfinished = log.read().rpartition(b"\n")
        self._offsets[name] = offset + len(whole) + len(newline)
        lines = whole.decode(errors="replace").splitlines()
        return lines[-self.lines_before :] if is_first else lines
