"""In-process cache of key trees: refreshed with the keys, and kept while their store is unavailable (ADR 0129)."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, text

from amply.infra.vault.format import Head, LeafCut, head_of
from amply.infra.vault.ports import KeyTreeAway, KeyWrappingAway
from amply.infra.vault.puncturable_prf import KeyTree
from amply.infra.vault.stored_trees import HeldTree, KeyTrees

_CLOSED: Final = text("""
    SELECT version, leaf FROM closed_leaf WHERE scope = :scope AND cut_at IS NULL
""")
_GROWN: Final = text("""
    UPDATE data_key SET tree = :tree WHERE scope = :scope AND version = :version AND tree IS NULL
""")


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """A process's copy of one key version's tree.

    Attributes:
        begin_at: When values begin to be sealed under leaves: every process reads them by then.
        grown: Which tree the version has, as the database remembers it; None before one is made.
        held: The tree; None where it could not be read since this process began, or for hours.
        closed: Leaves under which nothing is sealed any more, since they are about to be cut.
    """

    begin_at: datetime
    grown: bytes | None
    held: HeldTree | None
    closed: frozenset[int] = field(default=frozenset(), repr=False)

    def are_away(self) -> bool:
        """Whether there is a tree that this process could not load."""
        return self.grown is not None and self.held is None

    def begun(self, now: datetime) -> KeyTree | None:
        """The tree whose leaves encrypt new values; None before that begins."""
        if self.held is None or self.begin_at > now:
            return None
        return self.held.tree

    def beside(self, sealed: bytes, *, version: int, tree: KeyTree, of: str) -> Head:
        """Header for a value that goes with another encrypted one: under the same leaf, if it is still open.

        Where that leaf is cut, whoever it is of was erased: what comes afterwards has a leaf of its own.
        """
        found = head_of(sealed)
        if found.leaf is None or found.version != version or found.leaf in self.closed:
            return Head(version=version)
        return (
            found
            if tree.has(found.leaf)
            else Head(version=version, leaf=tree.leaf_of(of, closed=self.closed))
        )

    def key_for(self, head: Head, *, key: bytes) -> bytes:
        """The key for a value with this header, derived from version key and leaf together.

        Raises:
            LeafCut: Whoever it is of was erased.
        """
        if head.leaf is None:
            return key
        tree = self.held.tree if self.held is not None else None
        leaf = None if tree is None else tree.derive(head.leaf)
        if leaf is None:
            raise LeafCut("whoever this is of was erased: the leaf it was sealed under is cut out")
        return hmac.digest(leaf, key, "sha256")


@dataclass(frozen=True, kw_only=True)
class LoadedTrees:
    """A scope's trees by version, and the error that kept one from being read."""

    leaves: Mapping[int, Leaves]
    away: KeyTreeAway | KeyWrappingAway | None


def look(
    engine: Engine,
    trees: KeyTrees,
    *,
    scope: str,
    rows: Sequence[Any],
    before: Mapping[int, Leaves],
    ticks: float,
    oldest: float,
) -> LoadedTrees:
    """Load every version's current tree. Processes that keep trees create missing first ones.

    `oldest`: one that was looked at before that is let go of. Outside transactions.
    """
    closed = _closed(engine, scope)
    found: dict[int, Leaves] = {}
    away: KeyTreeAway | KeyWrappingAway | None = None
    for row in rows:
        known = before.get(row.version)
        held = known.held if known is not None and known.held and known.held.looked_at >= oldest else None
        grown = row.tree
        try:
            if grown is None and trees.keeps:
                grown = _grow(engine, trees, scope, row.version)
            if grown is not None:
                held = _read(trees, scope, row.version, grown=grown, known=held, ticks=ticks)
        except (KeyTreeAway, KeyWrappingAway) as error:
            away = error
        found[row.version] = Leaves(
            begin_at=row.leaves_begin_at, grown=grown, held=held, closed=closed.get(row.version, frozenset())
        )
    return LoadedTrees(leaves=found, away=away)


def _read(
    trees: KeyTrees, scope: str, version: int, *, grown: bytes, known: HeldTree | None, ticks: float
) -> HeldTree:
    found = trees.look(scope, version, known=known, ticks=ticks)
    if found is None or (found.tree is not None and found.tree.id != grown):
        what = "not there" if found is None else "another one"
        raise KeyTreeAway(f"The tree of keys {scope}/{version} is {what}: see docs/runbooks/key-trees.md.")
    return found


def _grow(engine: Engine, trees: KeyTrees, scope: str, version: int) -> bytes:
    """Killed between the two, the next one finds the tree and writes down which it is."""
    made = trees.make(scope, version)
    with engine.begin() as connection:
        connection.execute(_GROWN, {"scope": scope, "version": version, "tree": made.id})
    return made.id


def _closed(engine: Engine, scope: str) -> Mapping[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    with engine.connect() as connection:
        for row in connection.execute(_CLOSED, {"scope": scope}):
            found.setdefault(row.version, set()).add(int.from_bytes(row.leaf))
    return {version: frozenset(leaves) for version, leaves in found.items()}
