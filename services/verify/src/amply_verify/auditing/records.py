"""What entries far apart must be compared for, on disk, shared out by what it is about.

Rows have a key: an entry's id, an organisation or an account. Rows with the same key come into the same share, in the
order of the log. Of each part of the log a share has up to three blocks: its entries, its balances, then its records of
what must be looked up. Every worker writes files of its own; a block's head says of which part it is, so that reading
can merge the workers again. Behind the head stand the rows column by column, so that Python need not touch each of
them: of an entry only the id is looked at, unless another entry names it.
"""

import hashlib
import heapq
import mmap
import os
import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final
from zlib import crc32

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
    """The rows of one part of the log in one share: entries, or balances, or records.

    A record is ASCII fields parted by tabs, of which the first is its key. What is to be known of entries stays on disk
    until it is asked for.
    """

    head: Final = struct.Struct(">Q4Q")
    """The part, and the bytes of each column: entries have four, balances three, records one."""

    def __init__(self, part: int, columns: Sequence[bytes], lines: memoryview) -> None:
        self.part = part
        self._columns = columns
        self._lines = lines
        self.has_entries = len(lines) > 0
        self.has_balances = len(columns[1]) > 0 and not self.has_entries

    def ids(self) -> list[bytes]:
        """The ids of its entries."""
        return self._columns[0].split(_LINE_END)

    def entry(self, number: int) -> tuple[int, bytes]:
        """The index and the line of its entry of this number, from 0."""
        indexes, ends = (memoryview(column).cast("Q") for column in self._columns[1:])
        start = ends[number - 1] if number else 0
        return indexes[number], bytes(self._lines[start : ends[number]])

    def balances(self) -> Iterator[BalanceRow]:
        """Its balances."""
        accounts, debits, credits_ = (column.split(_LINE_END) for column in self._columns)
        return zip(accounts, map(int, debits), map(int, credits_), strict=True)

    def records(self) -> list[bytes]:
        """Its records."""
        return self._columns[0].split(_LINE_END)


class Gathered:
    """The rows of one share from one part of the log, before they are written.

    Entries come one by one, and so many that a call for each would show: who has one adds its id to `ids`, its index to
    `indexes`, what is to be known of it when another names it to `lines`, and how long these are then to `ends`.
    """

    __slots__ = ("balances", "ends", "ids", "indexes", "lines", "records")

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.indexes = array("Q")
        self.ends = array("Q")
        self.lines = bytearray()
        self.balances: list[BalanceRow] = []
        self.records: list[bytes] = []

    def spell(self, part: int) -> bytes:
        """Spell its blocks."""
        blocks: list[Sequence[bytes | bytearray]] = []
        if self.ids:
            blocks.append((_LINE_END.join(self.ids), self.indexes.tobytes(), self.ends.tobytes(), self.lines))
        if self.balances:
            accounts, debits, credits_ = zip(*self.balances, strict=True)
            blocks.append((_LINE_END.join(accounts), _spell_numbers(debits), _spell_numbers(credits_), b""))
        if self.records:
            blocks.append((_LINE_END.join(self.records), b"", b"", b""))
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
        self.gathered = [Gathered() for _ in range(shares)]
        """By share: the CRC-32 of the key, modulo `shares`."""
        self._paths = [folder / f"{share:03d}.{os.getpid()}" for share in range(shares)]
        self._files: list[int] = [-1] * shares

    def add_balance(self, account: bytes, currency: bytes, debited: int, credited: int) -> None:
        """Gather what was moved on an account (minor units)."""
        row = account + TAB + currency, debited, credited
        self.gathered[crc32(account) % self.shares].balances.append(row)

    def add(self, key: bytes, record: bytes) -> None:
        """Gather a record, which begins with `key` and a tab."""
        self.gathered[crc32(key) % self.shares].records.append(record)

    def end_part(self, part: int) -> None:
        """Write what was gathered for a part of the log."""
        for share, gathered in enumerate(self.gathered):
            if spelled := gathered.spell(part):
                _write_all(self._file(share), spelled)
                self.gathered[share] = Gathered()

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
    for block in _blocks(paths):
        dealt = [Gathered() for _ in targets]
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
            index, line = block.entry(number)
            gathered = target(entry_id)
            gathered.ids.append(entry_id)
            gathered.indexes.append(index)
            gathered.lines += line
            gathered.ends.append(len(gathered.lines))
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
        while head := file.read(Block.head.size):
            part, *lengths, length_of_lines = Block.head.unpack(head)
            columns = [file.read(length) for length in lengths]
            start = file.tell()
            yield Block(part, columns, content[start : start + length_of_lines])
            file.seek(start + length_of_lines)


def _spell_numbers(numbers: Iterable[int]) -> bytes:
    return _LINE_END.join([b"%d" % number for number in numbers])


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
