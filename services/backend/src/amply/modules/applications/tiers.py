"""Verification tiers by yearly volume: the documents and checks that each requires (ADR 0120)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Tier(StrEnum):
    """By the units of a year's gifts in the organisation's currency."""

    STANDARD = "standard"
    ENHANCED = "enhanced"
    COMPREHENSIVE = "comprehensive"


class DocumentKind(StrEnum):
    """What a document shows."""

    REGISTRATION = "registration"
    STATUTES = "statutes"
    REPRESENTATIVE = "representative"
    ACCOUNTS = "accounts"
    BANK = "bank"
    OWNERSHIP = "ownership"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class TierRule:
    """What is asked for. `units_max`: of a year's gifts, in whole units of the currency; None without an upper bound."""

    units_max: int | None
    documents: tuple[DocumentKind, ...]
    checks: tuple[str, ...]


_CHECKS: Final = (
    "The register has this name under this number, or the registration document does.",
    "The site names the organisation, and its purpose is the one that is written here.",
    "Neither the organisation nor who acts for it is on the sanctions lists of the EU, OFAC and the UN.",
)

TIERS: Final[Mapping[Tier, TierRule]] = {
    Tier.STANDARD: TierRule(units_max=50_000, documents=(DocumentKind.REGISTRATION,), checks=_CHECKS),
    Tier.ENHANCED: TierRule(
        units_max=500_000,
        documents=(DocumentKind.REGISTRATION, DocumentKind.STATUTES, DocumentKind.REPRESENTATIVE),
        checks=(
            *_CHECKS,
            "The statutes bind the money to the purpose, and name who may act; who applies may.",
        ),
    ),
    Tier.COMPREHENSIVE: TierRule(
        units_max=None,
        documents=(
            *(DocumentKind.REGISTRATION, DocumentKind.STATUTES, DocumentKind.REPRESENTATIVE),
            *(DocumentKind.ACCOUNTS, DocumentKind.BANK, DocumentKind.OWNERSHIP),
        ),
        checks=(
            *_CHECKS,
            "The statutes bind the money to the purpose, and name who may act; who applies may.",
            "Last year's accounts are plausible beside the volume that is expected.",
            "The bank account is the organisation's own, and who stands behind it is named.",
        ),
    ),
}
"""The tiers of the platform's verification: up to 50,000, up to 500,000, above."""
