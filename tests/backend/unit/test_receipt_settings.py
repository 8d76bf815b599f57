"""What an organisation says for its receipts is checked when it says it, with one sentence."""

import struct
from typing import Any

import pytest

from amply.modules.receipts import Jurisdiction, ReceiptSettingsNotAcceptable
from amply.modules.receipts.settings import check, jurisdiction_of, registration_number_of
from tests.backend.unit.receipt_samples import settings

US, CA, GB, AU, NONE = (Jurisdiction.US, Jurisdiction.CA, Jurisdiction.GB, Jurisdiction.AU, Jurisdiction.NONE)


def png(side: int, *, size: int = 100) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + bytes(8) + struct.pack(">II", side, side)
    return head + bytes(size - len(head))


@pytest.mark.parametrize("jurisdiction", list(Jurisdiction))
def test_complete_settings_are_taken(jurisdiction: Jurisdiction) -> None:
    assert check(settings(jurisdiction)) == settings(jurisdiction)


@pytest.mark.parametrize(
    ("jurisdiction", "change", "param"),
    [
        (US, {"registration_number": "123456789"}, "registration_number"),
        (CA, {"registration_number": "123456789"}, "registration_number"),
        (GB, {"registration_number": "12"}, "registration_number"),
        (AU, {"registration_number": "51824753557"}, "registration_number"),
        (NONE, {"legal_name": ""}, "legal_name"),
        (NONE, {"legal_name": "x" * 201}, "legal_name"),
        (NONE, {"signatory": "x" * 121}, "signatory"),
        (NONE, {"address": ("x",) * 7}, "address"),
        (NONE, {"time_zone": "Mars/Olympus"}, "time_zone"),
        (NONE, {"fiscal_year_starts": 13}, "fiscal_year_starts"),
        (NONE, {"brand_colour": "#f98152"}, "brand_colour"),
        (NONE, {"brand_colour": "red"}, "brand_colour"),
        (NONE, {"logo": b"<svg/>"}, "logo"),
        (NONE, {"logo": png(2001)}, "logo"),
        (NONE, {"logo": png(10, size=70_000)}, "logo"),
    ],
)
def test_what_is_wrong_is_named(jurisdiction: Jurisdiction, change: dict[str, Any], param: str) -> None:
    with pytest.raises(ReceiptSettingsNotAcceptable) as refused:
        check(settings(jurisdiction, **change))

    assert refused.value.param == param
    assert refused.value.detail.endswith((".", ")."))


@pytest.mark.parametrize(
    ("jurisdiction", "change", "missing"),
    [
        *((law, {}, ()) for law in Jurisdiction),
        (US, {"address": (" ",)}, ("address",)),
        (GB, {"registration_number": " "}, ("registration_number",)),
        (CA, {"place": " ", "signatory": ""}, ("place", "signatory")),
        (AU, {"registration_number": "", "address": ()}, ("registration_number", "address")),
        (NONE, {"registration_number": "", "address": ()}, ()),
    ],
)
def test_what_is_empty_is_missing_where_its_law_asks_for_it(
    jurisdiction: Jurisdiction, change: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert check(settings(jurisdiction, **change)).missing == missing


@pytest.mark.parametrize(
    ("country", "tax_id", "number"),
    [
        ("US", "911144442", "91-1144442"),
        ("CA", "123456789RR0001", "123456789RR0001"),
        ("CA", "123456789", ""),
        ("GB", "SC012345", "SC012345"),
        ("GB", "1955839661", ""),
        ("AU", "83 914 571 673", "83914571673"),
        ("DE", "136695976", ""),
    ],
)
def test_a_verified_number_stands_on_receipts_where_it_is_the_one_that_their_law_asks_for(
    country: str, tax_id: str, number: str
) -> None:
    assert registration_number_of(tax_id, jurisdiction=jurisdiction_of(country)) == number


def test_texts_are_made_harmless_and_numbers_are_written_one_way() -> None:
    checked = check(
        settings(
            AU,
            legal_name="River\x00\u202e  Trust",
            registration_number="51 824 753 556",
            brand_colour="#05668D",
        )
    )

    assert (checked.legal_name, checked.registration_number) == ("River Trust", "51824753556")
    assert checked.brand_colour == "#05668d"


@pytest.mark.parametrize(
    "number", ["1234567", "123456", "SC012345", "NIC123456", "NI123456", "AB12345", "1234567-1"]
)
def test_every_kind_of_british_number_is_taken(number: str) -> None:
    assert check(settings(GB, registration_number=number)).registration_number == number
