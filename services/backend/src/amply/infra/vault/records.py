"""Rows with personal fields: accessed by name, encrypted together in one column, found by a blind index.

Until sealing begins, and of rows that the worker has not sealed yet, the fields stand in columns of their own (`plain_…`).
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, overload

from sqlalchemy import ColumnElement, LargeBinary, column, event, inspect, select, table
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, object_session

from amply.infra.orm import Record
from amply.infra.vault.format import CellLocation, LeafCut, head_of
from amply.infra.vault.keyring import KEYRING, Keyring
from amply.infra.vault.scopes import DONOR_INDEX, OF_ORGANIZATION, NoKeysHere, Scope

_COLUMN: Final = "sealed"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SealedFields:
    """Definition of a table's personal fields.

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
        goes_with: The table whose row's leaf a row is sealed under, with a donor who is erased; that row's id is this one's key,
            or is told. Else a row is under the leaf of the address it has.
        owned_by: The field with that address, where no index is made of it.
        of_another: Fields of somebody whom the row does not go with, found by the index: they stand in `another_column`, under the
            leaf of their own address, and inside that under the row's. Whoever of the two is erased, no copy of them opens. While
            either has no leaf they stand with the others.
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
    goes_with: str | None = None
    owned_by: str | None = None
    of_another: tuple[str, ...] = ()
    another_column: str | None = None

    def scope_of(self, organization_id: str | None) -> Scope:
        """The scope of the key for a row of this organisation."""
        return f"{self.scope}{organization_id}" if self.scope == OF_ORGANIZATION else self.scope

    def whose(self, digest: str | None, *, row_id: str) -> str:
        """The person whose leaf encrypts a row: by the digest of their address, or the row itself if it has none."""
        return digest or f"{self.goes_with or self.table}:{row_id}"

    def place(self, row_id: str, *, column: str = _COLUMN) -> CellLocation:
        """The cell of a row's fields."""
        return CellLocation(table=self.table, column=column, row=row_id)

    def open(
        self,
        keyring: Keyring | None,
        *,
        row_id: str,
        sealed: bytes | None,
        plain: Any,
        organization_id: str | None = None,
        another: bytes | None = None,
    ) -> dict[str, Any]:
        """The fields of a row as the database has it. `plain` has the columns of its own, by the fields' names.
        `another`: what stands in `another_column`.

        None of them is there where whoever it is of was erased, and this is a copy from before: as in any erased row.

        Raises:
            KeyNotAtHand, SealedBytesUnreadable: As the keyring says.
            NoKeysHere: It is sealed, and this process has no keys.
        """
        if sealed is None:
            return {name: getattr(plain, name) if self.is_ever_plain else None for name in self.names}
        if keyring is None:
            raise NoKeysHere
        scope = self.scope_of(organization_id)
        kept: dict[str, Any] = {}
        with suppress(LeafCut):
            kept |= json.loads(keyring.open(bytes(sealed), scope=scope, at=self.place(row_id)))
        if another is not None:
            with suppress(LeafCut):
                inner = keyring.open(bytes(another), scope=scope, at=self._around(row_id))
                kept |= json.loads(keyring.open(inner, scope=scope, at=self._apart(row_id)))
        return {name: kept.get(name) for name in self.names}

    def at_rest(
        self,
        session: Session,
        *,
        row_id: str,
        fields: Mapping[str, Any],
        organization_id: str | None = None,
        beside: str | None = None,
    ) -> dict[str, Any]:
        """Column values that store these fields, by the row's attributes.

        `beside`: the id of the row it goes with, where that is not its own.

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
            return {
                **self._in_the_clear(kept, digest),
                _COLUMN: None,
                **self._of_another(None),
                **self._found_by(None),
            }
        under = self._under(session, kept, row_id=row_id, beside=beside or row_id) if kept else {}
        seals = partial(keyring.seal, scope=scope)
        others = {name: kept[name] for name in self.of_another if name in kept}
        apart = None
        if others and digest is not None:
            inner = seals(_encoded(others), at=self._apart(row_id), **under)
            apart = _under_both(inner, seals(inner, at=self._around(row_id), of=digest))
        own = {name: kept[name] for name in kept if apart is None or name not in others}
        return {
            **self._in_the_clear({}, None),
            _COLUMN: seals(_encoded(own), at=self.place(row_id), **under) if own else None,
            **self._of_another(apart),
            **self._found_by(
                None if digest is None else keyring.index(self.apart + digest, scope=DONOR_INDEX)
            ),
        }

    def _under(
        self, session: Session, kept: Mapping[str, Any], *, row_id: str, beside: str
    ) -> dict[str, Any]:
        """Whose leaf a row goes under, as `Keyring.seal` is told it."""
        if self.goes_with is None:
            owner = kept.get(self.owned_by or self.indexed or "")
            return {"of": self.whose(None if owner is None else self.digest(owner), row_id=row_id)}
        with session.no_autoflush:
            gone_with = table(self.goes_with, column("id"), column("sealed", LargeBinary))
            found = session.execute(select(gone_with.c.sealed).where(gone_with.c.id == beside)).one_or_none()
        return {} if found is None else {"of": self.whose(None, row_id=beside), "beside": found.sealed}

    def _apart(self, row_id: str) -> CellLocation:
        return self.place(row_id, column=self.another_column or "")

    def _around(self, row_id: str) -> CellLocation:
        return self.place(row_id, column=f"{self.another_column}/around")

    def _of_another(self, sealed: bytes | None) -> dict[str, Any]:
        return {} if self.another_column is None else {self.another_column: sealed}

    def _found_by(self, index: bytes | None) -> dict[str, Any]:
        return {} if self.indexed is None else {self.index_column: index}

    def _in_the_clear(self, kept: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
        if not self.is_ever_plain:
            return {}
        beside = {self.digest_column: digest} if self.digest_column else {}
        return {**{f"plain_{name}": kept.get(name) for name in self.names}, **beside}


def keyring_of(session: Session) -> Keyring | None:
    """The keyring of a session's process."""
    found: Keyring | None = session.info.get(KEYRING)
    return found


