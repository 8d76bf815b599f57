"""Copies owners' shares to the revenue table once the ledger has them, keyed by their transfer.

The settlement's row is the truth and the table follows it: what is repeated finds its line there, so that it is told once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select, update

from amply.infra.due_rows import work_off
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.marketplace.domain import Period
from amply.modules.marketplace.models import SettlementRow, ShareRow
from amply.modules.marketplace.ports import RevenueLine
from amply.modules.marketplace.settling import SettlementDependencies

_BATCH_MAX: Final = 200
_AGAIN: Final = timedelta(minutes=10)
_AGAIN_MAX: Final = timedelta(hours=1)
"""Maximum backoff, so that an outage of an hour does not delay owners for a day."""
UNTOLD: Final = "data_share_not_told"

_log = structlog.get_logger()


def tell_revenue(parts: SettlementDependencies, *, now: datetime) -> int:
    """Publish shares of new settlements; return of how many. Safe to repeat after a crash."""
    return work_off(
        parts.database,
        SettlementRow,
        SettlementRow.told_at.is_(None),
        do=lambda row: _tell(parts, row, now=now),
        most=_BATCH_MAX,
        now=now,
        first_again=_AGAIN,
        again_max=_AGAIN_MAX,
    )


def _tell(parts: SettlementDependencies, row: SettlementRow, *, now: datetime) -> int:
    with parts.database.transaction() as session:
        shares = session.scalars(select(ShareRow).where(ShareRow.settlement_id == row.id)).all()
    try:
        for line in (*_fee(row), *(line for share in shares for line in _of(row, share))):
            parts.revenue.put(line)
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.error(UNTOLD, settlement_id=row.id, attempts=row.attempts, reason=type(error).__name__)
        return 0
    with parts.database.transaction() as session:
        # Only what was told: one that was reversed meanwhile is told once more.
        reversed_at = SettlementRow.reversed_at
        same = reversed_at.is_(None) if row.reversed_at is None else reversed_at == row.reversed_at
        session.execute(
            update(SettlementRow)
            .where(SettlementRow.id == row.id, same)
            .values(told_at=now)
            .execution_options(synchronize_session=False)
        )
    return 1


def _fee(row: SettlementRow) -> Iterator[RevenueLine]:
    """The platform's part: the first line of the settlement's own entry."""
    if row.fee_minor:
        yield from _both(
            row, row.entry_id, row.reversal_entry_id, ledger.PLATFORM, row.fee_minor, dataset_id=None
        )


def _of(row: SettlementRow, share: ShareRow) -> Iterator[RevenueLine]:
    if share.amount_minor:
        yield from _both(
            row,
            share.entry_id,
            share.reversal_entry_id,
            share.credited,
            share.amount_minor,
            dataset_id=share.dataset_id,
        )


def _both(
    row: SettlementRow,
    entry_id: str | None,
    reversal_entry_id: str | None,
    credited: str,
    minor_units: int,
    *,
    dataset_id: str | None,
) -> Iterator[RevenueLine]:
    for entry, sign, at in ((entry_id, 1, row.settled_at), (reversal_entry_id, -1, row.reversed_at)):
        if entry is not None and at is not None:
            yield RevenueLine(
                period=Period.parse(row.period),
                transfer_id=f"{entry}#0",
                credited=credited,
                amount=Money(minor_units=sign * minor_units, currency=row.currency),
                contract_id=row.contract_id,
                settlement_id=row.id,
                dataset_id=dataset_id,
                at=at,
            )
