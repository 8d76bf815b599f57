"""Checks before a payment back to a buyer is recorded: it must not exceed the credit of its contract.

Nobody's money is moved here: it was sent by bank. What is asked keeps a slip, a month that is still to be settled, or a
restoration from making a credit that is not there.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.kernel.errors import Conflict
from amply.modules.marketplace.domain import Contract, Period
from amply.modules.marketplace.models import PaymentRow, SettlementRow
from amply.modules.marketplace.settling import BooksKnowMore

RESTORED: Final = "database_restored"
"""Reason code of settlements reconstructed from the ledger: docs/runbooks/data-revenue.md, "After a restoration"."""


class MonthNotSettled(Conflict):
    """A month of the contract that is over has no settlement, so that nobody knows yet what its buyer has in credit."""

    code = "data_month_not_settled"


class ReferenceKnown(Conflict):
    """The reference stands under another contract."""

    code = "data_reference_known"


def require_settled(session: Session, contract: Contract, *, now: datetime) -> None:
    """Require a valid settlement for every past month of the contract.

    Raises:
        MonthNotSettled: One has none.
    """
    standing = set(
        session.scalars(
            select(SettlementRow.period).where(
                SettlementRow.contract_id == contract.contract_id, SettlementRow.reversed_at.is_(None)
            )
        )
    )
    for period in _over(contract, now=now):
        if str(period) not in standing:
            raise MonthNotSettled(
                f"{period} of {contract.contract_id} is over and has no settlement that stands; settle it first, an hour "
                "after its end or later (`data settle`; with --owed 0 where nothing of it is owed any more)."
            )


def require_credit_in_rows(session: Session, contract_id: str) -> None:
    """Require that settlement rows, not only ledger entries, account for what the contract owes.

    Raises:
        BooksKnowMore: A month of it was settled by what the books have from before a restoration.
    """
    found = session.scalar(
        select(SettlementRow.id)
        .where(SettlementRow.contract_id == contract_id, SettlementRow.reason == RESTORED)
        .limit(1)
    )
    if found is not None:
        raise BooksKnowMore(
            f"{found} was settled after a restoration: what the books alone have of its month is counted as credit. Add that up "
            "as docs/runbooks/data-revenue.md says, and repeat this with --in-books and the sum."
        )


def require_nobody_elses(session: Session, payment_way: str, contract_id: str, reference: str) -> None:
    """Require that a bank transfer is recorded under one contract only.

    Raises:
        ReferenceKnown: It stands under another one.
    """
    other = session.scalar(
        select(PaymentRow.party)
        .where(
            PaymentRow.way == payment_way, PaymentRow.reference == reference, PaymentRow.party != contract_id
        )
        .limit(1)
    )
    if other is not None:
        raise ReferenceKnown(
            f"{reference} was noted under {other}; if one transfer was for both contracts, repeat this with "
            "--also-of-another and this contract's part of it."
        )


def _over(contract: Contract, *, now: datetime) -> Iterator[Period]:
    period = Period.of(contract.starts_at)
    while period.ends_at <= now and period.starts_at < contract.ends_at:
        if contract.holds_in(period):
            yield period
        period = period.following