def _encoded(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _under_both(inner: bytes, outer: bytes) -> bytes | None:
    """What is sealed twice, where both are under leaves."""
    return outer if all(head_of(each).leaf is not None for each in (inner, outer)) else None


class Personal(Generic[T]):
    """Descriptor of one personal field."""

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
    """A row with personal fields, decrypted at first access with the keys of its session."""

    __abstract__ = True
    fields: ClassVar[SealedFields]

    sealed: Mapped[bytes | None]

    def opened(self) -> dict[str, Any]:
        """The current fields by name.

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
                    another=getattr(self, self.fields.another_column or "", None),
                )
            self.__dict__["_opened"] = found
        return found

    def seal(self, session: Session) -> None:
        """Write the fields to the row's columns."""
        at_rest = self.fields.at_rest(
            session,
            row_id=self._row_id,
            fields=self.opened(),
            organization_id=getattr(self, "organization_id", None),
            beside=getattr(self, "donation_id", None),
        )
        for name, value in at_rest.items():
            setattr(self, name, value)

    @property
    def _row_id(self) -> str:
        found: str = getattr(self, self.fields.key)
        return found

    @classmethod
    def sealed_columns(cls) -> tuple[InstrumentedAttribute[bytes | None], ...]:
        """All encrypted columns."""
        own: InstrumentedAttribute[bytes | None] = cls.sealed
        return (own, getattr(cls, cls.fields.another_column)) if cls.fields.another_column else (own,)

    @classmethod
    def is_of(cls, session: Session, digest: str) -> ColumnElement[bool]:
        """Condition: the row's blind index is that of a digest, under any key version.

        Raises:
            KeyNotAtHand: The key service was away when this process began.
        """
        found_by: InstrumentedAttribute[bytes | None] = getattr(cls, cls.fields.index_column)
        return found_by.in_(indexes(session, cls.fields.apart + digest))


def indexes(session: Session, digest: str) -> list[bytes]:
    """Possible blind indexes of a digest.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
        NoKeysHere: Whose is sealed cannot be found here, and finding nobody would be taken for an answer.
    """
    keyring = keyring_of(session)
    if keyring is None:
        raise NoKeysHere
    return keyring.indexes(digest, scope=DONOR_INDEX)


class _Plain:
    """A row's unencrypted columns by field name."""

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
