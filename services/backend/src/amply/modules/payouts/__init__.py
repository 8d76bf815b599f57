"""Payouts from the processor to organisations' banks: contents, booking, and reconciliation with the ledger.

Import from here only.
"""

from typing import TYPE_CHECKING

from amply.modules.payouts.batches import PAYOUT_COLUMNS, journals_in_one, payouts_in_batches
from amply.modules.payouts.closing import BalanceComparison, PayoutDependencies, close_books
from amply.modules.payouts.domain import (
    MovementNotOpen,
    Payout,
    PayoutNotFound,
    PayoutNotReconciled,
    PayoutStatus,
    PayoutTooLong,
    ReasonNotAcceptable,
    Transaction,
)
from amply.modules.payouts.journal_reader import PayoutNotInLog
from amply.modules.payouts.ports import PayoutProcessor, TransactionPage
from amply.modules.payouts.queries import (
    LISTED_MAX,
    OpenMovement,
    count_differences,
    count_unmatched,
    unmatched,
)
from amply.modules.payouts.recording import explain
from amply.modules.payouts.reports import PayoutTotalsDiffer, ReportFormat, report
from amply.modules.payouts.tasks import (
    TOPIC_RECONCILIATION_REQUESTED,
    ask_for,
    close_due,
    handle_provider_event,
    match_waiting,
    reconcile,
)

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "LISTED_MAX",
    "PAYOUT_COLUMNS",
    "TOPIC_RECONCILIATION_REQUESTED",
    "BalanceComparison",
    "MovementNotOpen",
    "OpenMovement",
    "Payout",
    "PayoutDependencies",
    "PayoutNotFound",
    "PayoutNotInLog",
    "PayoutNotReconciled",
    "PayoutProcessor",
    "PayoutStatus",
    "PayoutTooLong",
    "PayoutTotalsDiffer",
    "ReasonNotAcceptable",
    "ReportFormat",
    "Transaction",
    "TransactionPage",
    "ask_for",
    "close_books",
    "close_due",
    "count_differences",
    "count_unmatched",
    "explain",
    "handle_provider_event",
    "journals_in_one",
    "match_waiting",
    "payouts_in_batches",
    "reconcile",
    "report",
    "routers",
    "unmatched",
]


def routers() -> "tuple[APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.payouts import own_router, router  # noqa: PLC0415 -- see above

    return router.router, own_router.own_router
