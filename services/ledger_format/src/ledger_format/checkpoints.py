"""Checkpoints after c2sp.org/tlog-checkpoint: which tree a log has committed to, under its signature."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from ledger_format.errors import CheckpointError, UntrustedNoteError
from ledger_format.literals import (
    EMPTY_ROOT,
    check_hash,
    check_integer,
    check_origin,
    parse_base64_hash,
    parse_decimal,
    to_base64,
)
from ledger_format.notes import VerifierKey, open_note

_LINES: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's tree at one size: `origin` names the log, `root` is the 32-byte root over `size` entries.

    Raises:
        CheckpointError: A part breaks its rule.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_origin(self.origin, error=CheckpointError)
        check_integer(self.size, what="the tree size", error=CheckpointError)
        check_hash(self.root, what="the root", error=CheckpointError)
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("the root of an empty tree is the hash of nothing")

    def note_text(self) -> str:
        """Write the text to be signed: three lines, each with its newline."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


@dataclasses.dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signatures were verified; `signers` are the names of the trusted keys that signed."""

    checkpoint: Checkpoint
    signers: tuple[str, ...]


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text (without signatures: open the note first).

    Raises:
        CheckpointError: It is malformed, or has extension lines, which nobody could audit and this log never writes.
    """
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[-1] != "":
        raise CheckpointError("a checkpoint has exactly three lines: origin, size, root")
    origin, size, root = lines[:_LINES]
    return Checkpoint(
        origin=origin,
        size=parse_decimal(size, what="the tree size", error=CheckpointError),
        root=parse_base64_hash(root, what="the root", error=CheckpointError),
    )


def open_checkpoint(note: str, verifiers: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Verify a signed checkpoint: a trusted key that bears the log's own name must have signed it.

    Raises:
        NoteError: The note is malformed, or no trusted key, or none of the log's name, has truly signed it.
        CheckpointError: What was signed is not a checkpoint.
    """
    opened = open_note(note, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    signers = tuple(signature.name for signature in opened.signatures)
    # A trusted witness alone must not speak for the log, nor one log for another.
    if checkpoint.origin not in signers:
        raise UntrustedNoteError(
            f"the checkpoint of {checkpoint.origin} is not signed by a trusted key of that name"
        )
    return SignedCheckpoint(checkpoint, signers)
