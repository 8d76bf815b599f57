"""Receipt settings of an organisation, validated when they are saved, so that no receipt fails later."""

import re
import struct
import zoneinfo
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.modules.mail import Language
from amply.modules.receipts.domain import (
    Jurisdiction,
    ReceiptSettings,
    ReceiptSettingsNotAcceptable,
    harmless,
)
from amply.modules.receipts.models import ReceiptSettingsRow

_NAME_MAX: Final = 200
"""As long as an organisation's name may be: it is verified as it stands."""
_LINE_MAX: Final = 120
_LINES_MAX: Final = 6
_MONTHS: Final = range(1, 13)
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_CONTRAST_MIN: Final = 4.5
"""Of text on white (WCAG 2.2, 1.4.3)."""
_LOGO_BYTES_MAX: Final = 64 * 1024
_LOGO_SIDE_MAX: Final = 2000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD: Final = 24
_ABN_WEIGHTS: Final = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
_ABN_MODULUS: Final = 89

_EIN_DIGITS: Final = re.compile(r"[0-9]{9}")

_NUMBER: Final = {
    Jurisdiction.US: (re.compile(r"[0-9]{2}-[0-9]{7}"), "Give the EIN as 12-3456789."),
    Jurisdiction.CA: (
        re.compile(r"[0-9]{9}RR[0-9]{4}"),
        "Give the CRA registration number as 123456789RR0001.",
    ),
    Jurisdiction.GB: (
        re.compile(r"[0-9]{6,7}(-[0-9]{1,2})?|SC[0-9]{6}|NIC?[0-9]{6}|[A-Z]{1,2}[0-9]{1,5}"),
        "Give the charity's number (1234567, SC012345, NIC123456) or its HMRC reference (AB12345).",
    ),
    Jurisdiction.AU: (re.compile(r"[0-9]{11}"), "Give the ABN as its eleven digits."),
}


def check(settings: ReceiptSettings) -> ReceiptSettings:
    """Validate settings and normalise their texts. They may be incomplete: `missing` lists what the jurisdiction
    requires.

    Raises:
        ReceiptSettingsNotAcceptable: Names the field that is wrong.
    """
    cleaned = replace(
        settings,
        legal_name=harmless(settings.legal_name),
        address=tuple(line for line in map(harmless, settings.address) if line),
        place=harmless(settings.place),
        signatory=harmless(settings.signatory),
        registration_number=re.sub(r"\s", "", settings.registration_number).upper(),
        brand_colour=settings.brand_colour.lower(),
    )
    for is_right, param, sentence in (*_COMMON, *_jurisdictions_own(cleaned)):
        if not is_right(cleaned):
            raise ReceiptSettingsNotAcceptable(sentence, param=param)
    return cleaned


_Check = tuple[Callable[[ReceiptSettings], bool], str, str]

_COMMON: Final[tuple[_Check, ...]] = (
    (
        lambda s: 0 < len(s.legal_name) <= _NAME_MAX,
        "legal_name",
        "Give the legal name in 1 to 200 characters.",
    ),
    (
        lambda s: len(s.address) <= _LINES_MAX and all(len(line) <= _LINE_MAX for line in s.address),
        "address",
        "Give the address in at most 6 lines of at most 120 characters.",
    ),
    (lambda s: len(s.place) <= _LINE_MAX, "place", "Give the place of issue in at most 120 characters."),
    (lambda s: len(s.signatory) <= _LINE_MAX, "signatory", "Give the signatory in at most 120 characters."),
    (lambda s: s.fiscal_year_starts in _MONTHS, "fiscal_year_starts", "Give the month as 1 to 12."),
    (
        lambda s: s.time_zone in zoneinfo.available_timezones(),
        "time_zone",
        "Give a time zone by its IANA name, such as America/Toronto.",
    ),
    (
        lambda s: not s.brand_colour or _is_readable(s.brand_colour),
        "brand_colour",
        "Give a colour such as #05668d that is dark enough to be read on white (contrast 4.5 to 1).",
    ),
    (
        lambda s: s.logo is None or _is_small_png(s.logo),
        "logo",
        "Give the logo as a PNG of at most 64 KiB and 2000 pixels a side.",
    ),
)


