"""Follows log files: each complete line is read once, also across restarts of the reader.

The supervisor keeps a log to a size: it copies a full one to `NAME.log.1` and empties it (`supervisor/logs.py`). The place in a log is
therefore remembered with the bytes before it. Where those are no longer there, the log was emptied, and what was not read
yet is read from the copy first. What two such turns took away before it was read is lost, or one where nothing had been read. Nothing of MiniStack is
imported here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

LINE_BYTES_MAX: Final = 256 * 1024
"""A longer line is passed over. It is also what is read at once."""
_PORTIONS_MAX: Final = 4
"""Of one log in one look; the rest waits for the next."""
_BEFORE_BYTES: Final = 64


@dataclass(frozen=True, kw_only=True)
class LogPosition:
    """How far a log was read.

    `before` are the last bytes that were, in hexadecimal. `is_aside`: in the copy of a log that was emptied. `skips`: within a line that is too long.
    """

    offset: int = 0
    before: str = ""
    is_aside: bool = False
    skips: bool = False

    def after(self, taken: bytes, *, skips: bool) -> "LogPosition":
        before = (bytes.fromhex(self.before) + taken)[-_BEFORE_BYTES:].hex()
        return replace(self, offset=self.offset + len(taken), before=before, skips=skips)


class Follower:
    """Follows the logs of a directory by name. A new log is read from its start."""

    def __init__(self, folder: Path, remembered: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """`remembered` is what `places` said; whoever remembers nothing begins at the end of what is there."""
        self._folder = folder
        self._places = {name: LogPosition(**place) for name, place in (remembered or {}).items()}
        if remembered is None:
            for path in folder.glob("*.log"):
                self.pass_over(path.stem)

    def places(self) -> dict[str, dict[str, Any]]:
        """Positions to persist, as JSON."""
        return {name: asdict(place) for name, place in self._places.items()}

    def new_lines(self, name: str) -> list[str]:
        """Whole lines since the last look: of a long way behind, the first megabyte."""
        found: list[bytes] = []
        for _ in range(_PORTIONS_MAX):
            place = self._places.get(name, LogPosition())
            lines, reached = self._read_on(name, place)
            found += lines
            self._places[name] = reached
            if reached == place:
                break
        return [line.decode(errors="replace") for line in found]

    def pass_over(self, name: str) -> None:
        """Skip everything written so far."""
        place, log = self._places.get(name), self._log(name)
        size = log.stat().st_size if log.exists() else 0
        if place is None or place.is_aside or place.offset != size:
            start = max(size - _BEFORE_BYTES, 0)
            before = _read(log, start, size - start) if size else b""
            self._places[name] = LogPosition(offset=start + len(before), before=before.hex())

    def written_at(self, name: str) -> float:
        """When the newest line was written; seconds since 1970."""
        return self._log(name).stat().st_mtime

    def _read_on(self, name: str, place: LogPosition) -> tuple[list[bytes], LogPosition]:
        log = self._log(name)
        if not log.exists():
            return [], place
        if not place.is_aside:
            portion = _portion(log, place)
            if portion is not None:
                return _split(portion, place)
        aside = replace(place, is_aside=True)
        lines, reached = _split(_portion(log.with_suffix(".log.1"), place) or b"", aside)
        if reached != aside:
            return lines, reached
        return _split(_portion(log, LogPosition()) or b"", LogPosition())

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _portion(log: Path, place: LogPosition) -> bytes | None:
    """What comes next; None where this is not the log that was read so far."""
    before = bytes.fromhex(place.before)
    if not log.exists() or log.stat().st_size < place.offset:
        return None
    found = _read(log, place.offset - len(before), len(before) + LINE_BYTES_MAX)
    return found[len(before) :] if found.startswith(before) else None


def _read(log: Path, start: int, count: int) -> bytes:
    with log.open("rb") as file:
        file.seek(start)
        return file.read(count)


def _split(portion: bytes, place: LogPosition) -> tuple[list[bytes], LogPosition]:
    """The whole lines of a portion, and the place after them."""
    end = portion.rfind(b"\n") + 1
    if end == 0:
        is_too_long = len(portion) == LINE_BYTES_MAX
        return [], place.after(portion, skips=True) if is_too_long else place
    lines = portion[: end - 1].split(b"\n")
    return lines[1:] if place.skips else lines, place.after(portion[:end], skips=False)
