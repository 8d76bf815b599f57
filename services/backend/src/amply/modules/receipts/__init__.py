"""Receipts: rules of each jurisdiction, gapless numbering, PDF and letters. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.mail import Language
from amply.modules.receipts.dedications import DedicationLetter, dedication_mail, is_name_alone
from amply.modules.receipts.domain import (
    Advantage,
    AdvantageKind,
    AdvantageNotAcceptable,
    Company,
    Dedicated,
    DonorFacts,
    DonorFactsNotAcceptable,
    GiftAidDeclaration,
    GiftFacts,
    InKind,
    IssuedReceipt,
    Jurisdiction,
    PostalAddress,
    Reason,
    ReceiptKind,
    ReceiptNotFound,
    ReceiptSettings,
    ReceiptSettingsNotAcceptable,
    harmless,
    number_of,
)
from amply.modules.receipts.donor_details import (
    declare,
    erase,
    keep,
    sealed_rows,
    state_advantage,
    told_of,
    told_of_many,
    withdraw_declarations,
)
from amply.modules.receipts.gift_aid import ClaimedGift, ScheduleNotPossible, schedule
from amply.modules.receipts.issuing import VoidReason, find, issue, latest, latest_of_many, problems, void
from amply.modules.receipts.letters import Letter, paper_of, receipt_mail
from amply.modules.receipts.listing import Calendar, ListedReceipt, ReceiptState, calendars_of, listed
from amply.modules.receipts.not_paid import NotPaid, not_paid_mail
from amply.modules.receipts.settings import begin as begin_settings
from amply.modules.receipts.settings import find as settings_of
from amply.modules.receipts.settings import save as save_settings
from amply.modules.receipts.statements import (
    FiscalYear,
    GiftInYear,
    GiverInYear,
    Statement,
    ThingInYear,
    YearNotAcceptable,
    as_html,
    as_pdf,
)
from amply.modules.receipts.wording import Wording

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "Advantage",
    "AdvantageKind",
    "AdvantageNotAcceptable",
    "Calendar",
    "ClaimedGift",
    "Company",
    "Dedicated",
    "DedicationLetter",
    "DonorFacts",
    "DonorFactsNotAcceptable",
    "FiscalYear",
    "GiftAidDeclaration",
    "GiftFacts",
    "GiftInYear",
    "GiverInYear",
    "InKind",
    "IssuedReceipt",
    "Jurisdiction",
    "Language",
    "Letter",
    "ListedReceipt",
    "NotPaid",
    "PostalAddress",
    "Reason",
    "ReceiptKind",
    "ReceiptNotFound",
    "ReceiptSettings",
    "ReceiptSettingsNotAcceptable",
    "ReceiptState",
    "ScheduleNotPossible",
    "Statement",
    "ThingInYear",
    "VoidReason",
    "Wording",
    "YearNotAcceptable",
    "as_html",
    "as_pdf",
    "begin_settings",
    "calendars_of",
    "declare",
    "dedication_mail",
    "erase",
    "find",
    "harmless",
    "is_name_alone",
    "issue",
    "keep",
    "latest",
    "latest_of_many",
    "listed",
    "not_paid_mail",
    "number_of",
    "paper_of",
    "problems",
    "receipt_mail",
    "routers",
    "save_settings",
    "schedule",
    "sealed_rows",
    "settings_of",
    "state_advantage",
    "told_of",
    "told_of_many",
    "void",
    "withdraw_declarations",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.receipts import settings_router  # noqa: PLC0415 -- see above

    return (settings_router.settings_router,)
