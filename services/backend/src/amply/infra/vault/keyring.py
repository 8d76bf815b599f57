"""In-process cache of unwrapped envelope keys: fetched outside transactions, used inside them."""

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Engine, Row, text
from sqlalchemy.exc import SQLAlchemyError

from amply.infra.vault import format as sealed_format
from amply.infra.vault import leaves as at_hand
from amply.infra.vault.format import CellLocation, Head, SealedBytesUnreadable
from amply.infra.vault.leaves import Leaves
from amply.infra.vault.ports import KeyTreeAway, KeyWrapping, KeyWrappingAway
from amply.infra.vault.scopes import ALWAYS, DONORS, WITH_TREES, KeyNotAtHand, Scope
from amply.infra.vault.stored_trees import KeyTrees
from amply.kernel.clock import Clock, system_clock
from amply.kernel.errors import invariant

LOOK_EVERY: Final = timedelta(minutes=5)
"""How often a process looks for new key versions."""
COMING: Final = timedelta(minutes=15)
"""How long a new version is for decryption only, until every process knows it."""
UNWRAP_EVERY: Final = timedelta(hours=1)
KEPT_AT_MOST: Final = timedelta(hours=12)
"""Cache lifetime while the key service is unavailable: afterwards personal data can be neither read nor written."""
_AGAIN: Final = timedelta(seconds=5)
_OTHERS_MAX: Final = 500

KEYRING: Final = "keyring"
"""The key in `Session.info` under which a session holds its keyring (`Database.transaction`)."""
AWAY: Final = "personal_keys_away"
"""Event name of a log line that an alarm counts."""
TREE_AWAY: Final = "key_tree_away"
"""The same for a key tree that is missing or unreadable."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _CachedKey:
    version: int
    key: bytes = field(repr=False)
    seals_from: datetime
    seals_later_from: datetime
    unwrapped_at: float
    leaves: Leaves | None = None
    """None where the scope has no trees, or the process was given no place to read them from."""


_FIND: Final = text("""
    SELECT
        version, wrapped, tree, leaves_begin_at,
        greatest(seals_from, begins_at) AS seals_from,
        greatest(seals_from, begins_at, later_begins_at) AS seals_later_from
    FROM data_key CROSS JOIN sealing
    WHERE scope = :scope AND wrapped IS NOT NULL
    ORDER BY version
""")
_MAKE: Final = text("""
    INSERT INTO data_key (scope, version, wrapped, seals_from, created_at)
    VALUES (:scope, :version, :wrapped, :seals_from, :now)
    ON CONFLICT DO NOTHING
