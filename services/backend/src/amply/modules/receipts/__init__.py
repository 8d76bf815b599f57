"""Receipts: what each jurisdiction asks, numbers that are never used twice, paper and letters. Import from here only."""

from amply.modules.receipts.domain import (
    Advantage,
    AdvantageKind,
    AdvantageNotAcceptable,
    DonorFacts,
    DonorFactsNotAcceptable,
    GiftAidDeclaration,
    GiftFacts,
    InKind,
    IssuedReceipt,
    Jurisdiction,
    Language,
    PostalAddress,
    Reason,
    ReceiptKind,
    ReceiptNotFound,
    ReceiptSettings,
    ReceiptSettingsNotAcceptable,
    harmless,
    number_of,
)
from amply.modules.receipts.facts import declare, erase, keep, state_advantage, told_of, told_of_many
from amply.modules.receipts.gift_aid import ClaimedGift, ScheduleNotPossible, schedule
from amply.modules.receipts.issuing import VoidReason, issue, latest, latest_of_many, problems, void
from amply.modules.receipts.letters import Letter, paper_of, receipt_mail
from amply.modules.receipts.not_paid import NotPaid, not_paid_mail
from amply.modules.receipts.settings import find as settings_of
from amply.modules.receipts.settings import save as save_settings
from amply.modules.receipts.statements import FiscalYear, GiftInYear, Statement, as_html, as_pdf
from amply.modules.receipts.wording import Wording

__all__ = [
    "Advantage",
    "AdvantageKind",
    "AdvantageNotAcceptable",
    "ClaimedGift",
    "DonorFacts",
    "DonorFactsNotAcceptable",
    "FiscalYear",
    "GiftAidDeclaration",
    "GiftFacts",
    "GiftInYear",
    "InKind",
    "IssuedReceipt",
    "Jurisdiction",
    "Language",
    "Letter",
    "NotPaid",
    "PostalAddress",
    "Reason",
    "ReceiptKind",
    "ReceiptNotFound",
    "ReceiptSettings",
    "ReceiptSettingsNotAcceptable",
    "ScheduleNotPossible",
    "Statement",
    "VoidReason",
    "Wording",
    "as_html",
    "as_pdf",
    "declare",
    "erase",
    "harmless",
    "issue",
    "keep",
    "latest",
    "latest_of_many",
    "not_paid_mail",
    "number_of",
    "paper_of",
    "problems",
    "receipt_mail",
    "save_settings",
    "schedule",
    "settings_of",
    "state_advantage",
    "told_of",
    "told_of_many",
    "void",
]
