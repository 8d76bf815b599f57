"""The Merkle tree of RFC 6962 §2.1 over SHA-256, and the verification of its proofs (RFC 9162 §2.1.3 and §2.1.4)."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from ledger_format.errors import ProofError
from ledger_format.literals import EMPTY_ROOT, check_hash, check_integer

# Domain separation: a leaf can never be read as a node, nor a node as a leaf.
_LEAF_PREFIX: Final = b"\x00"
_NODE_PREFIX: Final = b"\x01"
_PAIR: Final = struct.Struct("64s")  # what a node's message holds behind its prefix: two hashes

# A copy of a hash that has begun costs less than a new one, and less than putting a prefix before a message.
begin_leaf: Final = hashlib.sha256(_LEAF_PREFIX).copy
"""Begin a leaf's hash: `update` it with the entry's bytes."""
_begin_node: Final = hashlib.sha256(_NODE_PREFIX).copy


def leaf_hash(raw: bytes) -> bytes:
    """Hash one entry's bytes as a leaf."""
    return hashlib.sha256(_LEAF_PREFIX + raw).digest()


def leaf_hashes(raws: Iterable[bytes]) -> list[bytes]:
    """Hash many entries' bytes as leaves, a little faster than one by one."""
    hashes = []
    for raw in raws:
        leaf = begin_leaf()
        leaf.update(raw)
        hashes.append(leaf.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two 32-byte hashes as their parent."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


def parents_of(row: Sequence[bytes]) -> list[bytes]:
    """Hash one level of a tree into the level above; an unpaired last hash goes up unchanged (RFC 6962's split)."""
    above, begin = [], _begin_node
    # One join and one cut: half of what it costs to put each pair together by itself.
    for (pair,) in _PAIR.iter_unpack(b"".join(row[:-1] if len(row) % 2 else row)):
        node = begin()
        node.update(pair)
        above.append(node.digest())
    if len(row) % 2:
        above.append(row[-1])
    return above


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Compute the tree's root from all its leaf hashes, in order."""
    if not leaf_hashes:
        return EMPTY_ROOT
    row = leaf_hashes
    while len(row) > 1:
        row = parents_of(row)
    return row[0]


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Verify that the leaf hash `leaf` stands at `index` in the tree of `size` leaves with this root.

    `proof` goes from the leaf's sibling to the root's child.

    Raises:
        ProofError: It does not, or a hash is not 32 bytes, or the index lies outside the tree.
    """
    _check_hashes(leaf, root, *proof)
    check_integer(size, what="the tree size", error=ProofError)
    check_integer(index, what="the index", error=ProofError)
    if index >= size:
        raise ProofError(f"index {index} lies outside a tree of {size} entries")
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _skip_unpaired(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the inclusion proof is too short")
    if computed != root:
        raise ProofError("the inclusion proof does not lead to the root of the tree")


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Verify that the tree of `new_size` leaves extends the tree of `old_size` leaves, changing nothing in it.

    Raises:
        ProofError: It does not, or a hash is not 32 bytes, or the old tree is empty (every tree extends the empty
            one, so a proof from it proves nothing).
    """
    check_integer(old_size, what="the old tree size", error=ProofError, minimum=1)
    check_integer(new_size, what="the new tree size", error=ProofError, minimum=1)
    if old_size > new_size:
        raise ProofError(f"a tree of {new_size} entries cannot extend one of {old_size}")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ProofError("two trees of one size must have one root and an empty proof")
        return  # equal bytes of any length: nothing is hashed here, and decoding has checked lengths
    _check_hashes(old_root, new_root, *proof)
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)  # a complete old tree is itself the first node of the path
    if not path:
        raise ProofError("the consistency proof is too short")
    if _climb(old_size - 1, new_size - 1, path) != (old_root, new_root):
        raise ProofError("the consistency proof does not lead from the old root to the new root")


def _climb(node: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Compute the old and the new root along a consistency path (RFC 9162 §2.1.4.2, steps 3 to 6)."""
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            node, last = _skip_unpaired(node, last)
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("the consistency proof is too short")
    return old, new


def _skip_unpaired(node: int, last: int) -> tuple[int, int]:
    """Climb past the levels on which a left node has no sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _check_hashes(*hashes: bytes) -> None:
    for value in hashes:
        check_hash(value, what="every hash of a proof", error=ProofError)
