"""A log to read, wherever it is: at an address, or copied into a directory."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amply_verify.checkpoint_check import FULL_TILE_BYTES, get_partial, is_address, log_prefix, tile_reader
from amply_verify.directory import DirectoryGetter, store
from amply_verify.keys import Trust
from amply_verify.log_reader import PATIENT_TRIES, Getter, HttpGetter
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.sources import decode_text
from ledger_format.checkpoints import SignedCheckpoint, open_checkpoint
from ledger_format.notes import MAX_NOTE_BYTES
from ledger_format.tiles import (
    MAX_BUNDLE_BYTES,
    TILE_WIDTH,
    Tile,
    bundle_path,
    tile_path,
)


@dataclasses.dataclass(frozen=True, slots=True)
class LogSource:
    """A log's prefix (empty for a directory), and what fetches from below it."""

    prefix: str
    getter: Getter
    is_remote: bool

    def note(self) -> str:
        """Read the newest checkpoint as the log signed it; nothing in it is true until it is opened.

        Raises:
            CheckFailure: It cannot be read.
        """
        address = f"{self.prefix}/checkpoint"
        return decode_text(self.getter.get(address, limit=MAX_NOTE_BYTES), what="the checkpoint")

    def checkpoint(self, trusted: Trust) -> SignedCheckpoint:
        """Read and verify the newest checkpoint.

        Raises:
            CheckFailure: It cannot be read.
            FormatError: It is malformed, not signed by the log, or not cosigned as the policy demands.
        """
        return open_checkpoint(self.note(), trusted.keys, policy=trusted.policy)

    def tile(self, tile: Tile) -> bytes:
        """Read a hash tile's bytes, as wide as it is in the tree at hand.

        Raises:
            CheckFailure: It cannot be read.
        """
        if tile.width == TILE_WIDTH:  # nearly all of them
            return self.getter.get(f"{self.prefix}/{tile_path(tile)}", limit=FULL_TILE_BYTES)
        return tile_reader(self.prefix, self.getter)(tile)

    def bundle(self, bundle: int, width: int) -> bytes:
        """Read a bundle as it lies there, which may hold more than the `width` entries that were asked for.

        Raises:
            CheckFailure: It cannot be read.
        """
        full = f"{self.prefix}/{bundle_path(bundle, TILE_WIDTH)}"
        address = full if width == TILE_WIDTH else f"{self.prefix}/{bundle_path(bundle, width)}"
        return get_partial(self.getter, address, full, limit=MAX_BUNDLE_BYTES)


def first_of(found: list[bytes], bundle: int, width: int) -> list[bytes]:
    """Take what belongs to the first `width` entries of a bundle, of which these were found.

    Raises:
        CheckFailure: There are fewer.
    """
    if len(found) < width:
        raise CheckFailure(
            Exit.MALFORMED,
            f"{bundle_path(bundle, width)} holds {len(found)} entries instead of {width}",
            "what the log serves is damaged, so report it to the log's operator",
        )
    return found if len(found) == width else found[:width]


@contextmanager
def open_log(place: str, *, keep_in: str | None = None) -> Iterator[LogSource]:
    """Open a log at an address or in a directory; with `keep_in`, tiles and bundles are kept in that directory.

    Raises:
        CheckFailure: The directory cannot be read.
    """
    if not is_address(place):
        yield LogSource("", DirectoryGetter(place), is_remote=False)
        return
    prefix = log_prefix(place)
    with HttpGetter(tries=PATIENT_TRIES) as getter:
        if keep_in is None:
            yield LogSource(prefix, getter, is_remote=True)
        else:
            yield LogSource("", KeepingGetter(prefix, getter, DirectoryGetter(keep_in)), is_remote=True)


class KeepingGetter:
    """Reads from a directory what is there, and fetches and keeps there what is not. The checkpoint is always fetched."""

    def __init__(self, prefix: str, remote: Getter, local: DirectoryGetter) -> None:
        self._prefix = prefix
        self._remote = remote
        self._local = local
        self._unchecked: list[Path] = []

    def get(self, url: str, *, limit: int) -> bytes:
        """Read at most `limit` bytes.

        Raises:
            CheckFailure: Neither place has it, or one cannot be read or written.
        """
        is_kept = url.startswith("/tile/")
        if is_kept:
            try:
                return self._local.get(url, limit=limit)
            except CheckFailure as failure:
                if failure.exit_code is not Exit.NOT_THERE:
                    raise
        content = self._remote.get(self._prefix + url, limit=limit)
        if is_kept:
            path = self._local.root / url.lstrip("/")
            store(path, content)
            self._unchecked.append(path)
        return content

    def keep_fetched(self) -> None:
        """What was fetched until now has been checked, and stays."""
        self._unchecked.clear()

    def drop_fetched(self) -> None:
        """What was fetched since is not what it should be: a next copy fetches it again."""
        while self._unchecked:
            self._unchecked.pop().unlink(missing_ok=True)
