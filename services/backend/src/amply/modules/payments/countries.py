"""Countries in which an organisation can be onboarded at the processor, and the conditions of each.

Stripe takes gifts for a specific charitable purpose, and not for somebody else; in some countries it takes none, or only for
some (support.stripe.com/questions/requirements-for-accepting-tips-or-donations). What an organisation receives itself, and
the receipts for it, need no account and are possible everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from amply.kernel.errors import InvalidRequest


class Confirmation(StrEnum):
    """A fact that whoever onboards an organisation has verified about it."""

    REGISTERED_CHARITY = "registered_charity"
    COMMUNITY_ORGANIZATION = "community_organization"
    GIFT_AGREEMENT = "gift_agreement"


class CountryNotAdmitted(InvalidRequest):
    """Organisations of this country cannot be onboarded, or not without a confirmation."""

    code = "country_not_admitted"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Onboarding rule of a country. `refusal`: not possible, and why. `needs`: only with this confirmed (`condition` in
    words).
    """

    refusal: str | None = None
    needs: Confirmation | None = None
    condition: str = ""


# The rules were last held against Stripe's page on 26 November 2026; the list of countries is stripe.com/global, as others
# quote it.
_OPEN: Final = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GI", "GR", "HR", "HU"),
    *("IE", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK", "CH"),
    *("US", "CA", "MX", "BR", "NZ", "MY", "AE"),
)
_NO_GIFTS: Final = "Stripe takes no gifts for organisations there"

RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(_OPEN, Rule()),
    "AU": Rule(refusal="Stripe takes no gifts there that are not given for goods or services"),
    "HK": Rule(refusal=_NO_GIFTS),
    "IN": Rule(refusal=_NO_GIFTS),
    "TH": Rule(refusal=_NO_GIFTS),
    "ID": Rule(
        needs=Confirmation.COMMUNITY_ORGANIZATION,
        condition="it is a community organisation or a social welfare institution",
    ),
    "JP": Rule(
        needs=Confirmation.GIFT_AGREEMENT,
        condition="it is no person, and its gifts are made under a gift agreement with their donors",
    ),
    "SG": Rule(
        needs=Confirmation.REGISTERED_CHARITY,
        condition="it is a charity or religious organisation that the government has registered",
    ),
}
"""By ISO 3166-1 alpha-2. Where there is none, the processor opens no accounts."""


def require_admitted(*, country: str, confirmed: Confirmation | None) -> None:
    """Refuse to onboard in a country where the processor takes no gifts.

    Raises:
        CountryNotAdmitted: It says why, and what is possible instead.
    """
    rule = RULES.get(country)
    if rule is None or rule.refusal is not None:
        why = "Stripe opens no accounts there" if rule is None else rule.refusal
        raise CountryNotAdmitted(
            f"An organisation in {country} cannot be onboarded: {why}. Record what it receives itself as offline gifts.",
            param="country",
        )
    if rule.needs is not None and confirmed is not rule.needs:
        raise CountryNotAdmitted(
            f"An organisation in {country} can be onboarded only if {rule.condition}: look that up, then repeat this with "
            f"--confirm {rule.needs}.",
            param="country",
        )
