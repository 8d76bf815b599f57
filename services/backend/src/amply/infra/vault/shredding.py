"""Crypto-shredding: deletes a donor's leaf key, so that nothing encrypted under it can be read again, in backups either (ADR
0129).

Three steps, each of which may be repeated. `close`: the database takes nothing under the leaf from then on, so that a process
which has not heard of the erasure seals nothing that would be lost. Then whoever calls erases what there is. `finish`: what stays
under the leaf, since it is not to go, is sealed under the donor's next one, and the leaf is cut out of the tree. Killed between
the first and the last, the command again or an hour later the worker finishes it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.vault.format import Head
from amply.infra.vault.models import ClosedLeafRow, DataKeyRow
from amply.infra.vault.ports import KeyTreeAway
from amply.infra.vault.puncturable_prf import LEAF_BYTES, KeyTree
from amply.infra.vault.reencryption import SealedRows
from amply.infra.vault.resealing import under_leaf
from amply.infra.vault.scopes import NoKeysHere, Scope
from amply.infra.vault.stored_trees import KeyTrees
from amply.kernel.errors import invariant

LEFT_BEHIND: Final = timedelta(hours=1)
"""After this time the worker finishes an interrupted erasure."""
BACKUPS_LAST: Final = timedelta(days=410)
"""Maximum age of backups (`constructs_lib/durability.py`): a restored one needs the trees of its time."""
_ROWS: Final = 200
_LOCK: Final = text("SELECT pg_advisory_xact_lock(leaf_lock(:scope, :version, :leaf))")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A leaf that encrypts nothing any more, and is to be deleted."""

    scope: Scope
    version: int
    leaf: int

    @property
    def head(self) -> Head:
        return Head(version=self.version, leaf=self.leaf)


def close(
    database: Database, kinds: Sequence[SealedRows], *, scope: Scope, whose: Collection[str], now: datetime
) -> list[Closing]:
    """Close the leaves of these people's values in every tree.

    Waits for whoever is sealing under one at the moment: what they wrote is there when it returns. Answers those too that were
    closed before and are not cut yet. Outside transactions: one for each of them, since each waits for others.

    Raises:
        KeyTreeAway, KeyWrappingAway: A tree cannot be read; nothing has changed.
        NoKeysHere: This process has no keys.
    """
    grown = dict(_grown(database, scope))
    found = [
        closing
        for each in sorted(set(whose))
        for closing in _close_one(database, kinds, grown, scope=scope, whose=each, now=now)
    ]
    if database.keyring is not None:
        database.keyring.look_again()
    return found


def _close_one(
    database: Database,
    kinds: Sequence[SealedRows],
    grown: Mapping[int, KeyTree],
    *,
    scope: Scope,
    whose: str,
    now: datetime,
) -> list[Closing]:
    found: list[Closing] = []
    with database.transaction() as session:
        present = []
        for version, tree in grown.items():
            *before, leaf = (
                Closing(scope=scope, version=version, leaf=each)
                for each in _leaves_of(session, tree, whose, scope=scope, version=version)
            )
            found += before
            present.append(leaf)
        for each in present:
            _lock(session, each)
        # Only now: transactions that were encrypting have ended, and their rows are visible.
        if any(_holds(session, kinds, each) for each in present):
            for each in present:
                _close(session, each, now=now)
            found += present
    return found


def finish(
    database: Database, kinds: Sequence[SealedRows], closings: Sequence[Closing], *, now: datetime
) -> None:
    """Delete the leaves once only values that are to be erased are under them. Outside transactions.

    Raises:
        KeyTreeAway, KeyWrappingAway, KeyNotAtHand: It is not done, and is to be done again.
        NoKeysHere: This process has no keys.
    """
    # One kind after the other, as with a rotation: what goes with a gift finds its next leaf only once the gift stands there.
    for kind in kinds:
        _move(database, kind, closings)
    trees = _trees_of(database)
    for scope, version in sorted({(each.scope, each.version) for each in closings}):
        leaves = [each.leaf for each in closings if (each.scope, each.version) == (scope, version)]
        trees.cut(scope, version, leaves)
        with database.transaction() as session:
            session.execute(
                update(ClosedLeafRow)
                .where(
                    ClosedLeafRow.scope == scope,
                    ClosedLeafRow.version == version,
                    ClosedLeafRow.leaf.in_([_bytes(leaf) for leaf in leaves]),
                    ClosedLeafRow.cut_at.is_(None),
                )
                .values(cut_at=now)
            )
        _log.info("leaves_cut", scope=scope, version=version, leaves=len(leaves))
    if closings and database.keyring is not None:
        database.keyring.look_again()


