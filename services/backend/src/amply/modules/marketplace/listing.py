"""Settlements for reading: amounts, the usage they are based on, and the organisations credited."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.kernel.clock import iso, iso_or_none
from amply.modules.marketplace.domain import Period
from amply.modules.marketplace.models import SettlementRow, ShareRow


def settlements_of(session: Session, *, period: Period, contract_id: str | None) -> list[Mapping[str, Any]]:
    """Settlements of a month with all their numbers, reversed ones included, by contract."""
    wanted = select(SettlementRow).where(SettlementRow.period == str(period))
    if contract_id is not None:
        wanted = wanted.where(SettlementRow.contract_id == contract_id)
    rows = session.scalars(wanted.order_by(SettlementRow.contract_id, SettlementRow.number)).all()
    shares = session.scalars(
        select(ShareRow)
        .where(ShareRow.settlement_id.in_([row.id for row in rows]))
        .order_by(ShareRow.settlement_id, ShareRow.dataset_id, ShareRow.credited)
    ).all()
    return [_shown(row, [share for share in shares if share.settlement_id == row.id]) for row in rows]


def _shown(row: SettlementRow, shares: list[ShareRow]) -> Mapping[str, Any]:
    return {
        "id": row.id,
        "contract": row.contract_id,
        "buyer": row.buyer,
        "month": row.period,
        "number": row.number,
        "currency": row.currency,
        "owed_minor": row.owed_minor,
        "fee_minor": row.fee_minor,
        "price_minor": row.price_minor,
        "per": row.per,
        "seller_share_bp": row.seller_share_bp,
        "used_bytes": row.used_bytes,
        "reason": row.reason,
        "entry": row.entry_id,
        "settled_at": iso(row.settled_at),
        "reversed_at": iso_or_none(row.reversed_at),
        "reversal_reason": row.reversal_reason,
        "reversal_entry": row.reversal_entry_id,
        "told_at": iso_or_none(row.told_at),
        "shares": [
            {
                "dataset": share.dataset_id,
                "credited": share.credited,
                "dataset_bytes": share.dataset_bytes,
                "weight": share.weight,
                "amount_minor": share.amount_minor,
                "entry": share.entry_id,
                "reversal_entry": share.reversal_entry_id,
            }
            for share in shares
        ],
    }
