"""Rows with personal fields: read and written by name, sealed together in one column, found by an index that names nobody.

Until sealing begins, and of rows that the worker has not sealed yet, the fields stand in columns of their own (`plain_…`).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, overload

from sqlalchemy import ColumnElement, and_, event, func, inspect, literal_column, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from amply.infra.orm import Record
from amply.infra.vault import format as sealed_format
from amply.infra.vault.format import Head, LeafCut, Place
from amply.infra.vault.keyring import DONOR_INDEX, KEYRING, Keyring, NoKeysHere, Scope

_COLUMN: Final = "sealed"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SealedFields:
    """Which fields of a table are personal.

    Attributes:
        scope: Whose key seals them.
        names: The fields; each has a column of its own, mapped as `plain_…`.
        indexed: The field that rows are found by.
        digest: What of that field the index is made of, as a text that is the same however the field was written.
        digest_column: Where that digest stands while the fields stand in the clear, if anywhere.
    """

    scope: Scope
    table: str
    names: tuple[str, ...]
    indexed: str
    digest: Callable[[str], str]
    digest_column: str | None = None

    def whose(self, digest: str | None, *, row_id: str) -> str:
        """Whose leaf a row is sealed under: that of the address with this digest, or its own where it has no address."""
        return digest or f"{self.table}:{row_id}"

    def place(self, row_id: str) -> Place:
        """Where the fields of a row stand."""
        return Place(table=self.table, column=_COLUMN, row=row_id)

    def open(
        self, keyring: Keyring | None, *, row_id: str, sealed: bytes | None, plain: Any
    ) -> dict[str, Any]:
        """The fields of a row as the database has it. `plain` has the columns of its own, by the fields' names.

        None of them is there where whoever it is of was erased, and this is a copy from before: as in any erased row.

        Raises:
            KeyNotAtHand, SealedBytesUnreadable: As the keyring says.
            NoKeysHere: It is sealed, and this process has no keys.
        """
        if sealed is None:
            return {name: getattr(plain, name) for name in self.names}
        if keyring is None:
            raise NoKeysHere
        try:
            kept = json.loads(keyring.open(sealed, scope=self.scope, at=self.place(row_id)))
        except LeafCut:
            kept = {}
        return {name: kept.get(name) for name in self.names}

    def at_rest(self, session: Session, *, row_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What a row's columns hold so that its fields are these, by the names of the row's attributes.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
        """
        keyring = keyring_of(session)
        kept = {name: fields[name] for name in self.names if fields.get(name) is not None}
        digest = self.digest(kept[self.indexed]) if self.indexed in kept else None
        if keyring is None or not keyring.seals(self.scope):
            return {**self._in_the_clear(kept, digest), _COLUMN: None, "donor_index": None}
        content = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
        whose = self.whose(digest, row_id=row_id)
        return {
            **self._in_the_clear({}, None),
            _COLUMN: keyring.seal(content, scope=self.scope, at=self.place(row_id), of=whose)
            if kept
            else None,
            "donor_index": None if digest is None else keyring.index(digest, scope=DONOR_INDEX),
        }

    def _in_the_clear(self, kept: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
        beside = {self.digest_column: digest} if self.digest_column else {}
        return {**{f"plain_{name}": kept.get(name) for name in self.names}, **beside}


def keyring_of(session: Session) -> Keyring | None:
    """The keys of the process a session belongs to."""
    found: Keyring | None = session.info.get(KEYRING)
    return found


class Personal(Generic[T]):
    """A personal field of a row, by its name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, row: None, owner: type) -> Self: ...
    @overload
    def __get__(self, row: "SealedRecord", owner: type) -> T | None: ...
    def __get__(self, row: "SealedRecord | None", owner: type) -> "Self | T | None":
        if row is None:
            return self
        found: T | None = row.opened().get(self._name)
        return found

    def __set__(self, row: "SealedRecord", value: T | None) -> None:
        row.opened()[self._name] = value
        session = object_session(row)
        if session is not None and inspect(row).persistent:
            row.seal(session)


class SealedRecord(Record):
    """A row with personal fields. They are opened when one is first read, with the keys of the session it came from."""

    __abstract__ = True
    fields: ClassVar[SealedFields]

    id: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes | None]
    donor_index: Mapped[bytes | None]

    def opened(self) -> dict[str, Any]:
        """The fields by name, as they are at this moment.

        Raises:
            KeyNotAtHand, SealedBytesUnreadable: As the keyring says.
        """
        found: dict[str, Any] | None = self.__dict__.get("_opened")
        if found is None:
            found = {}
            if inspect(self).has_identity:
                found = self.fields.open(
                    self.__dict__.get("_keyring"), row_id=self.id, sealed=self.sealed, plain=_Plain(self)
                )
            self.__dict__["_opened"] = found
        return found

    def seal(self, session: Session) -> None:
        """Let the columns hold what the fields are."""
        for name, value in self.fields.at_rest(session, row_id=self.id, fields=self.opened()).items():
            setattr(self, name, value)

    @classmethod
    def is_of(cls, session: Session, digest: str) -> ColumnElement[bool]:
        """The condition that a sealed row's index is that of a digest, under whichever version of its key.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
        """
        return cls.donor_index.in_(indexes(session, digest))


def indexes(session: Session, digest: str) -> list[bytes]:
    """What sealed rows of a digest may have as index.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
        NoKeysHere: Whose is sealed cannot be found here, and finding nobody would be taken for an answer.
    """
    keyring = keyring_of(session)
    if keyring is None:
        raise NoKeysHere
    return keyring.indexes(digest, scope=DONOR_INDEX)


def reseal(session: Session, kind: type[SealedRecord], *, limit: int) -> int:
    """Seal what stands in the clear, and anew what a version before the newest sealed or indexed; return how many rows.

    Rows that somebody else changes at the moment are left for the next turn.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
    """
    keyring = keyring_of(session)
    if keyring is None or not (keyring.seals(kind.fields.scope) and keyring.seals(DONOR_INDEX)):
        return 0
    done = 0
    # What opens for nobody any more loses its bytes here: it is of somebody who was erased, in a copy from before that.
    for chosen in not_newest(keyring, kind):
        rows = session.scalars(
            select(kind).where(chosen).order_by(kind.id).limit(limit - done).with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.seal(session)
        session.flush()
        done += len(rows)
        if done >= limit:
            break
    return done


def move(session: Session, kind: type[SealedRecord], *, head: Head, limit: int) -> int:
    """Seal anew what stands under a leaf that is closed; return how many rows. Waits for whoever changes one at the moment.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
        NoKeysHere: This process has no keys.
    """
    if keyring_of(session) is None:
        raise NoKeysHere
    under = select(kind).where(under_leaf(kind.sealed, head)).order_by(kind.id).limit(limit)
    rows = session.scalars(under.with_for_update()).all()
    for row in rows:
        row.seal(session)
    session.flush()
    return len(rows)


def under_leaf(column: Any, head: Head) -> ColumnElement[bool]:
    """The condition that a value is sealed under a leaf; there is an index over these bytes."""
    length: ColumnElement[int] = literal_column(str(sealed_format.LEAFED_BYTES))
    return and_(column.is_not(None), func.substring(column, literal_column("1"), length) == head.encode())


def not_newest(keyring: Keyring, kind: type[SealedRecord]) -> Iterator[ColumnElement[bool]]:
    """Each by an index of its own, which holds nothing once there is nothing to do."""
    yield and_(kind.sealed.is_(None), or_(*(_plain(kind, name).is_not(None) for name in kind.fields.names)))
    head = func.substring(kind.sealed, literal_column("1"), literal_column(str(sealed_format.PREFIX_BYTES)))
    yield and_(kind.sealed.is_not(None), head < keyring.begins(kind.fields.scope))
    # Bytes are compared from the first one on: whatever begins with an older version comes before the newest's beginning.
    yield kind.donor_index < sealed_format.prefix(keyring.newest(DONOR_INDEX))


def _plain(kind: type[SealedRecord], name: str) -> Any:
    return getattr(kind, f"plain_{name}")


class _Plain:
    """The plain columns of a row by the names of its fields."""

    def __init__(self, row: SealedRecord) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, f"plain_{name}")


def _came(row: SealedRecord, context: Any, *_: Any) -> None:
    row.__dict__["_keyring"] = keyring_of(context.session)
    row.__dict__.pop("_opened", None)


def _went(row: SealedRecord, *_: Any) -> None:
    row.__dict__.pop("_opened", None)


def _seal_new(session: Session, *_: Any) -> None:
    for row in session.new:
        if isinstance(row, SealedRecord):
            row.seal(session)


event.listen(SealedRecord, "load", _came, propagate=True)
event.listen(SealedRecord, "refresh", _came, propagate=True)
event.listen(SealedRecord, "expire", _went, propagate=True)
event.listen(Session, "before_flush", _seal_new)