def finish_what_was_left(
    database: Database, kinds: Sequence[SealedRows], *, now: datetime, left_behind: timedelta = LEFT_BEHIND
) -> int:
    """Finish what others closed and left, being killed; and cut again what a copy of a tree that was put back has still, of a
    version that was destroyed too. Return how many leaves.

    What was closed within `left_behind` is somebody's who is still at it: moved under the next leaf, it would outlive the cut.

    Raises:
        KeyTreeAway, KeyWrappingAway, KeyNotAtHand: It is done by a later turn.
        NoKeysHere: This process has no keys.
    """
    with database.transaction() as session:
        closed = session.scalars(
            select(ClosedLeafRow).order_by(ClosedLeafRow.scope, ClosedLeafRow.version, ClosedLeafRow.leaf)
        ).all()
    left = [_closing_of(row) for row in closed if row.cut_at is None and row.closed_at <= now - left_behind]
    finish(database, kinds, left, now=now)
    # Afterwards, since an unavailable tree blocks only searches of all trees.
    had = {scope: dict(_grown(database, scope)) for scope in {row.scope for row in closed}}
    back = [
        each
        for each in (_closing_of(row) for row in closed if row.cut_at is not None)
        if each.version in had[each.scope] and had[each.scope][each.version].has(each.leaf)
    ]
    finish(database, kinds, back, now=now)
    return len(left) + len(back)


def let_go_of_trees(database: Database, *, now: datetime) -> int:
    """Empty the trees of versions destroyed before the oldest backup; return how many.

    Raises:
        KeyTreeAway, KeyTreeMoved: It is done by a later turn.
    """
    with database.transaction() as session:
        rows = session.scalars(
            select(DataKeyRow).where(
                DataKeyRow.tree.is_not(None), DataKeyRow.destroyed_at <= now - BACKUPS_LAST
            )
        ).all()
        found = [(row.scope, row.version) for row in rows]
    for scope, version in found:
        _trees_of(database).empty(scope, version)
        with database.transaction() as session:
            session.execute(
                update(DataKeyRow)
                .where(DataKeyRow.scope == scope, DataKeyRow.version == version)
                .values(tree=None)
            )
        _log.info("key_tree_emptied", scope=scope, version=version)
    return len(found)


def _grown(database: Database, scope: Scope) -> Iterator[tuple[int, KeyTree]]:
    """Every tree of a scope by its version: also of versions that are destroyed, since backups have what those sealed."""
    trees = _trees_of(database)
    with database.transaction() as session:
        found = session.execute(
            select(DataKeyRow.version)
            .where(DataKeyRow.scope == scope, DataKeyRow.tree.is_not(None))
            .order_by(DataKeyRow.version)
        ).scalars()
        versions = list(found)
    for version in versions:
        held = trees.look(scope, version)
        if held is None:
            raise KeyTreeAway(
                f"The tree of keys {scope}/{version} is not there: see docs/runbooks/key-trees.md."
            )
        if held.tree is not None:
            yield version, held.tree


def _trees_of(database: Database) -> KeyTrees:
    if database.keyring is None or database.keyring.trees is None:
        raise NoKeysHere
    return database.keyring.trees


def _closing_of(row: ClosedLeafRow) -> Closing:
    return Closing(scope=row.scope, version=row.version, leaf=int.from_bytes(row.leaf))


def _leaves_of(session: Session, tree: KeyTree, whose: str, *, scope: Scope, version: int) -> Iterator[int]:
    """Those of somebody that are closed and not cut yet, and at last the one that they are sealed under now."""
    for leaf in tree.numbers(whose):
        if tree.has(leaf):
            yield leaf
            if session.get(ClosedLeafRow, (scope, version, _bytes(leaf))) is None:
                return


def _holds(session: Session, kinds: Sequence[SealedRows], closing: Closing) -> bool:
    return any(
        session.scalar(
            select(func.count()).select_from(column.class_).where(under_leaf(column, closing.head))
        )
        for kind in kinds
        for column in kind.columns.get(closing.scope, ())
    )


def _lock(session: Session, closing: Closing) -> None:
    """What every sealing row shares until its transaction ends (the trigger `leaf_is_open`)."""
    session.execute(_LOCK, _named(closing))


def _close(session: Session, closing: Closing, *, now: datetime) -> None:
    session.execute(insert(ClosedLeafRow).values(**_named(closing), closed_at=now).on_conflict_do_nothing())


def _named(closing: Closing) -> dict[str, str | int | bytes]:
    return {"scope": closing.scope, "version": closing.version, "leaf": _bytes(closing.leaf)}


def _move(database: Database, kind: SealedRows, closings: Sequence[Closing]) -> None:
    with database.transaction() as session:
        held = [each for each in closings if _holds(session, [kind], each)]
    for each in held:
        invariant(kind.move is not None, "what is sealed under leaves can be moved from one to another")
        moved = _ROWS
        while kind.move is not None and moved == _ROWS:
            with database.transaction() as session:
                moved = kind.move(session, each.head, _ROWS)


def _bytes(leaf: int) -> bytes:
    return leaf.to_bytes(LEAF_BYTES)
