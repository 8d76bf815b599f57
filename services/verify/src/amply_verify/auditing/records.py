"""What entries far apart must be compared for, on disk: records, shared out by what they are about.

A record is one line of ASCII fields parted by tabs, and its first field is its key: an entry's id, an organisation or
an account. Records with the same key come into the same share, in the order of the log. Every worker writes files of
its own; a part's records stand behind a line with the part's number, so that reading can merge the workers again.
"""

import hashlib
import heapq
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Final

Record = bytes
Block = tuple[int, list[Record]]
"""A part's number, and its records of one share."""

TAB: Final = b"\t"
MAX_SHARES: Final = 256
ENTRIES_PER_SHARE: Final = 32_768
BYTES_PER_SHARE: Final = 64 << 20
"""A share that is larger is shared out again before it is looked at."""

_PART_MARK: Final = b"#"
_SPLIT: Final = 16
_MAX_SPLITS: Final = 4


def share_count(entries: int) -> int:
    """How many shares a log of so many entries is worth."""
    return max(1, min(MAX_SHARES, -(-entries // ENTRIES_PER_SHARE)))


class RecordWriter:
    """One worker's records of all shares; `add` gathers, `end_part` writes."""

    def __init__(self, folder: Path, shares: int) -> None:
        self._paths = [folder / f"{share:03d}.{os.getpid()}" for share in range(shares)]
        self._files: list[int] = [-1] * shares
        self._gathered: list[list[Record]] = [[] for _ in range(shares)]
        self._shares = shares

    def add(self, key: bytes, record: Record) -> None:
        """Gather a record, which begins with `key` and a tab."""
        self._gathered[zlib.crc32(key) % self._shares].append(record)

    def end_part(self, number: int) -> None:
        """Write what was gathered for a part of the log."""
        for share, records in enumerate(self._gathered):
            if records:
                block = b"#%d\n%b\n" % (number, b"\n".join(records))
                _write_all(self._file(share), block)
                records.clear()

    def close(self) -> None:
        """Close the files; what they hold stays."""
        for descriptor in self._files:
            if descriptor >= 0:
                os.close(descriptor)
        self._files = [-1] * self._shares

    def _file(self, share: int) -> int:
        if self._files[share] < 0:
            self._files[share] = os.open(self._paths[share], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._files[share]


def read_share(folder: Path, share: int) -> Iterator[Iterable[Block]]:
    """Read one share in pieces that each fit in memory and have every record of their keys, in the log's order."""
    paths = sorted(folder.glob(f"{share:03d}.*"))
    yield from _pieces(paths, folder / f"split-{share:03d}", splits=0)


def _pieces(paths: Sequence[Path], prefix: Path, *, splits: int) -> Iterator[Iterable[Block]]:
    size = sum(path.stat().st_size for path in paths)
    if size <= BYTES_PER_SHARE or splits == _MAX_SPLITS:
        # After so many splits a piece is large because few keys have many records, and those are not held in memory.
        yield _blocks(paths)
    else:
        for number, path in enumerate(_split(paths, prefix, salt=os.urandom(16))):
            yield from _pieces([path], prefix.with_name(f"{prefix.name}-{number}"), splits=splits + 1)
    for path in paths:
        path.unlink()


def _split(paths: Sequence[Path], prefix: Path, *, salt: bytes) -> list[Path]:
    """Share records out again, by a hash that nobody could foresee when choosing the keys."""
    targets = [prefix.with_name(f"{prefix.name}.{number:02d}") for number in range(_SPLIT)]
    for target in targets:
        target.touch(0o600)
    for number, records in _blocks(paths):
        gathered: list[list[Record]] = [[] for _ in range(_SPLIT)]
        for record in records:
            key = record.partition(TAB)[0]
            gathered[hashlib.blake2b(key, digest_size=1, key=salt).digest()[0] % _SPLIT].append(record)
        for target, some in zip(targets, gathered, strict=True):
            if some:
                with target.open("ab") as file:
                    file.write(b"#%d\n%b\n" % (number, b"\n".join(some)))
    return targets


def _blocks(paths: Sequence[Path]) -> Iterable[Block]:
    """Merge the workers' files into the order of the log: each of them is in it already."""
    if len(paths) == 1:
        return _blocks_of(paths[0])
    return heapq.merge(*map(_blocks_of, paths), key=itemgetter(0))


def _blocks_of(path: Path) -> Iterator[Block]:
    number = -1
    records: list[Record] = []
    with path.open("rb") as file:
        for line in file:
            if line.startswith(_PART_MARK):
                if records:
                    yield number, records
                number, records = int(line[1:]), []
            else:
                records.append(line[:-1])
    if records:
        yield number, records


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
