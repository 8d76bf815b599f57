"""Fork protection: refuses to sign a checkpoint that does not extend what was already published.

A database restored from a backup, or a replica that lagged when it took over, has forgotten entries the world has
receipts for. Its next checkpoint would be a signed proof that this log is not honest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.checkpoints import Checkpoint, open_checkpoint
from ledger_format.errors import CheckpointError, NoteError, ProofError
from ledger_format.merkle import verify_consistency
from ledger_format.notes import VerifierKey, open_note
from ledger_format.tiles import consistency_proof, tree_root

_ADVICE: Final = "Nothing was signed. See docs/runbooks/ledger-fork.md."


class ForkRefused(Exception):
    """Signing would contradict the last published checkpoint. A person must look; waiting does not help."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} {_ADVICE}")
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class FormerKey:
    """A former signing key, and the size of the last tree it signed; None during the overlap."""

    key: VerifierKey
    last_size: int | None


@dataclass(frozen=True, kw_only=True)
class PublicCheckpoint:
    """The verified public checkpoint; `by_present_key`: signed by the current key."""

    checkpoint: Checkpoint
    by_present_key: bool


def open_public(note: str, *, key: VerifierKey, former: Sequence[FormerKey] = ()) -> PublicCheckpoint:
    """Read the public checkpoint and make sure that it is ours.

    Raises:
        ForkRefused: It is malformed, of another log, not signed by our key or a former one, or signed by a former one
            that had already ended.
    """
    keys = [key, *(known.key for known in former)]
    try:
        opened = open_note(note, keys)
        checkpoint = open_checkpoint(note, keys).checkpoint
    except (NoteError, CheckpointError) as error:
        raise ForkRefused(f"The public checkpoint is not one this log's key has signed: {error}.") from error
    signed = {signature.key_id for signature in opened.signatures}
    if key.key_id in signed:
        return PublicCheckpoint(checkpoint=checkpoint, by_present_key=True)
    ends = [known.last_size for known in former if known.key.key_id in signed]
    if not any(end is None or checkpoint.size <= end for end in ends):
        raise ForkRefused(
            f"The public checkpoint of {checkpoint.size} entries is signed by a former key only, which ended at "
            f"{max(end for end in ends if end is not None)}."
        )
    return PublicCheckpoint(checkpoint=checkpoint, by_present_key=False)


def refuse_fork(session: Session, *, public: Checkpoint | None, published_size: int, size: int) -> bytes:
    """Make sure that the tree of `size` leaves extends the public one; return its root.

    `published_size` is the newest size this database knows to be public, or 0.

    Raises:
        ForkRefused: It does not, or what was published is gone.
    """
    if public is None and published_size:
        raise ForkRefused(f"A checkpoint of {published_size} entries was published, and none is public now.")
    sequenced = tree_size(session)
    if public is not None and public.size > sequenced:
        raise ForkRefused(
            f"The public checkpoint has {public.size} entries, this database only {sequenced}: "
            "it was restored from an older state, or is not the one that published."
        )
    reader = tile_reader(session)
    root = tree_root(size, reader)
    if public is None:
        return root
    try:
        verify_consistency(
            old_size=public.size,
            old_root=public.root,
            new_size=size,
            new_root=root,
            proof=consistency_proof(public.size, size, reader),
        )
    except ProofError as error:
        raise ForkRefused(
            f"The log of {size} entries does not extend the public checkpoint of {public.size}: {error}."
        ) from error
    return root
