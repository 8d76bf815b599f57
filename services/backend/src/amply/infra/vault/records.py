"""Rows with personal fields: read and written by name, sealed together in one column, found by an index that names nobody.

Until sealing begins, and of rows that the worker has not sealed yet, the fields stand in columns of their own (`plain_…`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, overload

from sqlalchemy import ColumnElement, and_, event, func, inspect, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, object_session

from amply.infra.orm import Record
from amply.infra.vault import format as sealed_format
from amply.infra.vault.format import Place
from amply.infra.vault.keyring import (
    DONOR_INDEX,
    KEYRING,
    OF_ORGANIZATION,
    Keyring,
    NoKeysHere,
    Scope,
)

_COLUMN: Final = "sealed"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SealedFields:
    """Which fields of a table are personal.

    Attributes:
        scope: Whose key seals them; with `OF_ORGANIZATION` that of the row's organisation.
        key: The attribute that names a row, and that its fields are bound to.
        names: The fields; where they may stand in the clear, each has a column of its own, mapped as `plain_…`.
        indexed: The field that rows are found by, if any.
        digest: What of that field the index is made of, as a text that is the same however the field was written.
        digest_column: Where that digest stands while the fields stand in the clear, if anywhere.
        index_column: Where the index stands.
        apart: What is put before the digest, so that an index tells nothing of those of other tables.
        is_ever_plain: Whether fields may stand in the clear: in rows that are not sealed yet, and until sealing begins.
        is_later: Sealed since a release after the first tables were: what runs beside it may be of the release between.
    """

    scope: Scope
    table: str
    names: tuple[str, ...]
    key: str = "id"
    indexed: str | None = None
    digest: Callable[[str], str] = str
    digest_column: str | None = None
    index_column: str = "donor_index"
    apart: str = ""
    is_ever_plain: bool = True
    is_later: bool = True

    def scope_of(self, organization_id: str | None) -> Scope:
        """Whose key seals a row of this organisation."""
        return f"{self.scope}{organization_id}" if self.scope == OF_ORGANIZATION else self.scope

    def place(self, row_id: str) -> Place:
        """Where the fields of a row stand."""
        return Place(table=self.table, column=_COLUMN, row=row_id)

    def open(
        self,
        keyring: Keyring | None,
        *,
        row_id: str,
        sealed: bytes | None,
        plain: Any,
        organization_id: str | None = None,
    ) -> dict[str, Any]:
        """The fields of a row as the database has it. `plain` has the columns of its own, by the fields' names.

        Raises:
            KeyNotAtHand, SealedBytesUnreadable: As the keyring says.
            NoKeysHere: It is sealed, and this process has no keys.
        """
        if sealed is None:
            return {name: getattr(plain, name) if self.is_ever_plain else None for name in self.names}
        if keyring is None:
            raise NoKeysHere
        scope = self.scope_of(organization_id)
        kept = json.loads(keyring.open(bytes(sealed), scope=scope, at=self.place(row_id)))
        return {name: kept.get(name) for name in self.names}

    def at_rest(
        self,
        session: Session,
        *,
        row_id: str,
        fields: Mapping[str, Any],
        organization_id: str | None = None,
    ) -> dict[str, Any]:
        """What a row's columns hold so that its fields are these, by the names of the row's attributes.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
            NoKeysHere: This process has no keys, and nothing of this table stands in the clear.
        """
        keyring = keyring_of(session)
        kept = {name: fields[name] for name in self.names if fields.get(name) is not None}
        digest = self.digest(kept[self.indexed]) if self.indexed in kept else None
        scope = self.scope_of(organization_id)
        if keyring is None or not keyring.seals(scope, is_later=self.is_later):
            if kept and not self.is_ever_plain:
                raise NoKeysHere
            return {**self._in_the_clear(kept, digest), _COLUMN: None, **self._found_by(None)}
        content = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
        return {
            **self._in_the_clear({}, None),
            _COLUMN: keyring.seal(content, scope=scope, at=self.place(row_id)) if kept else None,
            **self._found_by(
                None if digest is None else keyring.index(self.apart + digest, scope=DONOR_INDEX)
            ),
        }

    def _found_by(self, index: bytes | None) -> dict[str, Any]:
        return {} if self.indexed is None else {self.index_column: index}

    def _in_the_clear(self, kept: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
        if not self.is_ever_plain:
            return {}
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

    sealed: Mapped[bytes | None]

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
                    self.__dict__.get("_keyring"),
                    row_id=self._row_id,
                    sealed=self.sealed,
                    plain=_Plain(self),
                    organization_id=getattr(self, "organization_id", None),
                )
            self.__dict__["_opened"] = found
        return found

    def seal(self, session: Session) -> None:
        """Let the columns hold what the fields are."""
        at_rest = self.fields.at_rest(
            session,
            row_id=self._row_id,
            fields=self.opened(),
            organization_id=getattr(self, "organization_id", None),
        )
        for name, value in at_rest.items():
            setattr(self, name, value)

    @property
    def _row_id(self) -> str:
        found: str = getattr(self, self.fields.key)
        return found

    @classmethod
    def is_of(cls, session: Session, digest: str) -> ColumnElement[bool]:
        """The condition that a sealed row's index is that of a digest, under whichever version of its key.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
        """
        found_by: InstrumentedAttribute[bytes | None] = getattr(cls, cls.fields.index_column)
        return found_by.in_(indexes(session, cls.fields.apart + digest))


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
    if keyring is None or not all(
        keyring.seals(scope, is_later=kind.fields.is_later) for scope in (kind.fields.scope, DONOR_INDEX)
    ):
        return 0
    return reseal_chosen(session, kind, not_newest(keyring, kind), limit=limit)


def reseal_chosen(
    session: Session, kind: type[SealedRecord], choices: Iterable[ColumnElement[bool]], *, limit: int
) -> int:
    """Seal the rows that each of these conditions finds; return how many."""
    done = 0
    for chosen in choices:
        rows = session.scalars(
            select(kind)
            .where(chosen)
            .order_by(getattr(kind, kind.fields.key))
            .limit(limit - done)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.seal(session)
        session.flush()
        done += len(rows)
        if done >= limit:
            break
    return done


def not_newest(keyring: Keyring, kind: type[SealedRecord]) -> Iterator[ColumnElement[bool]]:
    """Each by an index of its own, which holds nothing once there is nothing to do."""
    if kind.fields.is_ever_plain:
        yield in_the_clear(kind)
    yield sealed_before(kind, keyring.newest(kind.fields.scope))
    if kind.fields.indexed is not None:
        # Bytes are compared from the first one on: whatever begins with an older version comes before the newest's beginning.
        yield getattr(kind, kind.fields.index_column) < sealed_format.prefix(keyring.newest(DONOR_INDEX))


def in_the_clear(kind: type[SealedRecord]) -> ColumnElement[bool]:
    """The condition that a row is not sealed yet."""
    plain = (getattr(kind, f"plain_{name}") for name in kind.fields.names)
    return and_(kind.sealed.is_(None), or_(*(each.is_not(None) for each in plain)))


def sealed_before(kind: type[SealedRecord], version: int) -> ColumnElement[bool]:
    """The condition that a version of its key before this one sealed a row."""
    head = func.substring(kind.sealed, literal_column("1"), literal_column(str(sealed_format.PREFIX_BYTES)))
    return and_(kind.sealed.is_not(None), head < sealed_format.prefix(version))


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
