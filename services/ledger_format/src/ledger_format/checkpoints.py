"""Checkpoints after c2sp.org/tlog-checkpoint: which tree a log has committed to, under its signature."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from ledger_format.cosignatures import cosigned_at
from ledger_format.errors import CheckpointError, QuorumError, UntrustedNoteError
from ledger_format.literals import (
    EMPTY_ROOT,
    check_hash,
    check_integer,
    check_origin,
    parse_base64_hash,
    parse_decimal,
    show,
    to_base64,
)
from ledger_format.log_keys import LogKey, last_size_signed, signers_in_time
from ledger_format.notes import SignedNote, open_note
from ledger_format.policies import Policy

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
class Witnessed:
    """A true cosignature by a witness of the policy: its name there, its key's name, its time in seconds since 1970."""

    name: str
    key_name: str
    seconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signatures were verified.

    Attributes:
        signers: Names of the trusted log keys that signed.
        witnessed: One for each witness of the policy that cosigned, in the policy's order.
        policy: What was demanded and is met; None when no policy was given, so that nothing was demanded.
    """

    checkpoint: Checkpoint
    signers: tuple[str, ...]
    witnessed: tuple[Witnessed, ...] = ()
    policy: Policy | None = None


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


def open_checkpoint(
    note: str, verifiers: Sequence[LogKey], *, policy: Policy | None = None
) -> SignedCheckpoint:
    """Verify a signed checkpoint: a trusted key of the log's own name has signed, and the policy's quorum is met.

    A policy adds to the trusted keys: where it names logs, one of those must have signed too. A former key counts up to
    its last size and no further, also where the policy names it: a policy has no place for sizes.

    Raises:
        NoteError: The note is malformed; a signature is false (SignatureError); no trusted key of the log's name has
            signed (UntrustedNoteError); or too few witnesses have cosigned (QuorumError).
        CheckpointError: What was signed is not a checkpoint.
    """
    witness_keys = policy.witness_keys if policy else ()
    accepted = policy.log_keys if policy else ()
    opened = open_note(note, [*verifiers, *accepted, *witness_keys])
    checkpoint = parse_checkpoint(opened.text)
    signed = signers_in_time(opened.signatures, checkpoint.size, verifiers)
    trusted = dict.fromkeys((key.name, key.key_id) for key in verifiers)
    signers = tuple(name for name, key_id in trusted if (name, key_id) in signed)
    # A trusted witness alone must not speak for the log, nor one log for another.
    if checkpoint.origin not in signers:
        raise UntrustedNoteError(_why_untrusted(checkpoint, last_size_signed(opened.signatures, verifiers)))
    if accepted and not any(
        key.name == checkpoint.origin and (key.name, key.key_id) in signed for key in accepted
    ):
        raise UntrustedNoteError(
            f"the checkpoint of {checkpoint.origin} is not signed by a log that the policy accepts"
        )
    if policy is None:
        return SignedCheckpoint(checkpoint, signers)
    witnessed = witnessed_by(opened, policy)
    require_quorum(policy, [witness.name for witness in witnessed])
    return SignedCheckpoint(checkpoint, signers, witnessed, policy)


def _why_untrusted(checkpoint: Checkpoint, last_size: int | None) -> str:
    if last_size is None:
        return f"the checkpoint of {checkpoint.origin} is not signed by a trusted key of that name"
    return (
        f"the checkpoint of {checkpoint.size} entries is signed by a former key of {checkpoint.origin} alone, "
        f"whose last tree had {last_size}"
    )


def witnessed_by(opened: SignedNote, policy: Policy) -> tuple[Witnessed, ...]:
    """Which witnesses of the policy have cosigned; of several cosignatures by one, the latest counts."""
    times: dict[tuple[str, bytes], int] = {}
    for signature in opened.signatures:
        times[signature.signer] = max(cosigned_at(signature), times.get(signature.signer, 0))
    return tuple(
        Witnessed(witness.name, witness.key.name, times[witness.key.name, witness.key.key_id])
        for witness in policy.witnesses
        if (witness.key.name, witness.key.key_id) in times
    )


def require_quorum(policy: Policy, names: Sequence[str]) -> None:
    """Refuse when these witnesses are not enough.

    Raises:
        QuorumError: They are not.
    """
    if not policy.is_met(names):
        told = ", ".join(map(show, names)) if names else "none"
        raise QuorumError(
            f"the witnesses that cosigned ({told}) are not enough for the policy's quorum {show(policy.quorum)}"
        )
