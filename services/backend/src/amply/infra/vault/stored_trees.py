"""Storage of key trees: wrapped by KMS, outside the database and its backups (ADR 0129)."""

import secrets
import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amply.infra.vault.ports import KeyTreeAway, KeyTreeMoved, KeyWrapping, StoredTree, TreeStore
from amply.infra.vault.puncturable_prf import KeyTree, TreeUnreadable

_FORMAT: Final = b"amply tree at rest 1"
_LENGTH: Final = struct.Struct(">H")
_NONCE_BYTES: Final = 12
_TRIES: Final = 20
"""Retries of conflicting writes. Erasures are requested by people, and rarely concurrent."""
EMPTIED: Final = b"amply tree emptied"
"""Contents of a deleted tree. Deletions are not replicated to the other region; writes are."""


@dataclass(frozen=True, kw_only=True)
class HeldTree:
    """A tree in memory. `tree` is None if it is gone, and with it everything encrypted under it."""

    tree: KeyTree | None
    mark: str
    looked_at: float = field(compare=False)


class KeyTrees:
    """Loads and stores trees, outside transactions.

    `keeps`: whether this process makes trees and changes them; the others may only read.
    """

    def __init__(self, store: TreeStore, wrapping: KeyWrapping, *, keeps: bool) -> None:
        self._store = store
        self._wrapping = wrapping
        self.keeps = keeps

    def look(
        self, scope: str, version: int, *, known: HeldTree | None = None, ticks: float = 0.0
    ) -> HeldTree | None:
        """Load the current tree, or None. `known` is reused if it is unchanged.

        Raises:
            KeyTreeAway, KeyWrappingAway: It cannot be read or opened.
        """
        stored = self._store.read(_name(scope, version), unless=known.mark if known else None)
        if stored is None:
            return None
        if known is not None and stored.mark == known.mark:
            return HeldTree(tree=known.tree, mark=known.mark, looked_at=ticks)
        return HeldTree(
            tree=self._opened(stored, scope=scope, version=version), mark=stored.mark, looked_at=ticks
        )

    def make(self, scope: str, version: int) -> KeyTree:
        """Create a tree, or load the one that another process created first.

        Raises:
            KeyTreeAway, KeyWrappingAway: It cannot be written, read or opened.
        """
        made = KeyTree.grown()
        body = self._closed(made, scope=scope, version=version)
        try:
            self._store.write(_name(scope, version), body, replaces=None)
        except KeyTreeMoved:
            found = self.look(scope, version)
            if found is None or found.tree is None:
                raise KeyTreeAway(
                    "A tree of keys is gone that is to be made: see docs/runbooks/key-trees.md."
                ) from None
            return found.tree
        return made

    def cut(self, scope: str, version: int, leaves: Collection[int]) -> bool:
        """Delete leaves permanently; returns whether any existed. Afterwards none is in the stored tree.

        Raises:
            KeyTreeAway, KeyWrappingAway: It cannot be read, opened or written; what is stored is as it was, or is done.
        """

        def without(tree: KeyTree) -> KeyTree:
            for leaf in sorted(leaves):
                tree = tree.cut(leaf)
            return tree

        return self._change(scope, version, without)

    def empty(self, scope: str, version: int) -> None:
        """Delete a tree and everything it could decrypt. Raises KeyTreeAway, KeyTreeMoved."""
        stored = self._store.read(_name(scope, version))
        if stored is not None and stored.body != EMPTIED:
            self._store.write(_name(scope, version), EMPTIED, replaces=stored.mark)

    def _change(self, scope: str, version: int, change: Callable[[KeyTree], KeyTree]) -> bool:
        for _ in range(_TRIES):
            held = self.look(scope, version)
            if held is None:
                raise _missing(scope, version)
            if held.tree is None:
                return False
            changed = change(held.tree)
            if changed is held.tree:
                return False
            try:
                body = self._closed(changed, scope=scope, version=version)
                self._store.write(_name(scope, version), body, replaces=held.mark)
            except KeyTreeMoved:
                continue
            return True
        raise KeyTreeAway("Others go on changing the tree of keys; run the command again in a minute.")

    def _closed(self, tree: KeyTree, *, scope: str, version: int) -> bytes:
        """Encrypted by a key that is made for this write alone: what is overwritten shares none with what comes after."""
        key, wrapped = self._wrapping.generate(scope=_wrapped_as(scope), version=version)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        content = AESGCM(key).encrypt(nonce, tree.encode(), _bound(scope, version))
        return b"".join((_FORMAT, _LENGTH.pack(len(wrapped)), wrapped, nonce, content))

    def _opened(self, stored: StoredTree, *, scope: str, version: int) -> KeyTree | None:
        body = stored.body
        if body == EMPTIED:
            return None
        at = len(_FORMAT) + _LENGTH.size
        if not body.startswith(_FORMAT) or len(body) < at:
            raise _unreadable(scope, version)
        (length,) = _LENGTH.unpack_from(body, len(_FORMAT))
        wrapped, rest = body[at : at + length], body[at + length :]
        key = self._wrapping.unwrap(wrapped, scope=_wrapped_as(scope), version=version)
        try:
            content = AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound(scope, version))
            return KeyTree.decode(content)
        except (InvalidTag, TreeUnreadable, ValueError):
            raise _unreadable(scope, version) from None


def _name(scope: str, version: int) -> str:
    return f"{scope}/{version}"


def _wrapped_as(scope: str) -> str:
    """What KMS is told that the tree's keys are for; the scope's own is for its envelope keys."""
    return f"{scope}-tree"


def _bound(scope: str, version: int) -> bytes:
    return f"amply/tree/1\0{scope}\0{version}".encode()


def _missing(scope: str, version: int) -> KeyTreeAway:
    return KeyTreeAway(f"The tree of keys {scope}/{version} is not there: see docs/runbooks/key-trees.md.")


def _unreadable(scope: str, version: int) -> KeyTreeAway:
    return KeyTreeAway(f"The tree of keys {scope}/{version} does not open: see docs/runbooks/key-trees.md.")
