"""Ports of the ledger: signer, witnesses, public storage, and write-once archive.

What a store cannot do for reasons of its own (away, not permitted, not there) is its own exception, passed through:
the caller's turn fails with it, nothing is signed, and the next turn tries again.
"""

from dataclasses import dataclass
from typing import Protocol


class AlreadyDifferent(Exception):
    """An immutable object exists with other bytes: two logs write to one place."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} already holds something else")
        self.path = path


class CheckpointMoved(Exception):
    """The public checkpoint changed since it was read: another publisher was first."""


@dataclass(frozen=True, kw_only=True)
class StoredCheckpoint:
    """The public checkpoint: the signed note, and its ETag."""

    note: str
    version: str


class WitnessAway(Exception):
    """A witness gave no usable answer, for the reason in the message."""


@dataclass(frozen=True, kw_only=True)
class WitnessAnswer:
    """A witness's HTTP response, unverified."""

    status: int
    content_type: str
    body: str


class Witness(Protocol):
    """A witness that cosigns checkpoints (c2sp.org/tlog-witness)."""

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Send the body of `add-checkpoint`.

        Raises:
            WitnessAway: There is no answer in time, or none that is short and text.
        """
        ...


class Signer(Protocol):
    """An Ed25519 key (RFC 8032, pure) in a key service."""

    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature over `message`, at most 4,096 bytes."""
        ...


class PublicLog(Protocol):
    """The public log's storage: tiles, entry bundles and one checkpoint, by the paths of C2SP tlog-tiles."""

    def checkpoint(self) -> StoredCheckpoint | None:
        """The checkpoint everyone sees now; None before the first."""
        ...

    def put_full(self, path: str, body: bytes) -> None:
        """Store a full tile or bundle, for ever. Storing the same again changes nothing.

        Raises:
            AlreadyDifferent: The path holds other bytes.
        """
        ...

    def put_partial(self, path: str, body: bytes) -> None:
        """Store a partial tile or bundle; its full version will take its place."""
        ...

    def let_go(self, path: str) -> None:
        """A full tile or bundle has taken this partial one's place: it may be gone some days from now.

        Saying it again changes nothing, nor does saying it of one that is not there.
        """
        ...

    def replace_checkpoint(self, note: str, *, replaces: str | None) -> None:
        """Replace the public checkpoint if its version is unchanged (None: there was none).

        Raises:
            CheckpointMoved: It does not.
        """
        ...


class Archive(Protocol):
    """Write-once copies that nobody can delete, ourselves included."""

    def keep(self, path: str, body: bytes) -> None:
        """Store a copy. Idempotent.

        Raises:
            AlreadyDifferent: The path holds other bytes.
        """
        ...
