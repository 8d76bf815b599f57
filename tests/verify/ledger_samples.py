"""A small log in memory, signed with a deliberately public key, and its entries."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_format.checkpoints import Checkpoint
from ledger_format.cosignatures import WitnessKey, cosign
from ledger_format.entries import Entry, Transfer
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.notes import NoteSignature, VerifierKey, add_signatures, sign_note
from ledger_format.policies import Group, Policy, PolicyLog, PolicyWitness
from ledger_format.receipts import Opening, Receipt
from ledger_format.tiles import TILE_WIDTH, Tile, bundle_path, encode_bundle, grow, inclusion_proof, tile_path

ORIGIN = "log.amply.example/example"
ORGANIZATION = "org_01k9z3v8x4e5t6y7m8n9p0q1r2"
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
"""What the log signs with after a rotation."""
STRANGERS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


WITNESSES = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    for number, name in enumerate(("harbour", "orchard", "lantern"), start=0xA1)
}
"""Private keys, public on purpose, by the names their policy gives them."""
COSIGNED_AT = 1_795_000_000


def verifier_key(key: Ed25519PrivateKey = SIGNING_KEY, name: str = ORIGIN) -> VerifierKey:
    return VerifierKey.from_ed25519(name, key.public_key().public_bytes_raw())


def sign(text: str, key: Ed25519PrivateKey = SIGNING_KEY, name: str = ORIGIN) -> str:
    return sign_note(text, name, key.public_key().public_bytes_raw(), key.sign)


def witness_key(name: str) -> WitnessKey:
    return WitnessKey(f"witness.{name}.example", WITNESSES[name].public_key().public_bytes_raw())


def cosignature(text: str, name: str, *, seconds: int = COSIGNED_AT) -> NoteSignature:
    return cosign(text, witness_key(name), WITNESSES[name].sign, seconds=seconds)


def cosigned(note: str, *names: str) -> str:
    """A note with the cosignatures of these witnesses."""
    text = note.rpartition("\n\n")[0] + "\n"
    return add_signatures(note, [cosignature(text, name) for name in names])


def sample_policy(quorum: int = 2, *, logs: Sequence[VerifierKey] | None = None) -> Policy:
    """So many of three, for the sample log."""
    keys = [verifier_key()] if logs is None else logs
    return Policy(
        logs=tuple(PolicyLog(key) for key in keys),
        witnesses=tuple(PolicyWitness(name, witness_key(name)) for name in WITNESSES),
        groups=(Group("partners", quorum, tuple(WITNESSES)),),
        quorum="partners",
    )


def sample_transfer(**changes: Any) -> Transfer:
    transfer = Transfer(
        debit=f"{ORGANIZATION}/processor_balance",
        credit=f"{ORGANIZATION}/gifts",
        currency="EUR",
        amount_minor=2500,
    )
    return dataclasses.replace(transfer, **changes)


def sample_entry(**changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "log": ORIGIN,
        "id": "ent_5q0x7m3gk9r2v8cdt4h6wzb1ne",
        "kind": "donation.succeeded",
        "ts": datetime(2026, 11, 21, 7, 44, tzinfo=UTC),
        "org": ORGANIZATION,
        "org_seq": 0,
        "org_prev": None,
        "transfers": (sample_transfer(),),
    }
    return Entry(**{**fields, **changes})


@dataclasses.dataclass
class SampleLog:
    """Leaves of a log, and what it publishes for them."""

    leaves: Sequence[bytes]
    origin: str = ORIGIN

    def __post_init__(self) -> None:
        self.hashes = [leaf_hash(leaf) for leaf in self.leaves]
        self.tiles = grow(0, self.hashes, lambda _: b"")

    def read_tile(self, tile: Tile) -> bytes:
        return self.tiles[tile]

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.origin, len(self.leaves), root_of(self.hashes))

    def note(self) -> str:
        return sign(self.checkpoint().note_text(), name=self.origin)

    def receipt(self, index: int, openings: Mapping[str, Opening] | None = None) -> Receipt:
        return Receipt(
            leaf=self.leaves[index],
            openings=openings or {},
            index=index,
            proof=tuple(inclusion_proof(index, len(self.leaves), self.read_tile)),
            checkpoint_note=self.note(),
        )

    def files(self) -> dict[str, bytes]:
        """Every file of the log by its path below the log's prefix."""
        files = {tile_path(tile): content for tile, content in self.tiles.items()}
        for start in range(0, len(self.leaves), TILE_WIDTH):
            leaves = self.leaves[start : start + TILE_WIDTH]
            files[bundle_path(start // TILE_WIDTH, len(leaves))] = encode_bundle(leaves)
        return {**files, "checkpoint": self.note().encode()}