""")
_NEWEST: Final = text("SELECT coalesce(max(version), 0) FROM data_key WHERE scope = :scope")


class Keyring:
    """Keys by scope and version. `Database` refreshes it before each transaction (`freshen`).

    `only_opens`: this process seals nothing and makes no key; what it writes is sealed by the worker.

    A process that has keys goes on with them while the key service is away, and looks from a thread of its own, so that
    nobody waits. One that has none yet asks before its first transaction.

    `trees`: where the trees of keys are. Without it everything is sealed by the keys of the scopes alone.
    """

    def __init__(
        self,
        engine: Engine,
        wrapping: KeyWrapping,
        *,
        trees: KeyTrees | None = None,
        scopes: Sequence[Scope] = ALWAYS,
        only_opens: bool = False,
        clock: Clock = system_clock,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._wrapping = wrapping
        self.trees = trees
        self._always = tuple(scopes)
        self._only_opens = only_opens
        self._clock = clock
        self._ticks = ticks
        self._held: OrderedDict[Scope, Mapping[int, _CachedKey]] = OrderedDict()
        self._due = self._looked = ticks()
        self._looking = threading.Lock()

    def freshen(self) -> None:
        """Look for new key versions when it is time; never fails. Outside transactions."""
        ticks = self._ticks()
        if ticks < self._due:
            return
        is_ready = all(self._held.get(scope) for scope in self._always)
        if is_ready and ticks - self._looked < (LOOK_EVERY + _AGAIN + COMING / 2).total_seconds():
            if self._looking.acquire(blocking=False):
                self._due = ticks + LOOK_EVERY.total_seconds()
                threading.Thread(target=self._look_and_release, name="keyring", daemon=True).start()
            return
        with self._looking:
            if self._ticks() >= self._due:
                self._look()

    def hold(self, scope: Scope, *, makes: bool = True) -> None:
        """Load the keys of a scope. Outside transactions.

        `makes`: the first one, where there is none; without, nothing is sealed yet where there is none.

        Raises:
            KeyNotAtHand: The key service does not answer, and they are not at hand already.
        """
        try:
            self._fetch(scope, makes=makes)
        except (KeyWrappingAway, KeyTreeAway) as error:
            _tell(scope, error)
        if not self._versions(scope) and makes and not self._only_opens:
            raise KeyNotAtHand(scope)
        while len(self._held) > _OTHERS_MAX + len(self._always):
            oldest = next(each for each in list(self._held) if each not in self._always)
            del self._held[oldest]

    def rotate(self, scope: Scope, *, now: datetime) -> int:
        """Create another key version, and return its number. It encrypts after `COMING`. Outside transactions.

        Raises:
            KeyWrappingAway: The key service does not answer; nothing has changed.
        """
        with self._engine.connect() as connection:
            version = int(connection.execute(_NEWEST, {"scope": scope}).scalar_one()) + 1
        self._make(scope, version, seals_from=now + COMING if version > 1 else now, now=now)
        self._fetch(scope)
        return version

    def seals(self, scope: Scope, *, is_later: bool = False) -> bool:
        """Whether values are encrypted yet: not while processes of the previous release, which cannot decrypt, may run.

        `is_later`: of tables that were sealed a release later than the first ones (ADR 0128). Never where this process only opens.

        Raises:
            KeyNotAtHand: No key of the scope is at hand.
        """
        if self._only_opens:
            return False
        versions = self._versions(scope)
        if not versions:
            raise KeyNotAtHand(scope)
        now = self._clock()
        return any(
            (held.seals_later_from if is_later else held.seals_from) <= now for held in versions.values()
        )

    def newest(self, scope: Scope) -> int:
        """The version that encrypts now.

        Raises:
            KeyNotAtHand: None does.
        """
        return self._sealing(scope).version

    def begins(self, scope: Scope) -> bytes:
        """Prefix of newly encrypted values in a scope with trees: under leaves, once that has begun.

        Raises:
            KeyNotAtHand: None does.
        """
        held = self._sealing(scope)
        if held.leaves is None or held.leaves.begun(self._clock()) is None:
            return sealed_format.prefix(held.version)
        return sealed_format.leafed_prefix(held.version)

    def seal(
        self,
        content: bytes,
        *,
        scope: Scope,
        at: CellLocation,
        of: str | None = None,
        beside: bytes | None = None,
    ) -> bytes:
        """Encrypt a value for a cell. `of`: the person it belongs to, as a text shared by all that is erased with them.

        `beside`: something sealed whose leaf this goes under, where it has one of the newest version that is not about to be cut.
        Without any, and where the scope has no trees, the key of the scope seals it alone, and no erasure closes copies of it.

        Raises:
            KeyNotAtHand: No key that seals is at hand, or the tree is away.
        """
        held = self._sealing(scope)
        head = self._head(held, of, beside) if of is not None else Head(version=held.version)
        return sealed_format.seal(_key_for(held, head), content, head=head, bound=at.bound(scope))

    def open(self, sealed: bytes, *, scope: Scope, at: CellLocation) -> bytes:
        """Decrypt a value of this cell.

        Raises:
            KeyNotAtHand: The key, or the tree, is not at hand.
            LeafCut: Whoever it is of was erased: an ordinary state of a database that was restored.
            SealedBytesUnreadable: It was sealed for another place, or changed, or its key was destroyed.
        """
        head = sealed_format.head_of(sealed)
        held = self._of_version(scope, head.version)
        if head.leaf is not None and scope not in WITH_TREES:
            raise SealedBytesUnreadable("a value under a leaf stands where nothing is sealed under leaves")
        if head.leaf is not None and (held.leaves is None or held.leaves.held is None):
            self.look_again()
            raise KeyNotAtHand(scope)
        return sealed_format.unseal(_key_for(held, head), sealed, bound=at.bound(scope))

    def look_again(self) -> None:
        """Refresh before the next transaction, which waits for it."""
        self._due = self._looked = 0.0

    def index(self, content: str, *, scope: Scope) -> bytes:
        """Blind index of a text: HMAC-SHA-256 with the key version as prefix."""
        return _index(self._sealing(scope), content)

    def indexes(self, content: str, *, scope: Scope) -> list[bytes]:
        """Blind indexes of a text under every live key version, since a rotation takes time.

        Raises:
            KeyNotAtHand: No key of the scope is at hand.
        """
        versions = self._versions(scope)
        if not versions:
            raise KeyNotAtHand(scope)
        return [_index(held, content) for held in versions.values()]

    def _sealing(self, scope: Scope) -> _CachedKey:
        now = self._clock()
        found = [held for held in self._versions(scope).values() if held.seals_from <= now]
        if not found:
            raise KeyNotAtHand(scope)
        return found[-1]

    def _of_version(self, scope: Scope, version: int) -> _CachedKey:
        versions = self._versions(scope)
        if version in versions:
            return versions[version]
        if versions and version < max(versions):
            raise SealedBytesUnreadable("the key of a sealed value was destroyed")
        self.look_again()
        raise KeyNotAtHand(scope)

    def _head(self, held: _CachedKey, of: str, beside: bytes | None) -> Head:
        leaves = held.leaves
        tree = leaves.begun(self._clock()) if leaves is not None else None
        if leaves is None or (tree is None and not leaves.are_away()):
            return Head(version=held.version)
        if tree is None:
            self.look_again()
            raise KeyNotAtHand(DONORS)
        if beside is not None:
            return leaves.beside(beside, version=held.version, tree=tree, of=of)
        return Head(version=held.version, leaf=tree.leaf_of(of, closed=leaves.closed))

    def _versions(self, scope: Scope) -> Mapping[int, _CachedKey]:
        oldest = self._ticks() - KEPT_AT_MOST.total_seconds()
        held = self._held.get(scope, {})
        if any(each.unwrapped_at < oldest for each in held.values()):
            return {}
        return held

    def _look_and_release(self) -> None:
        try:
            self._look()
        finally:
            self._looking.release()

    def _look(self) -> None:
        """Every scope at hand. What fails is tried again in seconds; what is at hand stays meanwhile.

        Having looked is to know all versions: that KMS does not open one again makes nobody wait.
        """
        self._due = self._ticks() + LOOK_EVERY.total_seconds()
        for scope in (*self._always, *(each for each in list(self._held) if each not in self._always)):
            try:
                self._fetch(scope, makes=scope in self._always)
            except (KeyWrappingAway, KeyTreeAway) as error:
                self._try_again(scope, error)
                if not self._held.get(scope):
                    return  # the others would wait as long
            except SQLAlchemyError as error:
                self._try_again(scope, error)
                return
        self._looked = self._ticks()

    def _try_again(self, scope: Scope, error: Exception) -> None:
        _tell(scope, error)
        self._due = self._ticks() + _AGAIN.total_seconds()

    def _fetch(self, scope: Scope, *, makes: bool = True) -> None:
        """Raises KeyWrappingAway or KeyTreeAway once everything that is at hand, or can be opened, is kept."""
        rows = self._rows(scope)
        if not rows and makes and not self._only_opens:
            self._make(scope, 1, seals_from=self._clock(), now=self._clock())
            rows = self._rows(scope)
        before, ticks = self._held.get(scope, {}), self._ticks()
        held: dict[int, _CachedKey] = {}
        away: KeyWrappingAway | KeyTreeAway | None = None
        for row in rows:
            known = before.get(row.version)
            if known is None or ticks - known.unwrapped_at >= UNWRAP_EVERY.total_seconds():
                try:
                    key = self._wrapping.unwrap(row.wrapped, scope=scope, version=row.version)
                    known = _held(row, key, ticks)
                except KeyWrappingAway as error:
                    away = error
            if known is not None:
                held[row.version] = _held(row, known.key, known.unwrapped_at)
        if self.trees is not None and scope in WITH_TREES:
            looked = self._look_at_trees(self.trees, scope, rows, before)
            held = {each: replace(had, leaves=looked.leaves.get(each)) for each, had in held.items()}
            away = away or looked.away
        self._held[scope] = held
        self._held.move_to_end(scope)
        if away is not None:
            raise away

    def _look_at_trees(
        self, trees: KeyTrees, scope: Scope, rows: Sequence[Row[Any]], before: Mapping[int, _CachedKey]
    ) -> at_hand.LoadedTrees:
        ticks = self._ticks()
        return at_hand.look(
            self._engine,
            trees,
            scope=scope,
            rows=rows,
            before={each: had.leaves for each, had in before.items() if had.leaves is not None},
            ticks=ticks,
            oldest=ticks - KEPT_AT_MOST.total_seconds(),
        )

    def _rows(self, scope: Scope) -> Sequence[Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(_FIND, {"scope": scope}).all()

    def _make(self, scope: Scope, version: int, *, seals_from: datetime, now: datetime) -> None:
        key, wrapped = self._wrapping.generate(scope=scope, version=version)
        invariant(len(key) == sealed_format.KEY_BYTES, "the key service makes keys of 32 bytes")
        values = {
            "scope": scope,
            "version": version,
            "wrapped": wrapped,
            "seals_from": seals_from,
            "now": now,
        }
        with self._engine.begin() as connection:
            connection.execute(_MAKE, values)


def _held(row: Row[Any], key: bytes, unwrapped_at: float) -> _CachedKey:
    return _CachedKey(
        version=row.version,
        key=key,
        seals_from=row.seals_from,
        seals_later_from=row.seals_later_from,
        unwrapped_at=unwrapped_at,
    )


def _key_for(held: _CachedKey, head: Head) -> bytes:
    return held.key if held.leaves is None else held.leaves.key_for(head, key=held.key)


def _tell(scope: Scope, error: Exception) -> None:
    name = TREE_AWAY if isinstance(error, KeyTreeAway) else AWAY
    _log.warning(name, scope=scope, error=type(error).__name__, reason=str(error))


def _index(held: _CachedKey, content: str) -> bytes:
    return sealed_format.prefix(held.version) + hmac.digest(held.key, content.encode(), "sha256")
