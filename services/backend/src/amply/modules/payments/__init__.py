"""Payments: what we ask of the processor and what it tells us. Import from here only."""

from amply.modules.payments.domain import (
    Account,
    AccountStatus,
    Intent,
    OrganizationNotReady,
    Payment,
    PaymentStatus,
    ProcessorRefused,
    ProcessorUnavailable,
    Settlement,
    status_of_event,
)
from amply.modules.payments.erasure import erase, names_of_payments
from amply.modules.payments.ports import Processor
from amply.modules.payments.service import (
    claim_stuck,
    connect_organization,
    count_exhausted,
    create,
    find_account,
    find_for_event,
    for_donation,
    lock_for_event,
    open_at_processor,
    record_intent,
    refuse,
    transition,
)

__all__ = [
    "Account",
    "AccountStatus",
    "Intent",
    "OrganizationNotReady",
    "Payment",
    "PaymentStatus",
    "Processor",
    "ProcessorRefused",
    "ProcessorUnavailable",
    "Settlement",
    "claim_stuck",
    "connect_organization",
    "count_exhausted",
    "create",
    "erase",
    "find_account",
    "find_for_event",
    "for_donation",
    "lock_for_event",
    "names_of_payments",
    "open_at_processor",
    "record_intent",
    "refuse",
    "status_of_event",
    "transition",
]
