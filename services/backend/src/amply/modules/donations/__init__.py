"""Donations: taking a gift, following it to success, booking it, and sending its receipt. Import from here only."""

from amply.modules.donations.bookings import keeps_event
from amply.modules.donations.donor_years import gift_aid_claim, statement_of_donor
from amply.modules.donations.erasure import Erasure, erase_donor
from amply.modules.donations.queries import count_exhausted_receipts
from amply.modules.donations.receipting import (
    ReceiptSending,
    resend_receipt,
    send_due_receipts,
    state_advantage,
    void_receipt,
)
from amply.modules.donations.router import router
from amply.modules.donations.service import complete_stuck
from amply.modules.donations.tasks import EventHandling, handle_provider_event

__all__ = [
    "Erasure",
    "EventHandling",
    "ReceiptSending",
    "complete_stuck",
    "count_exhausted_receipts",
    "erase_donor",
    "gift_aid_claim",
    "handle_provider_event",
    "keeps_event",
    "resend_receipt",
    "router",
    "send_due_receipts",
    "state_advantage",
    "statement_of_donor",
    "void_receipt",
]
