"""Puncturable PRF: a binary tree of keys (GGM) from which single leaves can be deleted for good (ADR 0129).

Each node's secret makes those of its two children by a one-way function, so that the root makes 2^64 leaves (Goldreich,
Goldwasser and Micali, "How to construct random functions", J. ACM 33, 1986). To cut a leaf out, the secrets on the way to it are
replaced by those of the siblings beside the way: whatever they make is what it was, and nothing makes the leaf. That is a
puncturable pseudorandom function (Boneh and Waters, "Constrained pseudorandom functions", 2013).
"""

import hmac
import itertools
import secrets
import struct
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from amply.kernel.errors import InvariantViolation, invariant

LEAF_BITS: Final = 64
LEAF_BYTES: Final = 8
SECRET_BYTES: Final = 32
ID_BYTES: Final = 16

_SIDES: Final = (b"amply/tree/0\0", b"amply/tree/1\0")
"""With a secret behind it each fills one block of SHA-256, and all inputs are of one length: nothing can be added to them."""
_FORMAT: Final = b"amply key tree 1"
_NODE: Final = struct.Struct(f">QB{SECRET_BYTES}s")
_NOT_CUT: Final[frozenset[int]] = frozenset()


class TreeUnreadable(InvariantViolation):
    """The bytes are not a tree, or of a newer format."""


@dataclass(frozen=True, kw_only=True)
class KeyTree:
    """A punctured tree: secrets of the remaining nodes, none of which is below another.

    Attributes:
        id: Which tree it is, at random; the database remembers it.
        naming: Makes the numbers of donors, so that a number says nothing to whoever has no tree.
        starts: The first leaf below each node that is left, in ascending order.
        depths: How far below the root each of them is, 0 to 64.
        nodes: Their secrets, 32 bytes each.
    """

    id: bytes
    naming: bytes = field(repr=False)
    starts: "array[int]" = field(repr=False)
    depths: bytes = field(repr=False)
    nodes: bytes = field(repr=False)

    @classmethod
    def grown(cls) -> Self:
        """A new tree with all its leaves."""
        return cls(
            id=secrets.token_bytes(ID_BYTES),
            naming=secrets.token_bytes(SECRET_BYTES),
            starts=array("Q", [0]),
            depths=b"\0",
            nodes=secrets.token_bytes(SECRET_BYTES),
        )

    def number(self, donor: str, *, generation: int) -> int:
        """The number of one of a donor's leaves, a keyed hash: unlinkable between trees, and not computable without the
        tree.
        """
        named = hmac.digest(self.naming, f"{generation}\0{donor}".encode(), "sha256")
        return int.from_bytes(named[:LEAF_BYTES])

    def numbers(self, donor: str) -> Iterator[int]:
        """A donor's leaves in order of generation: a new one after each erasure."""
        for generation in itertools.count():
            yield self.number(donor, generation=generation)

    def leaf_of(self, donor: str, *, closed: Collection[int] = _NOT_CUT) -> int:
        """The leaf that encrypts a donor's values: their first that is neither deleted nor closed.

        Raises:
            InvariantViolation: No leaf is left at all.
        """
        invariant(len(self.starts) > 0, "a tree that seals has leaves")
        return next(leaf for leaf in self.numbers(donor) if leaf not in closed and self.has(leaf))

    def has(self, leaf: int) -> bool:
        """Whether a leaf still exists."""
        return self._above(leaf) is not None

    def derive(self, leaf: int) -> bytes | None:
        """The leaf's secret; None once it is deleted."""
        found = self._above(leaf)
        return None if found is None else _down(self._node(found), leaf, depth=self.depths[found])

    def cut(self, leaf: int) -> Self:
        """The tree without a leaf (punctured). Idempotent."""
        found = self._above(leaf)
        if found is None:
            return self
        left, right = _beside(self._node(found), leaf, depth=self.depths[found])
        # What lies left of the way comes nearer to the leaf from node to node; what lies right of it goes away from it.
        beside = [*left, *reversed(right)]
        return type(self)(
            id=self.id,
            naming=self.naming,
            starts=self.starts[:found]
            + array("Q", [each.start for each in beside])
            + self.starts[found + 1 :],
            depths=self.depths[:found] + bytes(each.depth for each in beside) + self.depths[found + 1 :],
            nodes=self.nodes[: found * SECRET_BYTES]
            + b"".join(each.secret for each in beside)
            + self.nodes[(found + 1) * SECRET_BYTES :],
        )

    def encode(self) -> bytes:
        """The tree's bytes, for `decode`."""
        nodes = (
            _NODE.pack(start, depth, self._node(place))
            for place, (start, depth) in enumerate(zip(self.starts, self.depths, strict=True))
        )
        return b"".join((_FORMAT, self.id, self.naming, *nodes))

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """Parse the bytes of `encode`.

        Raises:
            TreeUnreadable: These bytes are no tree, or one of a later release.
        """
        head = len(_FORMAT) + ID_BYTES + SECRET_BYTES
        is_whole = len(encoded) >= head and (len(encoded) - head) % _NODE.size == 0
        if not is_whole or not encoded.startswith(_FORMAT):
            raise TreeUnreadable("these bytes are no tree of keys that this release knows")
        found = list(_NODE.iter_unpack(encoded[head:]))
        _check([(start, depth) for start, depth, _ in found])
        return cls(
            id=encoded[len(_FORMAT) :][:ID_BYTES],
            naming=encoded[head - SECRET_BYTES : head],
            starts=array("Q", [start for start, _, _ in found]),
            depths=bytes(depth for _, depth, _ in found),
            nodes=b"".join(secret for _, _, secret in found),
        )

    def _node(self, place: int) -> bytes:
        return self.nodes[place * SECRET_BYTES : (place + 1) * SECRET_BYTES]

    def _above(self, leaf: int) -> int | None:
        """Where the node stands that makes a leaf."""
        place = bisect_right(self.starts, leaf) - 1
        if place < 0 or leaf - self.starts[place] >= _leaves_below(self.depths[place]):
            return None
        return place


@dataclass(frozen=True)
class _Node:
    start: int
    depth: int
    secret: bytes = field(repr=False)


def _leaves_below(depth: int) -> int:
    return 1 << (LEAF_BITS - depth)


def _down(secret: bytes, leaf: int, *, depth: int) -> bytes:
    """From a node's secret to that of a leaf below it, a bit at a time, the highest one first."""
    for shift in range(LEAF_BITS - 1 - depth, -1, -1):
        secret = sha256(_SIDES[leaf >> shift & 1] + secret).digest()
    return secret


def _beside(secret: bytes, leaf: int, *, depth: int) -> tuple[list[_Node], list[_Node]]:
    """The siblings along the way from a node to a leaf: those left of it, and those right of it, from above."""
    beside: tuple[list[_Node], list[_Node]] = ([], [])
    for below in range(depth + 1, LEAF_BITS + 1):
        shift = LEAF_BITS - below
        side = leaf >> shift & 1
        sibling = sha256(_SIDES[1 - side] + secret).digest()
        beside[1 - side].append(_Node(start=(leaf >> shift ^ 1) << shift, depth=below, secret=sibling))
        secret = sha256(_SIDES[side] + secret).digest()
    return beside


def _check(found: Collection[tuple[int, int]]) -> None:
    """Each node begins where one of its depth can, behind the leaves of the one before."""
    behind = 0
    for start, depth in found:
        if depth > LEAF_BITS or start % _leaves_below(depth) or start < behind:
            raise TreeUnreadable("the nodes of a tree of keys are not in order")
        behind = start + _leaves_below(depth)
