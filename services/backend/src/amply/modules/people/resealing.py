"""Re-encrypts columns of any module that the people key encrypts, in batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, inspect, literal_column, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from amply.infra.vault import PEOPLE
from amply.infra.vault.reencryption import SealedRows
from amply.modules.people.sealing import PeopleKey

_Column = InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None]


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """An encrypted column. `of` returns what a value is bound to, from the row's primary key."""

    column: _Column
    of: Callable[..., str]


def sealed_columns_of(
    key: PeopleKey, name: str, *, columns: Sequence[SealedColumn], passing: Sequence[_Column] = ()
) -> SealedRows:
    """Columns as `SealedRows`. Values in `passing` expire within days, and are only counted."""
    return SealedRows(
        name=name,
        reseal=lambda session, limit: _reseal(session, key, columns, limit=limit),
        columns={PEOPLE: (*(each.column for each in columns), *passing)},
    )


def _reseal(session: Session, key: PeopleKey, columns: Sequence[SealedColumn], *, limit: int) -> int:
    """Seal anew what an older version, or the secret, sealed; return how many values. Raises KeyNotAtHand."""
    newest = key.newest_prefix()
    if newest is None:
        return 0
    done = 0
    for each in columns:
        if done < limit:
            done += _reseal_column(session, key, each, newest=newest, limit=limit - done)
    return done


def _reseal_column(
    session: Session, key: PeopleKey, sealed: SealedColumn, *, newest: bytes, limit: int
) -> int:
    """Rows that somebody else changes at the moment are left for the next turn."""
    kind, column = sealed.column.class_, sealed.column
    named_by = inspect(kind).primary_key
    # Written out, so that the index over these bytes is used whatever the statement's parameters are.
    head = func.substring(column, literal_column("1"), literal_column(str(len(newest))))
    rows = session.execute(
        select(*named_by, column).where(head < newest).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for *name, before in rows:
        bound = sealed.of(*name)
        session.execute(
            update(kind)
            .where(*(own == value for own, value in zip(named_by, name, strict=True)))
            .values({column.key: key.seal(key.unseal(bytes(before), of=bound), of=bound)})
            .execution_options(synchronize_session=False)
        )
    return len(rows)
