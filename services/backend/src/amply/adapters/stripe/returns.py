"""Translates Stripe's refunds, disputes and early fraud warnings into the payments module's types."""

from datetime import UTC, datetime
from typing import Any, Final

import stripe

from amply.kernel.money import Money
from amply.modules.payments import (
    DisputeMovement,
    RefundReason,
    RefundStatus,
    RemoteDispute,
    RemoteRefund,
    RemoteWarning,
)

REASONS: Final = {
    RefundReason.DUPLICATE: "duplicate",
    RefundReason.FRAUDULENT: "fraudulent",
    RefundReason.REQUESTED_BY_DONOR: "requested_by_customer",
}
"""`fraudulent` also puts card and address on Stripe's block lists."""

_OUR_REASONS: Final = {theirs: ours for ours, theirs in REASONS.items()}

_STATUSES: Final = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.CANCELED,
}


def remote_refund(refund: stripe.Refund) -> RemoteRefund:
    """Read a refund whose balance transactions are expanded; one that is only named has its refund's time."""
    status = _STATUSES.get(refund.status or "", RefundStatus.PENDING)
    moved_at = _moment(refund.balance_transaction, otherwise=refund.created)
    if moved_at is None and status is RefundStatus.SUCCEEDED:
        moved_at = _utc(refund.created)
    metadata = refund.metadata.to_dict() if refund.metadata is not None else {}
    refund_id = metadata.get("amply_refund_id")
    return RemoteRefund(
        remote_id=refund.id,
        refund_id=refund_id if isinstance(refund_id, str) else None,
        amount=Money(minor_units=refund.amount, currency=refund.currency.upper()),
        status=status,
        moved_at=moved_at,
        # Absent unless it failed.
        returned_at=_moment(getattr(refund, "failure_balance_transaction", None), otherwise=None),
        reason=_OUR_REASONS.get(refund.reason or ""),
    )


def remote_dispute(dispute: stripe.Dispute) -> RemoteDispute:
    """Read a dispute. What happened in the same second is taken as withdrawn first."""
    due = dispute.evidence_details.due_by
    moved = sorted(dispute.balance_transactions, key=lambda each: (each.created, each.amount, each.id))
    return RemoteDispute(
        remote_id=dispute.id,
        amount=Money(minor_units=dispute.amount, currency=dispute.currency.upper()),
        reason=dispute.reason,
        status=dispute.status,
        evidence_due_at=None if due is None else _utc(due),
        opened_at=_utc(dispute.created),
        movements=tuple(_movement(each, dispute) for each in moved),
    )


def remote_warning(warning: stripe.radar.EarlyFraudWarning) -> RemoteWarning:
    """Read an early fraud warning."""
    return RemoteWarning(remote_id=warning.id, fraud_type=warning.fraud_type, warned_at=_utc(warning.created))


def _movement(moved: stripe.BalanceTransaction, dispute: stripe.Dispute) -> DisputeMovement:
    """In the gift's currency: an account that settles in another one has fee and exchange booked from its payout."""
    currency = dispute.currency.upper()
    settled_here = moved.currency.upper() == currency
    amount = moved.amount if settled_here else dispute.amount * (-1 if moved.amount < 0 else 1)
    return DisputeMovement(
        remote_id=moved.id,
        amount=Money(minor_units=amount, currency=currency),
        fee=Money(minor_units=moved.fee if settled_here else 0, currency=currency),
        moved_at=_utc(moved.created),
    )


def _moment(balance_transaction: Any, *, otherwise: int | None) -> datetime | None:
    if balance_transaction is None:
        return None
    if isinstance(balance_transaction, stripe.BalanceTransaction):
        return _utc(balance_transaction.created)
    return None if otherwise is None else _utc(otherwise)


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