def _jurisdictions_own(settings: ReceiptSettings) -> list[_Check]:
    """What is empty is missing (`ReceiptSettings.missing`), and not wrong."""
    if settings.jurisdiction is Jurisdiction.NONE or not settings.registration_number:
        return []
    pattern, sentence = _NUMBER[settings.jurisdiction]
    checks: list[_Check] = [
        (lambda s: pattern.fullmatch(s.registration_number) is not None, "registration_number", sentence)
    ]
    if settings.jurisdiction is Jurisdiction.AU:
        checks.append(
            (
                lambda s: _is_abn(s.registration_number),
                "registration_number",
                "Check the ABN: its digits contradict each other.",
            )
        )
    return checks


def _is_abn(digits: str) -> bool:
    """The Australian Business Register's check: one less in the first place, weighted, divisible by 89."""
    numbers = [int(digit) for digit in digits]
    numbers[0] -= 1
    return sum(w * n for w, n in zip(_ABN_WEIGHTS, numbers, strict=True)) % _ABN_MODULUS == 0


def _is_readable(colour: str) -> bool:
    if _COLOUR.fullmatch(colour) is None:
        return False
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004 -- WCAG's own numbers
    luminance = sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05) >= _CONTRAST_MIN


def _is_small_png(content: bytes) -> bool:
    if len(content) > _LOGO_BYTES_MAX or not content.startswith(_PNG) or len(content) < _PNG_HEAD:
        return False
    return all(0 < side <= _LOGO_SIDE_MAX for side in struct.unpack(">II", content[16:24]))


def save(session: Session, *, settings: ReceiptSettings, now: datetime) -> ReceiptSettings:
    """Store settings; issued receipts stay unchanged.

    Raises:
        ReceiptSettingsNotAcceptable: As `check` says.
    """
    checked = check(settings)
    said = {field.name: getattr(checked, field.name) for field in fields(checked)}
    said |= {"address": list(checked.address), "updated_at": now}
    kept = insert(ReceiptSettingsRow).values(said)
    changes = {name: kept.excluded[name] for name in said if name != "organization_id"}
    session.execute(kept.on_conflict_do_update(index_elements=["organization_id"], set_=changes))
    return checked


def jurisdiction_of(country: str) -> Jurisdiction:
    """The jurisdiction for official receipts in this country (ISO 3166-1 alpha-2)."""
    try:
        return Jurisdiction(country)
    except ValueError:
        return Jurisdiction.NONE


def registration_number_of(tax_id: str, *, jurisdiction: Jurisdiction) -> str:
    """A verified tax id in the jurisdiction's notation; empty if it requires no such number."""
    if jurisdiction is Jurisdiction.NONE:
        return ""
    number = re.sub(r"\s", "", tax_id).upper()
    if jurisdiction is Jurisdiction.US and _EIN_DIGITS.fullmatch(number):
        number = f"{number[:2]}-{number[2:]}"
    return number if _NUMBER[jurisdiction][0].fullmatch(number) else ""


def begin(
    session: Session, *, organization_id: str, country: str, legal_name: str, tax_id: str, now: datetime
) -> ReceiptSettings:
    """Take over verified data. Other existing settings stay, except the legal name, and a missing number."""
    standing = find(session, organization_id=organization_id) or ReceiptSettings(
        organization_id=organization_id, jurisdiction=jurisdiction_of(country), legal_name=legal_name
    )
    law = (
        standing.jurisdiction if standing.jurisdiction is not Jurisdiction.NONE else jurisdiction_of(country)
    )
    number = standing.registration_number or registration_number_of(tax_id, jurisdiction=law)
    return save(
        session,
        settings=replace(standing, legal_name=legal_name, registration_number=number),
        now=now,
    )


def find(session: Session, *, organization_id: str) -> ReceiptSettings | None:
    """An organisation's receipt settings, or None."""
    row = session.scalars(
        select(ReceiptSettingsRow).where(ReceiptSettingsRow.organization_id == organization_id)
    ).one_or_none()
    return None if row is None else settings_in(row)


def settings_in(row: ReceiptSettingsRow) -> ReceiptSettings:
    """The settings in a row."""
    return ReceiptSettings(
        organization_id=row.organization_id,
        jurisdiction=Jurisdiction(row.jurisdiction),
        legal_name=row.legal_name,
        registration_number=row.registration_number,
        address=tuple(row.address),
        place=row.place,
        signatory=row.signatory,
        language=Language(row.language),
        time_zone=row.time_zone,
        fiscal_year_starts=row.fiscal_year_starts,
        brand_colour=row.brand_colour,
        logo=row.logo,
        is_law_withheld=row.is_law_withheld,
    )
