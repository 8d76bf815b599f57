"""Rules of each jurisdiction for receipts: from settings and gift to the permitted statements. Pure.

Sources: US IRC §170(f)(8), §6115 and IRS Publication 1771; Canada Income Tax Regulations 3501 and the CRA's checklist;
UK Gift Aid (gov.uk, "Claiming Gift Aid as a charity", donor benefit rules of 2019); Australia ITAA 1997 s 30-228, div 30.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from amply.kernel.money import Money
from amply.modules.receipts.domain import (
    AdvantageKind,
    GiftAidDeclaration,
    GiftFacts,
    Jurisdiction,
    Reason,
    ReceiptKind,
    ReceiptSettings,
)

US_WRITTEN_FROM: Final = 250_00
"""Minor units of USD from which the donor needs it in writing (IRC §170(f)(8))."""
US_QUID_PRO_QUO_ABOVE: Final = 75_00
"""Minor units of USD above which a payment with something in return must be told what part is deductible (§6115)."""
AU_GIFT_MIN: Final = 2_00
AU_CONTRIBUTION_ABOVE: Final = 150_00
AU_RIGHT_MAX: Final = 150_00
AU_RIGHT_SHARE: Final = 20
"""Percent of a contribution that the right in return may be worth (ITAA 1997 s 30-15, items 7 and 8)."""
CA_ADVANTAGE_SHARE: Final = 80
"""Percent of a gift above which it is presumed to be none (Income Tax Act s 248(30))."""
GB_BENEFIT_FIRST: Final = 100_00
GB_BENEFIT_MAX: Final = 2_500_00

_CURRENCY: Final = {
    Jurisdiction.US: "USD",
    Jurisdiction.CA: "CAD",
    Jurisdiction.GB: "GBP",
    Jurisdiction.AU: "AUD",
}
_GB_NAME: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f '.])*")
_GB_NOT_IN_NAMES: Final = re.compile(r"[\d_]|[^\w\u0300-\u036f '.]")
_GB_POSTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}|X")
GB_TITLE_MAX: Final = 4
GB_NAME_MAX: Final = 35
GB_HOUSE_MAX: Final = 40


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What a receipt may state. `statements` name texts; `eligible` is the eligible amount (all of it where nothing is
    claimed).
    """

    kind: ReceiptKind
    eligible: Money
    statements: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    states_amount: bool = True


def assess(settings: ReceiptSettings | None, gift: GiftFacts) -> Assessment:
    """What the jurisdiction lets a receipt of this gift state; an acknowledgement if something is missing."""
    if settings is None:
        return _acknowledgement(gift, (Reason.NO_SETTINGS,))
    if settings.jurisdiction is Jurisdiction.NONE:
        return _acknowledgement(gift, ())
    if settings.missing:
        return _acknowledgement(gift, (Reason.SETTINGS_INCOMPLETE,))
    if gift.is_anonymous:
        # An official receipt is the organisation's own document: it has to know whom it is made out to.
        return _acknowledgement(gift, (Reason.ANONYMOUS,))
    currency = _CURRENCY[settings.jurisdiction]
    other = gift.advantage.value if gift.advantage is not None else None
    # Elsewhere amounts are compared: those of another currency cannot be.
    if gift.amount.currency != currency or (other is not None and other.currency != currency):
        return _acknowledgement(gift, (Reason.WRONG_CURRENCY,))
    return _OF[settings.jurisdiction](gift)


def _acknowledgement(gift: GiftFacts, reasons: tuple[Reason, ...]) -> Assessment:
    returned = ("ack_advantage",) if gift.advantage is not None else ()
    return Assessment(
        kind=ReceiptKind.ACKNOWLEDGEMENT,
        eligible=gift.amount,
        statements=("ack", *returned),
        reasons=reasons,
        states_amount=gift.in_kind is None,
    )


def _official(gift: GiftFacts, *statements: str, states_amount: bool = True) -> Assessment:
    eligible = Money(minor_units=gift.amount.minor_units - returned(gift), currency=gift.amount.currency)
    return Assessment(
        kind=ReceiptKind.OFFICIAL, eligible=eligible, statements=statements, states_amount=states_amount
    )


def returned(gift: GiftFacts) -> int:
    """Value of the donor's benefit in minor units, at most the gift."""
    value = gift.advantage.value if gift.advantage is not None else None
    return min(value.minor_units, gift.amount.minor_units) if value is not None else 0


