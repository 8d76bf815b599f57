"""What a log asks a witness, after c2sp.org/tlog-witness: the body of `add-checkpoint`, and a size as it is answered.

A witness watches logs of any kind, so checkpoints are read here as c2sp.org/tlog-checkpoint has them, with extension
lines and any origin; `checkpoints` reads those of our own logs, which are narrower.
"""

import dataclasses
from typing import Final

from ledger_format.errors import CheckpointError, WitnessRequestError
from ledger_format.literals import EMPTY_ROOT, parse_base64_hash, parse_decimal, to_base64
from ledger_format.notes import MAX_NOTE_BYTES

MAX_PROOF_HASHES: Final = 63
MAX_REQUEST_BYTES: Final = MAX_NOTE_BYTES + 4_096
"""A note, an old size, and 63 hashes of 45 characters."""

SIZE_CONTENT_TYPE: Final = "text/x.tlog.size"

_OLD: Final = "old "
_HEAD_LINES: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A signed checkpoint (`note`) and the proof that its tree extends the one of `old_size` entries."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str

    def body(self) -> bytes:
        """Write the request's body."""
        lines = (f"{_OLD}{self.old_size}", *map(to_base64, self.proof))
        return ("\n".join(lines) + "\n\n" + self.note).encode()


@dataclasses.dataclass(frozen=True, slots=True)
class TreeHead:
    """Origin, size and root (32 bytes) of any log's checkpoint; its extension lines are left out."""

    origin: str
    size: int
    root: bytes


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read the body of `add-checkpoint`. The note in it is not opened.

    Raises:
        WitnessRequestError: It is malformed.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise WitnessRequestError(f"a request has at most {MAX_REQUEST_BYTES} bytes")
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        raise WitnessRequestError("a request is UTF-8 text") from failure
    head, separator, note = text.partition("\n\n")
    if not separator or not note:
        raise WitnessRequestError("a request is an old size, a proof, an empty line, and a checkpoint")
    first, *hashes = head.split("\n")
    if not first.startswith(_OLD):
        raise WitnessRequestError("a request begins with the line of the old size")
    if len(hashes) > MAX_PROOF_HASHES:
        raise WitnessRequestError(f"a proof has at most {MAX_PROOF_HASHES} hashes")
    return AddCheckpoint(
        old_size=parse_decimal(first.removeprefix(_OLD), what="the old tree size", error=WitnessRequestError),
        proof=tuple(
            parse_base64_hash(line, what="a proof hash", error=WitnessRequestError) for line in hashes
        ),
        note=note,
    )


def parse_tree_head(text: str) -> TreeHead:
    """Read the text of any log's checkpoint.

    Raises:
        CheckpointError: It is malformed.
    """
    lines = text.split("\n")
    if len(lines) < _HEAD_LINES + 1 or lines.pop() != "" or not all(lines):
        raise CheckpointError("a checkpoint is an origin, a size, a root, and extension lines if any")
    origin, size, root = lines[:_HEAD_LINES]
    head = TreeHead(
        origin=origin,
        size=parse_decimal(size, what="the tree size", error=CheckpointError),
        root=parse_base64_hash(root, what="the root", error=CheckpointError),
    )
    if head.size == 0 and head.root != EMPTY_ROOT:
        raise CheckpointError("the root of an empty tree is the hash of nothing")
    return head


def size_body(size: int) -> str:
    """Write the size that a witness has seen, as the body of a conflict."""
    return f"{size}\n"


def parse_size_body(body: str) -> int:
    """Read the size that a witness has seen.

    Raises:
        WitnessRequestError: It is malformed.
    """
    if not body.endswith("\n"):
        raise WitnessRequestError("a tree size is a decimal and a newline")
    return parse_decimal(body[:-1], what="the tree size", error=WitnessRequestError)
