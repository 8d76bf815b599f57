"""Donations: opening a gift, following its payment, booking it, issuing its receipt. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.donations.admission import OPENING_PROBLEMS, AdmissionOf, answered
from amply.modules.donations.bookings import keeps_event
from amply.modules.donations.data_sharing import (
    ConsentKeeping,
    DataSharing,
    DataSharingIn,
    DataSharingNotAcceptable,
)
from amply.modules.donations.dedications import DedicationDependencies, send_due_dedications
from amply.modules.donations.dispute_answers import (
    DisputeNotAnswerable,
    StatementNotAcceptable,
    answer_dispute,
)
from amply.modules.donations.domain import (
    Costs,
    DonationNotFound,
    DonationStatus,
    Donor,
    FeeCoverChanged,
    Gift,
    OfflineMethod,
)
from amply.modules.donations.donor_documents import own_proof, own_receipt
from amply.modules.donations.donor_gifts import (
    TOPIC_HIDDEN,
    AnonymityNotChangeable,
    GivenTo,
    OwnGift,
    change_anonymity,
    index_of,
    newest_address,
    own_gift,
    own_gifts,
    owner_of,
    recipients_of,
    resend_own_receipt,
    sealed_for,
)
from amply.modules.donations.donor_years import NoGiftsFound, gift_aid_claim, statement_of_donor
from amply.modules.donations.endings import end_abandoned, end_exhausted
from amply.modules.donations.erasure import Erasure, erase_donor, require_named, search_openings
from amply.modules.donations.erasure_list import forget_told, still_there, told_of_gifts
from amply.modules.donations.evidence import evidence
from amply.modules.donations.gift_batches import GIFT_COLUMNS, gifts_in_batches
from amply.modules.donations.gift_list import as_csv, gifts_of
from amply.modules.donations.notices import send_due_notices
from amply.modules.donations.offline import (
    OfflineGift,
    OfflineGiftNotAcceptable,
    ReversalReason,
    record_offline,
    reverse_offline,
)
from amply.modules.donations.offline_details import OfflineDetails
from amply.modules.donations.offline_references import OfflineGiftKnown
from amply.modules.donations.openings import sealed_openings
from amply.modules.donations.options import (
    Anonymity,
    Dedication,
    DedicationKind,
    GiftOptions,
    GiftOptionsNotAcceptable,
    Recipient,
    check_options,
    dedication_of,
)
from amply.modules.donations.provider_events.reversals import TOPIC_CONTESTED
from amply.modules.donations.provider_events.setups import handle_setup_event
from amply.modules.donations.queries import (
    contested,
    costs,
    count_exhausted_letters,
    count_exhausted_receipts,
    covered_fees,
    sealed_rows,
    statuses,
    withdraw_declarations,
)
from amply.modules.donations.receipting import (
    ReceiptDependencies,
    printed_receipt,
    resend_receipt,
    send_due_receipts,
    state_advantage,
    void_receipt,
)
from amply.modules.donations.refund_requests import (
    TOPIC_REFUND_ASKED,
    carry_out_requests,
    count_exhausted_requests,
)
from amply.modules.donations.refunds import (
    DonationNotRefundable,
    RefundAmountNotAcceptable,
    RefundDependencies,
    Refunded,
    RefundNotFinished,
    RefundRefused,
    complete_stuck_refunds,
    refund,
)
from amply.modules.donations.schemas import (
    AmountIn,
    AmountOut,
    CostsOut,
    DonationCreated,
    DonationIn,
    FeeCoverIn,
    GiftIn,
)
from amply.modules.donations.service import (
    Answer,
    check_gift,
    complete_stuck,
    open_payment,
    quotes,
    record_gift,
    replayed,
)
from amply.modules.donations.splits import SplitGiftDependencies, complete_splits
from amply.modules.donations.tasks import EventDependencies, handle_provider_event
from amply.modules.donations.typed_text import LongText

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "GIFT_COLUMNS",
    "OPENING_PROBLEMS",
    "TOPIC_CONTESTED",
    "TOPIC_HIDDEN",
    "TOPIC_REFUND_ASKED",
    "AdmissionOf",
    "AmountIn",
    "AmountOut",
    "Anonymity",
    "AnonymityNotChangeable",
    "Answer",
    "ConsentKeeping",
    "Costs",
    "CostsOut",
    "DataSharing",
    "DataSharingIn",
    "DataSharingNotAcceptable",
    "Dedication",
    "DedicationDependencies",
    "DedicationKind",
    "DisputeNotAnswerable",
    "DonationCreated",
    "DonationIn",
    "DonationNotFound",
    "DonationNotRefundable",
    "DonationStatus",
    "Donor",
    "Erasure",
    "EventDependencies",
    "FeeCoverChanged",
    "FeeCoverIn",
    "Gift",
    "GiftIn",
    "GiftOptions",
    "GiftOptionsNotAcceptable",
    "GivenTo",
    "LongText",
    "NoGiftsFound",
    "OfflineDetails",
    "OfflineGift",
    "OfflineGiftKnown",
    "OfflineGiftNotAcceptable",
    "OfflineMethod",
    "OwnGift",
    "ReceiptDependencies",
    "Recipient",
    "RefundAmountNotAcceptable",
    "RefundDependencies",
    "RefundNotFinished",
    "RefundRefused",
    "Refunded",
    "ReversalReason",
    "SplitGiftDependencies",
    "StatementNotAcceptable",
    "answer_dispute",
    "answered",
    "as_csv",
    "carry_out_requests",
    "change_anonymity",
    "check_gift",
    "check_options",
    "complete_splits",
    "complete_stuck",
    "complete_stuck_refunds",
    "contested",
    "costs",
    "count_exhausted_letters",
    "count_exhausted_receipts",
    "count_exhausted_requests",
    "covered_fees",
    "dedication_of",
    "end_abandoned",
    "end_exhausted",
    "erase_donor",
    "evidence",
    "forget_told",
    "gift_aid_claim",
    "gifts_in_batches",
    "gifts_of",
    "handle_provider_event",
    "handle_setup_event",
    "index_of",
    "keeps_event",
    "newest_address",
    "open_payment",
    "own_gift",
    "own_gifts",
    "own_proof",
    "own_receipt",
    "owner_of",
    "printed_receipt",
    "quotes",
    "recipients_of",
    "record_gift",
    "record_offline",
    "refund",
    "replayed",
    "require_named",
    "resend_own_receipt",
    "resend_receipt",
    "reverse_offline",
    "routers",
    "sealed_for",
    "sealed_openings",
    "sealed_rows",
    "search_openings",
    "send_due_dedications",
    "send_due_notices",
    "send_due_receipts",
    "state_advantage",
    "statement_of_donor",
    "statuses",
    "still_there",
    "told_of_gifts",
    "void_receipt",
    "withdraw_declarations",
]


def routers() -> "tuple[APIRouter, APIRouter, APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.donations import (  # noqa: PLC0415 -- see above
        organization_router,
        refund_router,
        router,
        split_router,
    )

    return (
        router.router,
        split_router.router,
        organization_router.organization_router,
        refund_router.refund_router,
    )