def _united_states(gift: GiftFacts) -> Assessment:
    """The sentence about what came in return is always there; a written acknowledgment without it is none.

    Of a thing it has the description and no value: valuing it is the donor's affair (IRS Publication 1771).
    """
    if gift.advantage is None:
        said = ["us_nothing"]
    elif gift.advantage.kind is AdvantageKind.INTANGIBLE_RELIGIOUS:
        said = ["us_religious"]
    else:
        said = ["us_goods"]
        if gift.amount.minor_units > US_QUID_PRO_QUO_ABOVE:
            said.append("us_quid_pro_quo")
    if returned(gift) >= gift.amount.minor_units:
        return _acknowledgement(gift, (Reason.ADVANTAGE_TOO_LARGE,))
    if gift.amount.minor_units >= US_WRITTEN_FROM:
        said.append("us_written")
    if gift.in_kind is not None:
        said.append("no_value")
    return _official(gift, *said, states_amount=gift.in_kind is None)


def _canada(gift: GiftFacts) -> Assessment:
    """Of a thing the fair market value on the day is the amount, with a description and whoever appraised it (3501(1)(e.1))."""
    if gift.donor.address is None:
        return _acknowledgement(gift, (Reason.NO_DONOR_ADDRESS,))
    if returned(gift) * 100 > gift.amount.minor_units * CA_ADVANTAGE_SHARE:
        return _acknowledgement(gift, (Reason.ADVANTAGE_TOO_LARGE,))
    return _official(gift, "ca_agency")


def _united_kingdom(gift: GiftFacts) -> Assessment:
    """Gift Aid is claimed on the whole gift or not at all: a benefit within the limits lessens nothing. Only money counts."""
    if gift.in_kind is not None:
        return _acknowledgement(gift, (Reason.NOT_MONEY,))
    declaration = gift.donor.gift_aid
    if gift.donor.company is not None:
        return _acknowledgement(gift, (Reason.COMPANY_GIFT,))
    if declaration is None:
        return _acknowledgement(gift, (Reason.NO_DECLARATION,))
    if not is_usable(declaration):
        return _acknowledgement(gift, (Reason.DECLARATION_UNUSABLE,))
    if returned(gift) > gift_aid_benefit_max(gift.amount.minor_units):
        return _acknowledgement(gift, (Reason.ADVANTAGE_TOO_LARGE,))
    declared = "gb_declared" if declaration.declared_at is None else "gb_declared_enduring"
    benefit = ("gb_benefit",) if gift.advantage is not None else ()
    return Assessment(
        kind=ReceiptKind.OFFICIAL, eligible=gift.amount, statements=(declared, "gb_worth", *benefit)
    )


def _australia(gift: GiftFacts) -> Assessment:
    if gift.in_kind is not None:
        return _australian_thing(gift)
    if gift.advantage is None:
        if gift.amount.minor_units < AU_GIFT_MIN:
            return _acknowledgement(gift, (Reason.BELOW_MINIMUM,))
        return _official(gift, "au_gift")
    right, whole = returned(gift), gift.amount.minor_units
    if whole <= AU_CONTRIBUTION_ABOVE:
        return _acknowledgement(gift, (Reason.BELOW_MINIMUM,))
    if right > AU_RIGHT_MAX or right * 100 > whole * AU_RIGHT_SHARE:
        return _acknowledgement(gift, (Reason.ADVANTAGE_TOO_LARGE,))
    return _official(gift, "au_contribution")


def _australian_thing(gift: GiftFacts) -> Assessment:
    """That it was a gift is said; what it may be deducted at, the donor finds out (ATO, "Gifts of property")."""
    if gift.advantage is not None:
        return _acknowledgement(gift, (Reason.NOT_MONEY,))
    return _official(gift, "au_gift", "no_value", states_amount=False)


def gift_aid_benefit_max(minor_units: int) -> int:
    """Maximum benefit under Gift Aid, in pence: a quarter of the first £100, a twentieth above, at most £2,500."""
    first = min(minor_units, GB_BENEFIT_FIRST)
    return min(first // 4 + (minor_units - first) // 20, GB_BENEFIT_MAX)


def not_in_names(name: str) -> str | None:
    """The first character of a name that HMRC's schedule does not accept, or None."""
    found = _GB_NOT_IN_NAMES.search(name)
    return found.group() if found is not None else None


def is_usable(declaration: GiftAidDeclaration) -> bool:
    """Whether HMRC's schedule accepts the name, house and postcode."""
    return (
        len(declaration.title) <= GB_TITLE_MAX
        and all(
            0 < len(name) <= GB_NAME_MAX and _GB_NAME.fullmatch(name) is not None
            for name in (declaration.first_name, declaration.last_name)
        )
        and 0 < len(declaration.house) <= GB_HOUSE_MAX
        and _GB_POSTCODE.fullmatch(declaration.postcode) is not None
    )


_OF: Final[dict[Jurisdiction, Callable[[GiftFacts], Assessment]]] = {
    Jurisdiction.US: _united_states,
    Jurisdiction.CA: _canada,
    Jurisdiction.GB: _united_kingdom,
    Jurisdiction.AU: _australia,
}
