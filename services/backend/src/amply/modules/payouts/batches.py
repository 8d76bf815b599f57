"""Reads all payouts of an organisation with their journals, for exports."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import select

from amply.infra.database import Database
from amply.infra.keyset import Order
from amply.kernel.clock import iso
from amply.modules.payouts.models import PayoutRow
from amply.modules.payouts.reports import ReportFormat, report

_BATCH: Final = 500
_OLDEST: Final = Order(name="payouts in batches", columns=(PayoutRow.created_at, PayoutRow.id))

PAYOUT_COLUMNS: Final = (
    *("id", "created_at", "arrives_on", "status", "currency", "amount_minor", "items", "items_minor"),
    "bank_reference",
)
"""What a line says. Amounts are minor units; `items_minor` is what its items come to, empty while they are not known."""

Line = dict[str, str | int | None]


def payouts_in_batches(
    database: Database, *, organization_id: str, since: datetime | None, before: datetime | None
) -> Iterator[list[Line]]:
    """Payouts of a period, oldest first, one transaction for each batch."""
    for rows in _batches(database, organization_id, since, before):
        yield [
            {
                "id": row.id,
                "created_at": iso(row.created_at),
                "arrives_on": row.arrives_on.isoformat(),
                "status": row.status,
                "currency": row.currency,
                "amount_minor": row.minor_units,
                "items": None if row.items is None else str(row.items),
                "items_minor": row.items_minor_units,
                "bank_reference": row.bank_reference,
            }
            for row in rows
        ]


def journals_in_one(
    database: Database,
    *,
    organization_id: str,
    since: datetime | None,
    before: datetime | None,
    count: Callable[[], None],
) -> Iterator[bytes]:
    """Journals of all reconciled payouts of a period under one header; `count` is called for each.

    Raises:
        PayoutTotalsDiffer: A payout's items do not come to it: no file is better than a wrong one.
    """
    is_first = True
    for rows in _batches(database, organization_id, since, before):
        for row in rows:
            if row.reconciled_at is None:
                continue
            with database.transaction() as session:
                written = report(session, payout_id=row.id, file_format=ReportFormat.JOURNAL)
            header, _, lines = written.partition("\r\n")
            yield (written if is_first else lines).encode() if header else b""
            is_first = False
            count()


def _batches(
    database: Database, organization_id: str, since: datetime | None, before: datetime | None
) -> Iterator[list[PayoutRow]]:
    cursor: str | None = None
    while True:
        chosen = select(PayoutRow).where(PayoutRow.owner == organization_id)
        if since is not None:
            chosen = chosen.where(PayoutRow.created_at >= since)
        if before is not None:
            chosen = chosen.where(PayoutRow.created_at < before)
        with database.transaction() as session:
            rows = session.scalars(_OLDEST.page(chosen, cursor=cursor, limit=_BATCH)).all()
        if rows[:_BATCH]:
            yield list(rows[:_BATCH])
        cursor = _OLDEST.next_cursor(rows, limit=_BATCH)
        if cursor is None:
            return
