"""What entries far apart must be compared for, on disk, shared out by what it is about.

Rows have a key: an entry's id, an organisation or an account. Rows with the same key come into the same share, in the
order of the log. Of each part of the log a share has up to three blocks: its entries, its balances, then its records of
what must be looked up. Every worker writes files of its own; a block's head says of which part it is, so that reading
can merge the workers again. Behind the head stand the rows column by column, so that Python need not touch each of
them: of an entry only the id is looked at, unless another entry names it.
"""

import hashlib
import heapq
import itertools
import mmap
import os
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final
from zlib import crc32

EntryRow = tuple[bytes, int, bytes]
"""An entry's id, its index, and what is to be known of it when another names it."""

BalanceRow = tuple[bytes, int, int]
"""An account and its currency, parted by a tab, and what was debited and credited (minor units)."""

TAB: Final = b"\t"
MAX_SHARES: Final = 256
ENTRIES_PER_SHARE: Final = 32_768
BYTES_PER_SHARE: Final = 64 << 20
"""A share that is larger is shared out again before it is looked at."""

_LINE_END: Final = b"\n"
_SPLIT: Final = 16
_MAX_SPLITS: Final = 4


class Block:
    """The rows of one part of the log in one share, where they lie on disk: entries, or balances, or records.

    A record is ASCII fields parted by tabs, of which the first is its key.
    """

    head: Final = struct.Struct(">Q4Q")  # part, bytes of each column; only entries have four, only records one

    def __init__(self, content: memoryview, at: int) -> None:
        self.part, *lengths = self.head.unpack_from(content, at)
        ends = list(itertools.accumulate(lengths, initial=at + self.head.size))
        self._columns = [content[start:end] for start, end in itertools.pairwise(ends)]
        self.end = ends[-1]
        self.has_entries = lengths[3] > 0
        self.has_balances = lengths[1] > 0 and not self.has_entries

    def ids(self) -> list[bytes]:
        """The ids of its entries."""
        return self._texts(0)

    def entry(self, number: int) -> tuple[int, bytes]:
        """The index and the line of its entry of this number, from 0."""
        ends = self._columns[2].cast("Q")
        start = ends[number - 1] if number else 0
        return self._columns[1].cast("Q")[number], bytes(self._columns[3][start : ends[number]])

    def balances(self) -> Iterator[BalanceRow]:
        """Its balances."""
        debits, credits_ = map(int, self._texts(1)), map(int, self._texts(2))
        return zip(self._texts(0), debits, credits_, strict=True)

    def records(self) -> list[bytes]:
        """Its records."""
        return self._texts(0)

    def _texts(self, column: int) -> list[bytes]:
        return bytes(self._columns[column]).split(_LINE_END)


class Gathered:
    """The rows of one share from one part of the log, before they are written."""

    def __init__(self) -> None:
        self.entries: list[EntryRow] = []
        self.balances: list[BalanceRow] = []
        self.records: list[bytes] = []

    def spell(self, part: int) -> bytes:
        """Spell the blocks, and begin anew."""
        blocks: list[Sequence[bytes]] = []
        if self.entries:
            ids, indexes, lines = zip(*self.entries, strict=True)
            ends = array("Q", itertools.accumulate(map(len, lines)))
            columns = _LINE_END.join(ids), array("Q", indexes).tobytes(), ends.tobytes(), b"".join(lines)
            blocks.append(columns)
        if self.balances:
            accounts, debits, credits_ = zip(*self.balances, strict=True)
            blocks.append((_LINE_END.join(accounts), _spell_numbers(debits), _spell_numbers(credits_), b""))
        if self.records:
            blocks.append((_LINE_END.join(self.records), b"", b"", b""))
        for rows in (self.entries, self.balances, self.records):
            rows.clear()
        return b"".join(
            piece for columns in blocks for piece in (Block.head.pack(part, *map(len, columns)), *columns)
        )


def share_count(entries: int) -> int:
    """How many shares a log of so many entries is worth."""
    return max(1, min(MAX_SHARES, -(-entries // ENTRIES_PER_SHARE)))


class RecordWriter:
    """One worker's rows of all shares: gathered, and written at the end of each part of the log."""

    def __init__(self, folder: Path, shares: int) -> None:
        self.shares = shares
        self._gathered = [Gathered() for _ in range(shares)]
        self.add_entry: list[Callable[[EntryRow], None]] = [each.entries.append for each in self._gathered]
        """By share (the CRC-32 of the id, modulo `shares`): what gathers an entry, at the price of one call."""
        self._paths = [folder / f"{share:03d}.{os.getpid()}" for share in range(shares)]
        self._files: list[int] = [-1] * shares

    def add_balance(self, account: bytes, currency: bytes, debited: int, credited: int) -> None:
        """Gather what was moved on an account (minor units)."""
        row = account + TAB + currency, debited, credited
        self._gathered[crc32(account) % self.shares].balances.append(row)

    def add(self, key: bytes, record: bytes) -> None:
        """Gather a record, which begins with `key` and a tab."""
        self._gathered[crc32(key) % self.shares].records.append(record)

    def end_part(self, part: int) -> None:
        """Write what was gathered for a part of the log."""
        for share, gathered in enumerate(self._gathered):
            if spelled := gathered.spell(part):
                _write_all(self._file(share), spelled)

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
    """Read one share in pieces that each fit in memory and have every row of their keys, in the log's order."""
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
    """Share rows out again, by a hash that nobody could foresee when choosing the keys."""
    targets = [prefix.with_name(f"{prefix.name}.{number:02d}") for number in range(_SPLIT)]
    for target in targets:
        target.touch(0o600)
    dealt = [Gathered() for _ in targets]
    for block in _blocks(paths):
        _deal(block, dealt, salt)
        for target, gathered in zip(targets, dealt, strict=True):
            if spelled := gathered.spell(block.part):
                with target.open("ab") as file:
                    file.write(spelled)
    return targets


def _deal(block: Block, dealt: Sequence[Gathered], salt: bytes) -> None:
    def target(key: bytes) -> Gathered:
        return dealt[hashlib.blake2b(key, digest_size=1, key=salt).digest()[0] % _SPLIT]

    if block.has_entries:
        for number, entry_id in enumerate(block.ids()):
            target(entry_id).entries.append((entry_id, *block.entry(number)))
    elif block.has_balances:
        for row in block.balances():
            target(row[0].partition(TAB)[0]).balances.append(row)
    else:
        for record in block.records():
            target(record.partition(TAB)[0]).records.append(record)


def _blocks(paths: Sequence[Path]) -> Iterable[Block]:
    """Merge the workers' files into the order of the log: each of them is in it already."""
    if len(paths) == 1:
        return _blocks_of(paths[0])
    return heapq.merge(*map(_blocks_of, paths), key=attrgetter("part"))


def _blocks_of(path: Path) -> Iterator[Block]:
    if not path.stat().st_size:  # nothing to map
        return
    with path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    at = 0
    while at < len(content):
        block = Block(content, at)
        yield block
        at = block.end


def _spell_numbers(numbers: Iterable[int]) -> bytes:
    return _LINE_END.join([b"%d" % number for number in numbers])


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
