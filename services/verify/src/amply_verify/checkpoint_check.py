"""Has the log signed this checkpoint, and do the tiles it publishes give the signed root?"""

import dataclasses
from typing import Final

from amply_verify.keys import Trust
from amply_verify.log_reader import Getter
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.sources import decode_text, read_file
from ledger_format.checkpoints import SignedCheckpoint, open_checkpoint
from ledger_format.errors import ProofError
from ledger_format.literals import HASH_BYTES
from ledger_format.notes import MAX_NOTE_BYTES
from ledger_format.tiles import TILE_WIDTH, Tile, TileReader, first_hashes, tile_path, tree_root

FULL_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
_CHECKPOINT: Final = "/checkpoint"


@dataclasses.dataclass(frozen=True, slots=True)
class CheckedCheckpoint:
    """A verified checkpoint; `tiles_agree` when the log's published tiles were read and give its root."""

    signed: SignedCheckpoint
    tiles_agree: bool


def is_address(text: str) -> bool:
    """Whether `text` is an HTTP address rather than a file's name."""
    return text.lower().startswith(("http://", "https://"))


def log_prefix(address: str) -> str:
    """Find the log's prefix from its own address or its checkpoint's."""
    return address.rstrip("/").removesuffix(_CHECKPOINT)


def check_checkpoint_file(name: str, trusted: Trust) -> CheckedCheckpoint:
    """Verify the signatures of a checkpoint kept in a file."""
    note = decode_text(read_file(name, limit=MAX_NOTE_BYTES), what="the checkpoint")
    signed = open_checkpoint(note, trusted.keys, policy=trusted.policy)
    return CheckedCheckpoint(signed, tiles_agree=False)


def check_published_checkpoint(address: str, trusted: Trust, getter: Getter) -> CheckedCheckpoint:
    """Verify the checkpoint that a log publishes, and that the tiles at its right edge give the signed root.

    Raises:
        CheckFailure: Something could not be read.
        FormatError: Something is malformed or not true.
    """
    log = log_prefix(address)
    signed = fetch_checkpoint(log, trusted, getter)
    if tree_root(signed.checkpoint.size, tile_reader(log, getter)) != signed.checkpoint.root:
        raise ProofError("the tiles that the log publishes do not give the root it has signed")
    return CheckedCheckpoint(signed, tiles_agree=True)


def fetch_checkpoint(log: str, trusted: Trust, getter: Getter) -> SignedCheckpoint:
    """Fetch and verify the latest checkpoint of the log at this prefix."""
    note = decode_text(getter.get(log + _CHECKPOINT, limit=MAX_NOTE_BYTES), what="the checkpoint")
    return open_checkpoint(note, trusted.keys, policy=trusted.policy)


def tile_reader(log: str, getter: Getter) -> TileReader:
    """Read hash tiles from the log at this prefix."""

    def read(tile: Tile) -> bytes:
        full = f"{log}/{tile_path(Tile(tile.level, tile.index, TILE_WIDTH))}"
        found = get_partial(getter, f"{log}/{tile_path(tile)}", full, limit=FULL_TILE_BYTES)
        return first_hashes(found, tile.width)

    return read


def get_partial(getter: Getter, address: str, full_address: str, *, limit: int) -> bytes:
    """Fetch a partial file or, once the log has replaced it, the full one that begins with the same bytes."""
    try:
        return getter.get(address, limit=limit)
    except CheckFailure as failure:
        if failure.exit_code is not Exit.NOT_THERE or address == full_address:
            raise
        return getter.get(full_address, limit=limit)
