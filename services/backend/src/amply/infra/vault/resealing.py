"""Finds and re-encrypts the rows of one table that use an old key version, by a partial index that is empty when none is left."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
)
from sqlalchemy.orm import Session

from amply.infra.vault import format as sealed_format
from amply.infra.vault.format import LEAFED, Head
from amply.infra.vault.keyring import Keyring
from amply.infra.vault.records import SealedRecord, keyring_of
from amply.infra.vault.scopes import DONOR_INDEX, NoKeysHere


def reseal(session: Session, kind: type[SealedRecord], *, limit: int) -> int:
    """Encrypt plain rows, and re-encrypt or re-index rows of older versions; return how many.

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
    """Re-encrypt the rows that each of these conditions finds; return how many."""
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
            # A value that cannot be decrypted belongs to an erased person, in a restored copy: delete its bytes.
            row.seal(session)
        session.flush()
        done += len(rows)
        if done >= limit:
            break
    return done


def move(session: Session, kind: type[SealedRecord], *, head: Head, limit: int) -> int:
    """Re-encrypt rows under a closed leaf; return how many. Waits for concurrent changes of a row.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
        NoKeysHere: This process has no keys.
    """
    if keyring_of(session) is None:
        raise NoKeysHere
    stands = or_(*(under_leaf(each, head) for each in kind.sealed_columns()))
    under = select(kind).where(stands).order_by(getattr(kind, kind.fields.key))
    rows = session.scalars(under.limit(limit).with_for_update()).all()
    for row in rows:
        row.seal(session)
    session.flush()
    return len(rows)


def under_leaf(column: Any, head: Head) -> ColumnElement[bool]:
    """Condition: a value is encrypted under a leaf (indexed)."""
    length: ColumnElement[int] = literal_column(str(sealed_format.LEAFED_BYTES))
    return and_(column.is_not(None), func.substring(column, literal_column("1"), length) == head.encode())


def not_newest(keyring: Keyring, kind: type[SealedRecord]) -> Iterator[ColumnElement[bool]]:
    """Conditions for outdated rows, each by a partial index that is empty when nothing is left."""
    if kind.fields.is_ever_plain:
        yield in_the_clear(kind)
    before = sealed_before(kind, keyring.begins(kind.fields.scope))
    if kind.fields.goes_with is None:
        yield before
    else:
        is_next = _goes_with_what_is_done(kind, keyring.begins(kind.fields.scope))
        yield and_(before, is_next)
        if kind.fields.another_column is not None and keyring.begins(kind.fields.scope)[:1] == LEAFED:
            yield and_(_stands_with_the_others(kind), is_next)
    if kind.fields.indexed is not None:
        # Bytes are compared from the first one on: whatever begins with an older version comes before the newest's beginning.
        yield getattr(kind, kind.fields.index_column) < sealed_format.prefix(keyring.newest(DONOR_INDEX))


def in_the_clear(kind: type[SealedRecord]) -> ColumnElement[bool]:
    """Condition: a row is not encrypted yet."""
    plain = (getattr(kind, f"plain_{name}") for name in kind.fields.names)
    return and_(kind.sealed.is_(None), or_(*(each.is_not(None) for each in plain)))


def sealed_before(kind: type[SealedRecord], begins: bytes) -> ColumnElement[bool]:
    """Condition: a value sorts before this prefix, so it is of an older version or without a leaf."""
    return and_(kind.sealed.is_not(None), _head(kind.sealed) < begins)


def _stands_with_the_others(kind: type[SealedRecord]) -> ColumnElement[bool]:
    """The condition that fields of another are not under the leaf of their own address yet."""
    another: ColumnElement[bytes] = getattr(kind, kind.fields.another_column or "")
    return and_(getattr(kind, kind.fields.index_column).is_not(None), another.is_(None))


def _goes_with_what_is_done(kind: type[SealedRecord], begins: bytes) -> ColumnElement[bool]:
    """The condition that the row it goes with is sealed as it will be: before, its leaf is not known."""
    done = table(kind.fields.goes_with or "", column("id"), column("sealed", LargeBinary))
    by: ColumnElement[str] = kind.__table__.c.donation_id
    return exists().where(done.c.id == by, or_(done.c.sealed.is_(None), _head(done.c.sealed) >= begins))


def _head(sealed: Any) -> ColumnElement[bytes]:
    return func.substring(sealed, literal_column("1"), literal_column(str(sealed_format.PREFIX_BYTES)))
