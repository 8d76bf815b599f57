"""Does the newer of two checkpoints extend the older, or has the log told two stories?"""

import dataclasses
from pathlib import Path

from amply_verify.checkpoint_check import is_address
from amply_verify.keys import Trust
from amply_verify.log_source import open_log
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.sources import decode_text, read_file
from ledger_format.checkpoints import Checkpoint, SignedCheckpoint, open_checkpoint
from ledger_format.errors import ProofError
from ledger_format.literals import HASH_BYTES
from ledger_format.merkle import verify_consistency
from ledger_format.notes import MAX_NOTE_BYTES
from ledger_format.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, TileReader, consistency_proof, tree_root


@dataclasses.dataclass(frozen=True, slots=True)
class Consistent:
    """Two signed checkpoints, the older first, of which the newer extends the older; by a proof of so many hashes."""

    older: SignedCheckpoint
    newer: SignedCheckpoint
    proof_hashes: int


class ForkError(CheckFailure):
    """Two truly signed checkpoints of one log that no single log can have: proof that it has lied."""

    def __init__(self, older: Checkpoint, newer: Checkpoint) -> None:
        super().__init__(
            Exit.FORK,
            f"the log {older.origin} has signed a tree of {older.size} entries and one of {newer.size} that "
            "contradict each other",
            "keep both checkpoints: together they prove it; show them to others who use this log",
        )


def check_consistency(old: str, new: str | None, log: str | None, trusted: Trust) -> Consistent:
    """Compare two checkpoints, each a file or a log (address or directory); tiles come from `log`, or from one of them.

    Without `new`, it is the newest checkpoint of `log`. That they contradict each other is found whoever has cosigned
    them: the log's own signatures prove it. Only then must both be cosigned as the policy demands.

    Raises:
        CheckFailure: Something cannot be read, the two belong to different logs, or they contradict each other.
        FormatError: Something is malformed, not signed, or not cosigned as the policy demands.
    """
    places = [place for place in (log, new, old) if place is not None and is_log(place)]
    newest = new if new is not None else log
    if newest is None:
        raise CheckFailure(
            Exit.UNREADABLE,
            "there is nothing to compare with",
            "give a second checkpoint, or the log with --log",
        )
    notes = sorted(
        (read_note(old), read_note(newest)),
        key=lambda note: open_checkpoint(note, trusted.keys).checkpoint.size,
    )
    older, newer = (open_checkpoint(note, trusted.keys) for note in notes)
    if not places:
        found = compare(older, newer, _nowhere)
    else:
        with open_log(places[0]) as place:
            found = compare(older, newer, place.tile)
    older, newer = (open_checkpoint(note, trusted.keys, policy=trusted.policy) for note in notes)
    return Consistent(older, newer, found.proof_hashes)


def is_log(place: str) -> bool:
    """Whether this is a log (an address or a directory) rather than a checkpoint's file."""
    if is_address(place):
        return True
    try:
        return Path(place).is_dir()
    except ValueError:  # a NUL in the name
        return False


def read_note(place: str) -> str:
    """Read the checkpoint in a file, or the newest one of a log; nothing in it is true until it is opened."""
    if is_log(place):
        with open_log(place) as log:
            return log.note()
    return decode_text(read_file(place, limit=MAX_NOTE_BYTES), what=f"the checkpoint {place!r}")


def compare(older: SignedCheckpoint, newer: SignedCheckpoint, read_tile: TileReader) -> Consistent:
    """Prove that `newer` extends `older`, reading the tiles of the newer tree.

    Raises:
        ForkError: They contradict each other; no damage to the tiles can make this so.
        ProofError: The tiles do not give the newer root, so that nothing is known about the older one.
        CheckFailure: They belong to different logs, or a tile cannot be read.
    """
    old, new = older.checkpoint, newer.checkpoint
    if old.origin != new.origin:
        raise CheckFailure(
            Exit.MISMATCH,
            f"one checkpoint is of the log {old.origin}, the other of {new.origin}",
            "compare two checkpoints of one log",
        )
    if old.size == new.size:
        if old.root != new.root:
            raise ForkError(old, new)
        return Consistent(older, newer, 0)
    if old.size == 0:  # every tree extends the empty one
        return Consistent(older, newer, 0)
    read_grown = _at_size(new.size, read_tile)
    # What the tiles say of the older tree counts only once it is proven to be within the newer, signed one: damaged
    # tiles must not look like a log that lies.
    prefix_root = tree_root(old.size, read_grown)
    proof = consistency_proof(old.size, new.size, read_grown)
    try:
        verify_consistency(
            old_size=old.size, old_root=prefix_root, new_size=new.size, new_root=new.root, proof=proof
        )
    except ProofError as error:
        raise ProofError("the tiles do not give the root that the newer checkpoint signs") from error
    if prefix_root != old.root:
        raise ForkError(old, new)
    return Consistent(older, newer, len(proof))


def _at_size(size: int, read_tile: TileReader) -> TileReader:
    """Read each tile as wide as it is at `size`, for partial tiles of smaller trees may be gone; and only once."""
    seen: dict[tuple[int, int], bytes] = {}

    def read(tile: Tile) -> bytes:
        place = tile.level, tile.index
        if place not in seen:
            width = min(TILE_WIDTH, (size >> TILE_HEIGHT * tile.level) - tile.index * TILE_WIDTH)
            seen[place] = read_tile(Tile(tile.level, tile.index, width))
        return seen[place][: tile.width * HASH_BYTES]

    return read


def _nowhere(_: Tile) -> bytes:
    raise CheckFailure(
        Exit.UNREADABLE,
        "two checkpoint files alone cannot be compared",
        "say with --log where the log's tiles are: its address, or a copy of it",
    )
