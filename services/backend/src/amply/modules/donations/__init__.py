"""Donations: taking a gift, following it to success, booking it, and sending its receipt. Import from here only."""

from amply.modules.donations.answers import DisputeNotAnswerable, StatementNotAcceptable, answer_dispute
from amply.modules.donations.bookings import keeps_event
from amply.modules.donations.erasure import Erasure, address_digest, erase_donor
from amply.modules.donations.evidence import evidence
from amply.modules.donations.ports import Attachment, Mail, Mailer
from amply.modules.donations.queries import count_exhausted_receipts
from amply.modules.donations.refunds import (
    DonationNotRefundable,
    RefundAmountNotAcceptable,
    Refunded,
    Refunding,
    RefundNotFinished,
    RefundRefused,
    complete_stuck_refunds,
    refund,
)
from amply.modules.donations.router import router
from amply.modules.donations.service import complete_stuck
from amply.modules.donations.tasks import (
    EventHandling,
    ReceiptSending,
    handle_provider_event,
    send_due_receipts,
)

__all__ = [
    "Attachment",
    "DisputeNotAnswerable",
    "DonationNotRefundable",
    "Erasure",
    "EventHandling",
    "Mail",
    "Mailer",
    "ReceiptSending",
    "RefundAmountNotAcceptable",
    "RefundNotFinished",
    "RefundRefused",
    "Refunded",
    "Refunding",
    "StatementNotAcceptable",
    "address_digest",
    "answer_dispute",
    "complete_stuck",
    "complete_stuck_refunds",
    "count_exhausted_receipts",
    "erase_donor",
    "evidence",
    "handle_provider_event",
    "keeps_event",
    "refund",
    "router",
    "send_due_receipts",
]
