"""Port of payouts at the processor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from amply.modules.payouts.domain import Payout, Transaction


@dataclass(frozen=True, kw_only=True)
class TransactionPage:
    """Balance transactions, newest first. `older_than` requests the next page; None on the last one."""

    items: Sequence[Transaction]
    older_than: str | None


class PayoutProcessor(Protocol):
    """Payouts and balance of one account; `account_id` None is the platform's own.

    Every method raises `payments.ProcessorUnavailable` when no answer came and `payments.ProcessorRefused` when the
    answer was no. No method may be called inside a transaction.
    """

    def payout(self, *, payout_id: str, account_id: str | None) -> Payout:
        """A payout's current state."""

    def transactions_of(
        self, *, payout_id: str, account_id: str | None, older_than: str | None
    ) -> TransactionPage:
        """A page of an automatic payout's balance transactions, its own included."""

    def transactions_between(
        self, *, account_id: str | None, since: datetime, until: datetime, older_than: str | None
    ) -> TransactionPage:
        """A page of balance transactions from `since` (inclusive) to `until` (exclusive)."""

    def balance(self, *, account_id: str | None) -> Mapping[str, int]:
        """Available plus pending minor units, by currency."""
