"""Composes a receipt's text from a gift and the rules of its jurisdiction."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from amply.kernel.money import Money
from amply.modules.mail import Language
from amply.modules.receipts.domain import (
    Document,
    GiftFacts,
    Jurisdiction,
    ReceiptKind,
    ReceiptSettings,
    harmless,
)
from amply.modules.receipts.rules import Assessment
from amply.modules.receipts.wording import Wording, texts_in

_GIFT_AID_SHARE = 4
"""HMRC adds the basic rate: a quarter of the gift (gov.uk, "Tax relief when you donate to a charity")."""


def language_of(settings: ReceiptSettings | None, gift: GiftFacts) -> Language:
    """The donor's language, else the organisation's, else English."""
    return gift.donor.language or (settings.language if settings is not None else Language.EN)


def wording_of(settings: ReceiptSettings | None, *, language: Language, country: str) -> Wording:
    """The organisation's wording in a language."""
    zone = settings.time_zone if settings is not None else "UTC"
    return Wording.of(language, country=country, time_zone=zone)


def compose(
    settings: ReceiptSettings | None,
    gift: GiftFacts,
    assessment: Assessment,
    *,
    replaces: str | None,
    now: datetime,
) -> Document:
    """The text of a receipt issued now, without its number. `replaces` is the printed number of the replaced one."""
    wording = wording_of(settings, language=language_of(settings, gift), country=gift.country)
    rows = _rows(settings, gift, assessment, wording=wording, now=now)
    issuer = (settings.legal_name, *settings.address) if settings else (harmless(gift.organization),)
    return Document(
        language=wording.language,
        title=wording.say("title", _title(settings, gift, assessment)),
        issuer=issuer,
        rows=tuple((label, said) for label, said in rows if said),
        statements=(
            *_statements(gift, assessment, wording),
            wording.say("paper", "days", zone=str(wording.zone)),
        ),
        signature=_signature(settings, assessment, wording),
        banner=wording.say("banner", "replaces", number=replaces) if replaces else "",
        colour=settings.brand_colour if settings else "",
    )


def numbered(document: Document, number: str) -> Document:
    """The receipt with its number, in the first row."""
    label = texts_in(Language(document.language))["row"]["number"]
    return replace(document, rows=((label, number), *document.rows))


def cancelled(document: Document) -> Document:
    """The receipt marked as void."""
    return replace(document, banner=texts_in(Language(document.language))["banner"]["cancelled"])


def _signature(settings: ReceiptSettings | None, assessment: Assessment, wording: Wording) -> tuple[str, ...]:
    if settings is None or not settings.signatory or assessment.kind is ReceiptKind.ACKNOWLEDGEMENT:
        return ()
    return (wording.say("row", "signed"), settings.signatory)


def _title(settings: ReceiptSettings | None, gift: GiftFacts, assessment: Assessment) -> str:
    if settings is None or assessment.kind is ReceiptKind.ACKNOWLEDGEMENT:
        return "acknowledgement"
    if settings.jurisdiction is Jurisdiction.AU and gift.advantage is not None:
        return "AU_contribution"
    return settings.jurisdiction.value


def _rows(
    settings: ReceiptSettings | None,
    gift: GiftFacts,
    assessment: Assessment,
    *,
    wording: Wording,
    now: datetime,
) -> Iterator[tuple[str, str]]:
    official = settings is not None and assessment.kind is ReceiptKind.OFFICIAL
    yield wording.say("row", "organization"), settings.legal_name if settings else harmless(gift.organization)
    if settings is not None and official:
        yield wording.say("row", f"registration_{settings.jurisdiction}"), settings.registration_number
    yield from _donor_rows(gift, wording)
    if gift.donor.address is not None and official:
        *lines, country = map(harmless, gift.donor.address.as_lines())
        yield wording.say("row", "donor_address"), ", ".join((*lines, wording.country(country)))
    yield from _given_rows(gift, assessment, wording)
    yield wording.say("row", "fund"), harmless(gift.fund)
    if gift.dedicated is not None:
        yield wording.say("row", gift.dedicated.kind), harmless(gift.dedicated.honouree)
    yield from _advantage_rows(gift, wording)
    if official and assessment.states_amount:
        yield wording.say("row", "eligible"), wording.amount(assessment.eligible)
    yield wording.say("row", "given_on"), wording.day(gift.given_at)
    yield wording.say("row", "issued_on"), wording.day(now)
    if settings is not None and official:
        yield wording.say("row", "place"), settings.place
    yield wording.say("row", "donation"), gift.donation_id


def _donor_rows(gift: GiftFacts, wording: Wording) -> Iterator[tuple[str, str]]:
    """A company's gift is the company's, whoever typed it in."""
    company = gift.donor.company
    yield wording.say("row", "donor"), harmless(company.name if company is not None else gift.donor_name)
    if company is not None:
        yield wording.say("row", "donor_tax_id"), harmless(company.tax_id)


def _given_rows(gift: GiftFacts, assessment: Assessment, wording: Wording) -> Iterator[tuple[str, str]]:
    """An amount, or a thing with its description; its value only where the law wants one."""
    if gift.in_kind is None:
        yield wording.say("row", "amount"), wording.amount(gift.amount)
        return
    yield wording.say("row", "in_kind"), harmless(gift.in_kind.description)
    if assessment.states_amount:
        yield wording.say("row", "fair_value"), wording.amount(gift.amount)
        yield wording.say("row", "appraiser"), harmless(gift.in_kind.appraiser)


def _advantage_rows(gift: GiftFacts, wording: Wording) -> Iterator[tuple[str, str]]:
    if gift.advantage is None:
        return
    yield wording.say("row", "returned"), harmless(gift.advantage.description)
    if gift.advantage.value is not None:
        yield wording.say("row", "returned_value"), wording.amount(gift.advantage.value)


def _statements(gift: GiftFacts, assessment: Assessment, wording: Wording) -> Iterator[str]:
    worth = Money(minor_units=gift.amount.minor_units // _GIFT_AID_SHARE, currency=gift.amount.currency)
    declaration = gift.donor.gift_aid
    declared_at = (declaration.declared_at if declaration is not None else None) or gift.asked_at
    for name in assessment.statements:
        yield wording.say("statement", name, date=wording.day(declared_at), worth=wording.amount(worth))
