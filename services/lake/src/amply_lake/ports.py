"""Ports of the anonymiser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Keys(Protocol):
    """Secret keys by purpose. In the cloud, KMS's HMAC of the purpose, so that the master key never leaves it."""

    def key(self, purpose: str) -> bytes:
        """The key of 32 bytes for a purpose: the same whenever it is asked for, and none that leads to another."""
        ...


class Signer(Protocol):
    """The Ed25519 key that signs certificates."""

    @property
    def name(self) -> str:
        """What the key's signatures stand under."""
        ...

    @property
    def public_key(self) -> bytes:
        """Its 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        ...


class ReleaseLedger(Protocol):
    """Append-only record of a dataset's releases to any buyer, and of the batches behind them.

    One writer at a time gets through: who appends a record that is there already has read an old ledger.
    """

    def records(self, first: int = 0) -> Iterator[bytes]:
        """The records from this number on, in order, one after another: together they may be more than memory holds."""
        ...

    def append(self, number: int, record: bytes) -> None:
        """Add a record as the one with this number, from 0.

        Raises:
            LedgerConflict: There is one.
        """
        ...

    def keep(self, name: str, path: Path) -> None:
        """Keep a copy of a file under a name that its hash is part of; keeping it again is nothing."""
        ...

    def fetch(self, name: str) -> Path:
        """A kept file, to be read.

        Raises:
            LedgerError: It is not there.
        """
        ...
