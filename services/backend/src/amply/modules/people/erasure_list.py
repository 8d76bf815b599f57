"""Records erased people on the erasure list outside the database (ADR 0123), and finds them in a restored one.

Who deletes an account reaches no archive: the row says that it is not noted yet, until the worker has written it down. So
nobody is left out wherever a process dies, and whatever becomes of the messages about it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from amply.infra import erasures
from amply.infra.database import Database
from amply.infra.erasures import ErasureList, digest_of
from amply.modules.people.models import PersonRow

_PERSON: Final = "person"
_BATCH_MAX: Final = 500
_BATCHES_MAX: Final = 20
_ROWS: Final = 10_000
_NOTED_WITHIN: Final = timedelta(minutes=15)
"""The worker runs each minute; the archive may be unavailable for a few of them."""


def note_erased(database: Database, listed: ErasureList, *, now: datetime) -> int:
    """Record newly erased people on the list; return how many.

    First the file, then the note that it is there: killed in between, the same stands in a file twice.
    """
    done = 0
    for _ in range(_BATCHES_MAX):
        with database.transaction() as session:
            waiting = session.scalars(
                select(PersonRow.id)
                .where(PersonRow.erased_at.is_not(None), PersonRow.erasure_noted_at.is_(None))
                .order_by(PersonRow.erased_at)
                .limit(_BATCH_MAX)
            ).all()
        if not waiting:
            break
        erasures.note(listed, {digest_of(_PERSON, each) for each in waiting})
        with database.transaction() as session:
            session.execute(
                update(PersonRow)
                .where(PersonRow.id.in_(waiting))
                .values(erasure_noted_at=now)
                .execution_options(synchronize_session=False)
            )
        done += len(waiting)
    return done


def count_unnoted(session: Session, *, now: datetime) -> int:
    """Count people erased a quarter of an hour ago and not on the list yet."""
    return session.scalars(
        select(func.count()).where(
            PersonRow.erased_at <= now - _NOTED_WITHIN, PersonRow.erasure_noted_at.is_(None)
        )
    ).one()


def still_there(session: Session, digests: Collection[str]) -> Sequence[str]:
    """Erased people that are in this database again. Reads everybody's id."""
    everybody = session.scalars(
        select(PersonRow.id).where(PersonRow.erased_at.is_(None)).execution_options(yield_per=_ROWS)
    )
    return [each for each in everybody if digest_of(_PERSON, each) in digests]
