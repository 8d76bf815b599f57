"""Reconciles an account with the processor: lists its balance transactions and compares both balances.

For each owner and currency

    what the processor holds = the books' processor_balance + what is outside our books for a reason + what waits

and whatever is left over is a difference: written down with since when it has stood, told, and looked at again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from amply.infra.database import Database, begins_again
from amply.modules import ledger
from amply.modules.payouts.models import MovementWatermarkRow, ProcessorBalanceRow
from amply.modules.payouts.ports import PayoutProcessor
from amply.modules.payouts.recording import Recording, Sums, match_open, sums_of

PAGES_MAX: Final = 50
"""Pages of balance transactions in one walk; the next run continues."""

_OVERLAP: Final = timedelta(hours=1)
"""Allowance for different clocks and late transactions."""

_TRIES_MAX: Final = 3
_BEGINNING: Final = datetime(2011, 1, 1, tzinfo=UTC)
"""Before the processor's first transaction ever."""

RUNBOOK: Final = "docs/runbooks/payout-differs.md"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class PayoutDependencies:
    """Dependencies of handling payouts."""

    database: Database
    processor: PayoutProcessor
    secrets: ledger.CommitmentSecrets


@dataclass(frozen=True, kw_only=True)
class BalanceComparison:
    """Ledger and processor balances of one currency, in minor units.

    Attributes:
        processor: What it holds, available and pending together.
        books: `processor_balance`, entries that wait for their place in the log included.
        outside: What moved it and is in no books for a reason.
        open: What moved it and waits for its entry or for a person.
    """

    currency: str
    processor: int
    books: int
    outside: int
    open: int

    @property
    def difference(self) -> int:
        """The unexplained difference; zero if the balances agree."""
        return self.processor - self.books - self.outside - self.open


def close_books(
    parts: PayoutDependencies, *, owner: str, account_id: str | None, now: datetime
) -> list[BalanceComparison] | None:
    """List the account's balance transactions and compare balances; None if it changed meanwhile, or there was too much.

    `account_id` None is the platform's own account.

    The balance is asked for before and after: where it did not change, nothing moved it in between, and all that the
    books say is about what was listed.

    Raises:
        payments.ProcessorUnavailable, payments.ProcessorRefused: As the port says.
        ledger.BookingsPaused: A fee was to be booked.
    """
    for _ in range(_TRIES_MAX):
        before = parts.processor.balance(account_id=account_id)
        if not walk(parts, owner=owner, account_id=account_id, now=now):
            return None
        try:
            with parts.database.transaction() as session:
                compared = _compare(session, owner=owner, processor=before, now=now)
        except OperationalError as error:
            if not begins_again(error):
                raise
            continue
        if parts.processor.balance(account_id=account_id) == before:
            with parts.database.transaction() as session:
                _write_down(session, owner=owner, account_id=account_id, compared=compared, now=now)
            for closed in compared:
                _tell(owner, closed)
            return compared
    return None


def walk(parts: PayoutDependencies, *, owner: str, account_id: str | None, now: datetime) -> bool:
    """Record the account's new balance transactions; returns whether the walk reached the end."""
    with parts.database.transaction() as session:
        row = _watermark(session, account_id)
        since, began_at = row.seen_to - _OVERLAP, row.began_at or now
        until = row.walked_to or now + _OVERLAP
    older_than: str | None = None
    for _ in range(PAGES_MAX):
        page = parts.processor.transactions_between(
            account_id=account_id, since=since, until=until, older_than=older_than
        )
        older_than = page.older_than
        with parts.database.transaction() as session:
            Recording(
                session=session, owner=owner, account_id=account_id, secrets=parts.secrets, now=now
            ).record(page.items)
            row = _watermark(session, account_id)
            if older_than is None:
                row.seen_to, row.began_at, row.walked_to = max(row.seen_to, began_at), None, None
            else:
                # Include the oldest second again, since it may contain others.
                row.began_at, row.walked_to = began_at, page.items[-1].occurred_at + timedelta(seconds=1)
        if older_than is None:
            return True
    return False


def close_soon(session: Session, *, account_id: str | None) -> None:
    """Schedule this account's comparison first."""
    _watermark(session, account_id).looked_at = None


def close_later(session: Session, *, account_id: str | None, as_if_at: datetime) -> None:
    """Postpone this account's comparison: it counts as done at that time."""
    _watermark(session, account_id).looked_at = as_if_at


def watermark_of(account_id: str | None) -> str:
    """The name of an account's watermark."""
    return ledger.PLATFORM if account_id is None else account_id


def _watermark(session: Session, account_id: str | None) -> MovementWatermarkRow:
    name = watermark_of(account_id)
    session.execute(
        insert(MovementWatermarkRow).values(account_id=name, seen_to=_BEGINNING).on_conflict_do_nothing()
    )
    return session.scalars(
        select(MovementWatermarkRow).where(MovementWatermarkRow.account_id == name).with_for_update()
    ).one()


def _compare(
    session: Session, *, owner: str, processor: Mapping[str, int], now: datetime
) -> list[BalanceComparison]:
    """In one snapshot, so that an entry is not counted on both sides."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    match_open(session, owner=owner, now=now)
    sums = sums_of(session, owner=owner)
    compared = []
    for currency in sorted({*processor, *sums}):
        books = ledger.standing_balance(
            session, account=ledger.account(owner, "processor_balance"), currency=currency
        )
        found = sums.get(currency, Sums(open=0, outside=0))
        compared.append(
            BalanceComparison(
                currency=currency,
                processor=processor.get(currency, 0),
                books=books.minor_units,
                outside=found.outside,
                open=found.open,
            )
        )
    return compared


def _write_down(
    session: Session, *, owner: str, account_id: str | None, compared: list[BalanceComparison], now: datetime
) -> None:
    for closed in compared:
        values = {
            "processor_minor_units": closed.processor,
            "books_minor_units": closed.books,
            "outside_minor_units": closed.outside,
            "open_minor_units": closed.open,
            "measured_at": now,
        }
        differs_since = None if closed.difference == 0 else now
        since = None if differs_since is None else func.coalesce(ProcessorBalanceRow.differs_since, now)
        session.execute(
            insert(ProcessorBalanceRow)
            .values(owner=owner, currency=closed.currency, differs_since=differs_since, **values)
            .on_conflict_do_update(
                index_elements=["owner", "currency"], set_={**values, "differs_since": since}
            )
        )
    _watermark(session, account_id).looked_at = now


def _tell(owner: str, closed: BalanceComparison) -> None:
    if closed.difference != 0 or closed.open != 0:
        _log.warning(
            "processor_balance_differs",
            organization_id=owner,
            currency=closed.currency,
            difference=closed.difference,
            open=closed.open,
            runbook=RUNBOOK,
        )
