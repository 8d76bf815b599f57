"""A log as a witness sees it: it grows, signs, and proves; and it can lie."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from amply_verify.witness.decision import Witness
from amply_verify.witness.key import own_key
from amply_verify.witness.memory import Memory
from ledger_format.checkpoints import Checkpoint
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.tiles import Tile, consistency_proof, grow
from ledger_format.witnessing import AddCheckpoint
from tests.verify.ledger_samples import COSIGNED_AT, ORIGIN, SIGNING_KEY, sign, verifier_key

NAME = "ngo.example/witness"


@dataclass
class WatchedLog:
    """Leaves `0`, `1`, … of a log; with a `twist`, others from there on."""

    twist: int | None = None
    key: Ed25519PrivateKey = SIGNING_KEY
    hashes: list[bytes] = field(default_factory=list)

    def grow_to(self, size: int) -> None:
        while len(self.hashes) < size:
            at = len(self.hashes)
            other = b"!" if self.twist is not None and at >= self.twist else b""
            self.hashes.append(leaf_hash(str(at).encode() + other))

    def note(self, size: int) -> str:
        self.grow_to(size)
        text = Checkpoint(ORIGIN, size, root_of(self.hashes[:size])).note_text()
        return sign(text, self.key)

    def proof(self, old: int, size: int) -> tuple[bytes, ...]:
        self.grow_to(size)
        tiles = grow(0, self.hashes[:size], lambda _: b"")

        def read(tile: Tile) -> bytes:
            # A narrower tile is the beginning of a wider one.
            wide = next(known for known in tiles if (known.level, known.index) == (tile.level, tile.index))
            return tiles[wide][: tile.width * 32]

        return tuple(consistency_proof(old, size, read)) if 0 < old < size else ()

    def request(self, old: int, size: int) -> bytes:
        return AddCheckpoint(old, self.proof(old, size), self.note(size)).body()


def a_witness(directory: Path, *, name: str = NAME) -> Witness:
    """A witness of that log with its key and memory in a directory."""
    return Witness(
        key=own_key(directory, name=name),
        logs={ORIGIN: [verifier_key()]},
        memory=Memory(directory),
        seconds=lambda: COSIGNED_AT,
    )
