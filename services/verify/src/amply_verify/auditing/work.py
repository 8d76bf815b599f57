"""What one worker does. It opens the log by itself: nothing but places and numbers travels between processes."""

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from amply_verify.auditing.cross_checks import CrossChecked, cross_check_share
from amply_verify.auditing.damage import wrong_file, wrong_tile
from amply_verify.auditing.organization import ChainReader, PieceOfOrganization
from amply_verify.auditing.plan import Part
from amply_verify.auditing.records import RecordWriter
from amply_verify.auditing.replay import Replay, Replayed
from amply_verify.log_source import KeepingGetter, LogSource, first_of, open_log
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.errors import FormatError
from ledger_format.merkle import root_of
from ledger_format.tiles import TILE_WIDTH, Tile, bundle_path, decode_bundle, hashed_entries

FETCHES_AT_ONCE: Final = 8
"""Threads of one worker that wait for a server."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What an audit is to do; the same for all its workers.

    Attributes:
        place: The log: an address or a directory.
        origin: What the log calls itself.
        keep_in: Directory that is to become a copy of the log.
        folder: Where records go; None when entries are only hashed.
        shares: How many shares the records have.
        knows_the_beginning: False when the first part of the log is not read.
        organization: Follow only this organisation's chain (in the place of a replay).
        balances_of: Owner whose accounts are wanted one by one.
    """

    place: str
    origin: str
    keep_in: str | None = None
    folder: Path | None = None
    shares: int = 1
    knows_the_beginning: bool = True
    organization: str | None = None
    balances_of: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class PartChecked:
    """A part whose entries give their tiles: roots of its full bundles, its partial tile (or empty), and the rest."""

    entries: int
    roots: list[bytes]
    last_tile: bytes
    bytes_read: int
    replayed: Replayed | None
    organization: PieceOfOrganization | None


class Worker:
    """Checks parts of a log, and cross-checks shares of the records."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._closing = ExitStack()
        self._place = self._closing.enter_context(open_log(task.place, keep_in=task.keep_in))
        self._replay: Replay | None = None
        if task.folder is not None:
            writer = RecordWriter(task.folder, task.shares)
            self._closing.callback(writer.close)
            self._replay = Replay(task.origin, writer)
        self._fetchers: ThreadPoolExecutor | None = None
        if self._place.is_remote:
            self._fetchers = self._closing.enter_context(ThreadPoolExecutor(FETCHES_AT_ONCE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def check(self, part: Part) -> PartChecked:
        """Hash a part against its tiles of level 0, and replay it when that is asked for.

        A copy keeps nothing that this run fetched for a damaged part.

        Raises:
            CheckFailure: It is damaged, breaks a rule, or cannot be read.
        """
        getter = self._place.getter
        try:
            checked = self._check(part)
        except CheckFailure as failure:
            if isinstance(getter, KeepingGetter) and failure.exit_code in {Exit.PROOF, Exit.MALFORMED}:
                if self._fetchers is not None:  # after this nothing is written any more; the audit ends here
                    self._fetchers.shutdown(wait=True, cancel_futures=True)
                getter.drop_fetched()
            raise
        if isinstance(getter, KeepingGetter):
            getter.keep_fetched()
        return checked

    def _check(self, part: Part) -> PartChecked:
        roots, last_tile, bytes_read = [], b"", 0
        chain = ChainReader(self._task.organization, self._task.origin) if self._task.organization else None
        for bundle, (raw, tile) in enumerate(self._bundles(part), part.first):
            hashes, ends = self._hash(raw, bundle, part.width(bundle))
            joined = b"".join(hashes)
            if joined != tile:
                raise wrong_tile(Tile(0, bundle, len(hashes)))
            if len(hashes) == TILE_WIDTH:
                roots.append(root_of(hashes))
            else:
                last_tile = joined
            if self._replay is not None:
                self._replay.take(raw, ends, hashes, bundle * TILE_WIDTH)
            if chain is not None:
                chain.take(decode_bundle(raw)[: len(hashes)], hashes, bundle * TILE_WIDTH)
            bytes_read += len(raw) + len(tile)
        return PartChecked(
            entries=part.entries,
            roots=roots,
            last_tile=last_tile,
            bytes_read=bytes_read,
            replayed=self._replay.end_part(part.number) if self._replay else None,
            organization=chain.piece if chain else None,
        )

    def _hash(self, raw: bytes, bundle: int, width: int) -> tuple[list[bytes], list[int]]:
        """Hash a bundle's entries, and say where each ends."""
        try:
            hashes, ends = hashed_entries(raw)
            return first_of(hashes, bundle, width), ends
        except FormatError as error:
            raise wrong_file(bundle_path(bundle, width), error) from error

    def cross_check(self, share: int) -> CrossChecked:
        """Cross-check one share of the records.

        Raises:
            CheckFailure: Entries break a rule between them.
        """
        return cross_check_share(
            self._task.folder or Path(),
            share,
            knows_the_beginning=self._task.knows_the_beginning,
            balances_of=self._task.balances_of,
        )

    def _bundles(self, part: Part) -> Iterator[tuple[bytes, bytes]]:
        numbers = range(part.first, part.stop)
        if self._fetchers is None:
            return (_read(self._place, part, bundle) for bundle in numbers)
        return self._fetchers.map(lambda bundle: _read(self._place, part, bundle), numbers)


def _read(place: LogSource, part: Part, bundle: int) -> tuple[bytes, bytes]:
    width = part.width(bundle)
    return place.bundle(bundle, width), place.tile(Tile(0, bundle, width))
