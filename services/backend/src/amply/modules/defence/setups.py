"""Tracks SetupIntents: any number of cards can be tried on an open one, so each is counted and ended.

Whoever enters a card for a gift to several organisations, or another one for a plan, does so in a SetupIntent. It is ended at the
processor when many cards were tried on its owner's, and a day after it was opened otherwise.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.modules.defence.declines import note_setup_decline
from amply.modules.defence.domain import Decline, Fingerprints, SetupOf, is_small
from amply.modules.defence.fingerprints import KEPT
from amply.modules.defence.models import CardSetupRow, DeclineRow

OPEN_FOR: Final = timedelta(days=1)
"""Time for a donor to enter a card."""

_ATTEMPTS_MAX: Final = 10
_BATCH_MAX: Final = 50
_NO_MARKS: Final = dict.fromkeys(("address", "network", "device", "mail", "mail_domain"))


@dataclass(frozen=True, kw_only=True)
class CardSetup:
    """A SetupIntent at the processor. `account_id`: None on the platform itself. `owner_id`: whose card it stores."""

    remote_id: str
    account_id: str | None
    owner_id: str
    opened_at: datetime


def keep_setup(
    session: Session,
    about: SetupOf,
    *,
    remote_id: str,
    account_id: str | None,
    marks: Fingerprints | None,
    now: datetime,
) -> None:
    """Record a SetupIntent before its client secret is given out. Idempotent.

    `marks`: what the gate remembers whoever asked by.
    """
    remembered = vars(marks) if marks is not None else {**_NO_MARKS, "is_challenged": False}
    session.execute(
        insert(CardSetupRow)
        .values(
            remote_id=remote_id,
            account_id=account_id,
            owner_id=about.owner_id,
            # A consistent lock order: recording a decline locks rows in the same order.
            organization_ids=sorted({gift.organization_id for gift in about.gifts}),
            small_at=sorted({gift.organization_id for gift in about.gifts if is_small(gift.amount)}),
            **{name: value for name, value in remembered.items() if name != "is_small"},
            opened_at=now,
            next_attempt_at=now + OPEN_FOR,
        )
        .on_conflict_do_nothing()
    )


def count_setups(session: Session, *, owner_id: str) -> int:
    """Count an owner's recent SetupIntents."""
    own = select(func.count()).where(CardSetupRow.owner_id == owner_id)
    return session.scalars(own).one()


def find_setup(session: Session, *, remote_id: str, account_id: str | None) -> CardSetup | None:
    """The SetupIntent with this id, if it is ours on that account."""
    row = session.get(CardSetupRow, remote_id)
    return _setup(row) if row is not None and row.account_id == account_id else None


def open_setups(session: Session, *, owner_id: str) -> Sequence[CardSetup]:
    """An owner's open SetupIntents, newest first."""
    rows = session.scalars(
        select(CardSetupRow)
        .where(CardSetupRow.owner_id == owner_id, CardSetupRow.ended_at.is_(None))
        .order_by(CardSetupRow.opened_at.desc(), CardSetupRow.remote_id)
    )
    return [_setup(row) for row in rows]


def note_setup_declines(
    session: Session, declines: Sequence[Decline], *, setup: CardSetup, now: datetime
) -> bool:
    """Record a SetupIntent's declined cards, each once; return whether the owner's SetupIntents must end (they are then
    due).

    All of the owner's are locked: one decides at a time.
    """
    rows = session.scalars(
        select(CardSetupRow)
        .where(CardSetupRow.owner_id == setup.owner_id)
        .order_by(CardSetupRow.remote_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    row = next((each for each in rows if each.remote_id == setup.remote_id), None)
    if row is None:
        return False
    # All are counted: no short-circuit.
    ends = [note_setup_decline(session, decline, setup=row, now=now) for decline in declines]
    must_end = any(ends)
    if must_end:
        if row.ended_at is not None and any(decline.declined_at > row.ended_at for decline in declines):
            row.ended_at, row.attempts = None, _ATTEMPTS_MAX  # it was taken for ended, and takes cards
        for each in rows:
            if each.ended_at is None and not (each.is_exhausted and each.attempts < _ATTEMPTS_MAX):
                each.is_exhausted, each.attempts, each.next_attempt_at = True, 0, now
    return must_end


def are_exhausted(session: Session, *, owner_id: str) -> bool:
    """Whether an owner's SetupIntents ended, or are about to, because of declined cards."""
    exhausted = select(CardSetupRow.remote_id).where(
        CardSetupRow.owner_id == owner_id, CardSetupRow.is_exhausted
    )
    return session.scalar(exhausted.limit(1)) is not None


def are_ending(session: Session, *, owner_ids: Collection[str]) -> bool:
    """Whether SetupIntents of these are about to end because of the cards that were tried on them."""
    ending = select(CardSetupRow.remote_id).where(
        CardSetupRow.owner_id.in_(owner_ids),
        CardSetupRow.is_exhausted,
        CardSetupRow.ended_at.is_(None),
        CardSetupRow.attempts < _ATTEMPTS_MAX,
    )
    return session.scalar(ending.limit(1)) is not None


def end_setups(database: Database, *, end: Callable[[CardSetup], bool | None], now: datetime) -> int:
    """Cancel due SetupIntents; return how many are over.

    `end` asks the processor; False where it lets us do nothing with the account now, None where it does not answer, which ends the
    run. Either is asked about again, ten times at most, ever later.
    """

    def ended(row: CardSetupRow) -> int | None:
        is_over = end(_setup(row))
        if not is_over:
            return None if is_over is None else 0
        with database.transaction() as session:
            note_ended(session, remote_id=row.remote_id, now=now)
        return 1

    return work_off(
        database,
        CardSetupRow,
        CardSetupRow.ended_at.is_(None),
        CardSetupRow.attempts < _ATTEMPTS_MAX,
        do=ended,
        most=_BATCH_MAX,
        now=now,
    )


def note_ended(session: Session, *, remote_id: str, now: datetime) -> None:
    """Mark a SetupIntent as over: canceled, or a card was stored."""
    session.execute(
        update(CardSetupRow)
        .where(CardSetupRow.remote_id == remote_id)
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def count_open_setups(session: Session, *, now: datetime) -> int:
    """Count SetupIntents of the last two days that could not be canceled in ten attempts."""
    stuck = select(func.count()).where(
        CardSetupRow.ended_at.is_(None),
        CardSetupRow.attempts >= _ATTEMPTS_MAX,
        CardSetupRow.next_attempt_at > now - KEPT,
    )
    return session.scalars(stuck).one()


def forget_setups(session: Session, *, now: datetime) -> None:
    """After two days, delete ended SetupIntents and the fingerprints of the others."""
    is_old = CardSetupRow.opened_at < now - KEPT
    session.execute(delete(CardSetupRow).where(is_old, CardSetupRow.ended_at.is_not(None)))
    session.execute(
        update(CardSetupRow)
        .where(is_old, CardSetupRow.mail.is_not(None))
        .values(_NO_MARKS)
        .execution_options(synchronize_session=False)
    )


def forget_setups_of(session: Session, *, owner_ids: Collection[str]) -> None:
    """Delete SetupIntent data of these gifts and plans."""
    session.execute(delete(DeclineRow).where(DeclineRow.owner_id.in_(owner_ids)))
    session.execute(delete(CardSetupRow).where(CardSetupRow.owner_id.in_(owner_ids)))


def _setup(row: CardSetupRow) -> CardSetup:
    return CardSetup(
        remote_id=row.remote_id, account_id=row.account_id, owner_id=row.owner_id, opened_at=row.opened_at
    )
