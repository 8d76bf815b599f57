"""What entries far apart must be compared for, on disk, shared out by what it is about.

A line is ASCII fields parted by tabs; the first is its key: an entry's id, an organisation or an account. Lines with the
same key come into the same share, in the order of the log. Of each part of the log a share has up to two blocks: first
its entries, then its records of what must be looked up. Every worker writes files of its own; a block's head says of
which part it is, so that reading can merge the workers again, and how long it is, so that nothing is searched for.
"""

import hashlib
import heapq
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32


class Block(NamedTuple):
    """The lines of one part of the log in one share: records with their keys, or entries, whose ids stand in `ids`."""

    part: int
    ids: list[bytes] | None
    lines: list[bytes]


TAB: Final = b"\t"
MAX_SHARES: Final = 256
ENTRIES_PER_SHARE: Final = 32_768
BYTES_PER_SHARE: Final = 64 << 20
"""A share that is larger is shared out again before it is looked at."""

_HEAD: Final = struct.Struct(">QQQ")  # part, bytes of ids (0 in a block of records), bytes of lines
_LINE_END: Final = b"\n"
_SPLIT: Final = 16
_MAX_SPLITS: Final = 4


def share_count(entries: int) -> int:
    """How many shares a log of so many entries is worth."""
    return max(1, min(MAX_SHARES, -(-entries // ENTRIES_PER_SHARE)))


class RecordWriter:
    """One worker's lines of all shares: gathered, and written at the end of each part of the log."""

    def __init__(self, folder: Path, shares: int) -> None:
        self.shares = shares
        self.entries: list[tuple[list[bytes], list[bytes]]] = [([], []) for _ in range(shares)]
        """By share (the CRC-32 of the id, modulo `shares`): ids and lines of entries, added without the price of a call."""
        self._records: list[list[bytes]] = [[] for _ in range(shares)]
        self._paths = [folder / f"{share:03d}.{os.getpid()}" for share in range(shares)]
        self._files: list[int] = [-1] * shares

    def add(self, key: bytes, record: bytes) -> None:
        """Gather a record, which begins with `key` and a tab."""
        self._records[crc32(key) % self.shares].append(record)

    def end_part(self, part: int) -> None:
        """Write what was gathered for a part of the log."""
        for share in range(self.shares):
            (ids, lines), records = self.entries[share], self._records[share]
            blocks = [Block(part, ids, lines)] if ids else []
            blocks += [Block(part, None, records)] if records else []
            if blocks:
                _write_all(self._file(share), b"".join(map(_spell, blocks)))
            for gathered in (ids, lines, records):
                gathered.clear()

    def close(self) -> None:
        """Close the files; what they hold stays."""
        for descriptor in self._files:
            if descriptor >= 0:
                os.close(descriptor)
        self._files = [-1] * self.shares

    def _file(self, share: int) -> int:
        if self._files[share] < 0:
            self._files[share] = os.open(self._paths[share], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._files[share]


def read_share(folder: Path, share: int) -> Iterator[Iterable[Block]]:
    """Read one share in pieces that each fit in memory and have every line of their keys, in the log's order."""
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
    """Share lines out again, by a hash that nobody could foresee when choosing the keys."""
    targets = [prefix.with_name(f"{prefix.name}.{number:02d}") for number in range(_SPLIT)]
    for target in targets:
        target.touch(0o600)
    for block in _blocks(paths):
        for target, piece in zip(targets, _deal(block, salt), strict=True):
            if piece.lines:
                with target.open("ab") as file:
                    file.write(_spell(piece))
    return targets


def _deal(block: Block, salt: bytes) -> list[Block]:
    dealt = [Block(block.part, None if block.ids is None else [], []) for _ in range(_SPLIT)]
    keys = block.ids if block.ids is not None else [line.partition(TAB)[0] for line in block.lines]
    for key, line in zip(keys, block.lines, strict=True):
        piece = dealt[hashlib.blake2b(key, digest_size=1, key=salt).digest()[0] % _SPLIT]
        piece.lines.append(line)
        if piece.ids is not None:
            piece.ids.append(key)
    return dealt


def _blocks(paths: Sequence[Path]) -> Iterable[Block]:
    """Merge the workers' files into the order of the log: each of them is in it already."""
    if len(paths) == 1:
        return _blocks_of(paths[0])
    return heapq.merge(*map(_blocks_of, paths), key=itemgetter(0))


def _blocks_of(path: Path) -> Iterator[Block]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            part, ids_length, length = _HEAD.unpack(head)
            ids = file.read(ids_length).split(_LINE_END) if ids_length else None
            yield Block(part, ids, file.read(length).split(_LINE_END))


def _spell(block: Block) -> bytes:
    ids, lines = _LINE_END.join(block.ids or []), _LINE_END.join(block.lines)
    return _HEAD.pack(block.part, len(ids), len(lines)) + ids + lines


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
