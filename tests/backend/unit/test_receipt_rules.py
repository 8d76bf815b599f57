"""What each jurisdiction asks of a receipt, and what a gift gets where it is not there."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from amply.kernel.money import Money
from amply.modules import receipts
from amply.modules.receipts import Jurisdiction, Reason, ReceiptKind
from amply.modules.receipts.dedications import DedicationLetter, dedication_mail, is_name_alone
from amply.modules.receipts.rules import assess, gift_aid_benefit_max
from tests.backend.unit.receipt_samples import (
    DECLARED,
    HOME,
    dinner,
    gift,
    gift_in,
    receipt,
    settings,
)

US, CA, GB, AU, NONE = (Jurisdiction.US, Jurisdiction.CA, Jurisdiction.GB, Jurisdiction.AU, Jurisdiction.NONE)
OFFICIAL = (US, CA, GB, AU)
RELIGIOUS = receipts.Advantage(
    kind=receipts.AdvantageKind.INTANGIBLE_RELIGIOUS, description="Admission to a ceremony", value=None
)


def words(issued: receipts.IssuedReceipt) -> str:
    assert issued.document is not None
    rows = (f"{label}: {said}" for label, said in issued.document.rows)
    return "\n".join(
        (
            issued.document.title,
            *issued.document.issuer,
            *rows,
            *issued.document.statements,
            *issued.document.signature,
        )
    )


def said_of(jurisdiction: Jurisdiction, minor_units: int = 30_000, **changes: Any) -> str:
    return words(receipt(settings(jurisdiction), gift_in(jurisdiction, minor_units, **changes)))


def reason_of(jurisdiction: Jurisdiction, minor_units: int = 30_000, **changes: Any) -> Reason:
    assessment = assess(settings(jurisdiction), gift_in(jurisdiction, minor_units, **changes))
    assert assessment.kind is ReceiptKind.ACKNOWLEDGEMENT
    (reason,) = assessment.reasons
    return reason


@pytest.mark.parametrize("jurisdiction", OFFICIAL)
def test_a_gift_that_tells_everything_gets_a_receipt(jurisdiction: Jurisdiction) -> None:
    assessment = assess(settings(jurisdiction), gift_in(jurisdiction))

    assert (assessment.kind, assessment.reasons) == (ReceiptKind.OFFICIAL, ())


def test_everywhere_else_an_acknowledgement_claims_nothing() -> None:
    for chosen in (settings(NONE), None):
        assessment = assess(chosen, gift_in(NONE))
        assert assessment.kind is ReceiptKind.ACKNOWLEDGEMENT
        assert "makes no statement about taxes" in words(receipt(chosen, gift_in(NONE)))
    assert assess(settings(NONE), gift_in(NONE)).reasons == ()
    assert assess(None, gift_in(NONE)).reasons == (Reason.NO_SETTINGS,)


@pytest.mark.parametrize(
    ("jurisdiction", "field"),
    [
        (US, {"address": ()}),
        (CA, {"signatory": ""}),
        (GB, {"registration_number": ""}),
        (AU, {"address": ()}),
    ],
)
def test_settings_that_lack_something_make_acknowledgements(
    jurisdiction: Jurisdiction, field: dict[str, Any]
) -> None:
    assessment = assess(settings(jurisdiction, **field), gift_in(jurisdiction))

    assert assessment.kind is ReceiptKind.ACKNOWLEDGEMENT
    assert assessment.reasons == (Reason.SETTINGS_INCOMPLETE,)


@pytest.mark.parametrize("jurisdiction", OFFICIAL)
def test_another_currency_than_the_laws_is_acknowledged(jurisdiction: Jurisdiction) -> None:
    given = replace(gift_in(jurisdiction), amount=Money(minor_units=30_000, currency="CHF"))

    assert assess(settings(jurisdiction), given).reasons == (Reason.WRONG_CURRENCY,)


@pytest.mark.parametrize("jurisdiction", OFFICIAL)
def test_an_acknowledgement_names_no_registration_and_no_eligible_amount(jurisdiction: Jurisdiction) -> None:
    given = replace(gift_in(jurisdiction), amount=Money(minor_units=30_000, currency="CHF"))
    said = words(receipt(settings(jurisdiction), given))

    assert settings(jurisdiction).registration_number not in said
    assert "counts as a gift" not in said


# United States


def test_us_says_that_nothing_came_in_return() -> None:
    said = said_of(US)

    assert "No goods or services were provided in exchange for this contribution." in said
    assert "EIN: 12-3456789" in said
    assert "Amount: 300.00 USD" in said


@pytest.mark.parametrize(("minor_units", "needed"), [(24_999, False), (25_000, True)])
def test_us_tells_from_250_dollars_on_to_keep_the_written_acknowledgement(
    minor_units: int, *, needed: bool
) -> None:
    assert ("250 USD or more" in said_of(US, minor_units)) is needed


@pytest.mark.parametrize(("minor_units", "told"), [(7_500, False), (7_501, True)])
def test_us_discloses_above_75_dollars_what_part_is_deductible(minor_units: int, *, told: bool) -> None:
    said = said_of(US, minor_units, advantage=dinner(2_000, "USD"))

    assert ("limited to the excess of your contribution" in said) is told
    assert "good-faith estimate" in said
    assert "taxes included: 20.00 USD" in said


def test_us_deducts_the_estimate() -> None:
    assessment = assess(settings(US), gift_in(US, 10_000, advantage=dinner(4_000, "USD")))

    assert assessment.eligible == Money(minor_units=6_000, currency="USD")
    assert reason_of(US, 10_000, advantage=dinner(10_000, "USD")) is Reason.ADVANTAGE_TOO_LARGE


def test_us_religious_benefits_lessen_nothing() -> None:
    assert assess(settings(US), gift_in(US, advantage=RELIGIOUS)).eligible.minor_units == 30_000
    assert "intangible religious benefits" in said_of(US, advantage=RELIGIOUS)


# Canada


@pytest.mark.parametrize(
    "field",
    [
        "Official receipt for income tax purposes",
        "River Trust",
        "1 Water Street",
        "Charity registration number: 123456789RR0001",
        "Receipt number: CA-000007",
        "Place issued: Toronto ON",
        "Date received: November 21, 2026",
        "Date issued: November 22, 2026",
        "Donor: Ada Lovelace",
        "Donor's address: 5 King Street, Toronto ON M5V 2T6, Canada",
        "Amount: 300.00 CAD",
        "Received in return: A dinner",
        "taxes included: 40.00 CAD",
        "Amount that counts as a gift: 260.00 CAD",
        "Signed electronically by\nGrace Hopper, Treasurer",
        "Canada Revenue Agency: canada.ca/charities-giving",
    ],
)
def test_ca_lists_every_field_of_regulation_3501(field: str) -> None:
    assert field in said_of(CA, advantage=dinner(4_000, "CAD"))


def test_ca_needs_the_donors_address() -> None:
    assert reason_of(CA, donor=receipts.DonorFacts()) is Reason.NO_DONOR_ADDRESS


@pytest.mark.parametrize(("value", "official"), [(24_000, True), (24_001, False)])
def test_ca_presumes_no_gift_above_an_advantage_of_four_fifths(value: int, *, official: bool) -> None:
    assessment = assess(settings(CA), gift_in(CA, 30_000, advantage=dinner(value, "CAD")))

    assert (assessment.kind is ReceiptKind.OFFICIAL) is official


def test_ca_counts_the_days_of_the_charitys_place() -> None:
    """A gift of New Year's Eve in Toronto is one of the old tax year, though it is January in Greenwich."""
    given = gift_in(CA, given_at=gift().given_at.replace(year=2027, month=1, day=1, hour=3))

    assert "Date received: December 31, 2026" in words(receipt(settings(CA), given))


# United Kingdom


def test_gb_repeats_the_declaration_and_says_what_can_be_claimed() -> None:
    said = said_of(GB, 10_000)

    assert "You declared on 21 November 2026" in said
    assert "Gift Aid of 25.00 GBP" in said


def test_gb_names_the_day_of_a_declaration_that_covers_gifts_to_come() -> None:
    enduring = replace(DECLARED, declared_at=datetime(2026, 3, 31, 12, tzinfo=UTC))
    said = said_of(GB, 10_000, donor=receipts.DonorFacts(gift_aid=enduring))

    assert "You declared on 31 March 2026 that you want this gift, like every gift of the plan" in said
    assert "Gift Aid of 25.00 GBP" in said


def test_gb_needs_a_declaration() -> None:
    assert reason_of(GB, donor=receipts.DonorFacts(address=HOME)) is Reason.NO_DECLARATION


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Professor"},
        {"first_name": ""},
        {"first_name": "A" * 36},
        {"last_name": "Smith-Jones"},
        {"house": ""},
        {"postcode": "ab1 2cd"},
        {"postcode": "AB12CD"},
    ],
)
def test_gb_does_not_claim_what_the_schedule_would_refuse(change: dict[str, Any]) -> None:
    donor = receipts.DonorFacts(gift_aid=replace(DECLARED, **change))

    assert reason_of(GB, donor=donor) is Reason.DECLARATION_UNUSABLE


def test_gb_takes_a_declaration_as_people_write_it() -> None:
    declared = receipts.declare(
        title="Dr.", first_name="Anne-Marie", last_name="O'Neill", house=" The Mill ", postcode="sw1a1aa"
    )

    assert (declared.title, declared.first_name, declared.last_name) == ("Dr", "Anne Marie", "O'Neill")
    assert (declared.house, declared.postcode) == ("The Mill", "SW1A 1AA")
    with pytest.raises(receipts.DonorFactsNotAcceptable):
        receipts.declare(title="", first_name="A", last_name="B", house="1", postcode="nonsense")


@pytest.mark.parametrize(
    ("typed", "claimed"),
    [
        ("O\u2019Brien", "O'Brien"),
        ("O\u2018Brien", "O'Brien"),
        ("O\u02bcneill", "O'neill"),
        ("Zoe\u0308", "Zoë"),
        ("Ade\u0323\u0301", "Adẹ\u0301"),
        ("Smith\u2010Jones", "Smith Jones"),
        ("Smith\u2011Jones", "Smith Jones"),
        ("Smith\u2013Jones", "Smith Jones"),
    ],
)
def test_gb_takes_names_as_phones_write_them(typed: str, claimed: str) -> None:
    declared = receipts.declare(title="", first_name=typed, last_name=typed, house="1", postcode="X")

    assert (declared.first_name, declared.last_name) == (claimed, claimed)


def test_gb_says_which_character_is_refused_and_how_long_a_house_may_be() -> None:
    said = {"title": "", "first_name": "Ada", "last_name": "Byron", "house": "1", "postcode": "X"}
    with pytest.raises(receipts.DonorFactsNotAcceptable, match="Leave “&” out of the name"):
        receipts.declare(**(said | {"first_name": "Ada & Bea"}))
    with pytest.raises(receipts.DonorFactsNotAcceptable, match="name or number in up to 40"):
        receipts.declare(**(said | {"house": "1" * 41}))
    assert receipts.declare(**(said | {"house": "1" * 40})).house == "1" * 40


@pytest.mark.parametrize(
    ("name", "in_letter"),
    [
        ("Dr.Müller", "Dr. Müller"),
        ("A.Schmidt", "A. Schmidt"),
        ("Dr.med.Müller", "Dr. med. Müller"),
        ("Dr.med. Müller", "Dr. med. Müller"),
        ("J.R.R.Tolkien", "J. R. R. Tolkien"),
        ("J.R.R. Tolkien", "J.R.R. Tolkien"),
        ("Ada Inc.", "Ada Inc."),
    ],
)
def test_a_title_without_a_space_is_no_link_and_becomes_none(name: str, in_letter: str) -> None:
    assert is_name_alone(name)
    letter = DedicationLetter(
        recipient_name=name,
        recipient_email="bea@example.org",
        dedicated=receipts.Dedicated(kind="in_honour_of", honouree=name),
        donor_name=name,
        organization="River Trust",
        country="DE",
        language=receipts.Language.EN,
    )
    assert " ".join(dedication_mail(letter).text.split()).count(in_letter) == 3


@pytest.mark.parametrize(
    "name", ["evil.example", "www.Evil.Com", "Evil.example", "x.Com", "A.B.evil.com", "a@b"]
)
def test_what_a_mail_program_makes_a_link_of_is_no_name(name: str) -> None:
    assert not is_name_alone(name)


@pytest.mark.parametrize(
    ("minor_units", "most"), [(10_000, 2_500), (20_000, 3_000), (100_000, 7_000), (10_000_000, 250_000)]
)
def test_gb_bounds_what_a_donor_may_get_back(minor_units: int, most: int) -> None:
    assert gift_aid_benefit_max(minor_units) == most
    assert (
        assess(settings(GB), gift_in(GB, minor_units, advantage=dinner(most, "GBP"))).kind
        is ReceiptKind.OFFICIAL
    )
    assert reason_of(GB, minor_units, advantage=dinner(most + 1, "GBP")) is Reason.ADVANTAGE_TOO_LARGE


# Australia


def test_au_says_that_it_is_for_a_gift_and_names_the_abn() -> None:
    said = said_of(AU)

    assert "This receipt is for a gift." in said
    assert "ABN: 51824753556" in said


def test_au_begins_at_two_dollars() -> None:
    assert reason_of(AU, 199) is Reason.BELOW_MINIMUM
    assert assess(settings(AU), gift_in(AU, 200)).kind is ReceiptKind.OFFICIAL


def test_au_tells_the_market_value_of_a_right_with_gst() -> None:
    said = said_of(AU, 20_000, advantage=dinner(4_000, "AUD"))

    assert "contribution in return for the right" in said
    assert "GST-inclusive market value" in said
    assert "Amount that counts as a gift: 160.00 AUD" in said
    assert "This receipt is for a gift." not in said


@pytest.mark.parametrize(
    ("minor_units", "value", "reason"),
    [
        (15_000, 1_000, Reason.BELOW_MINIMUM),
        (20_000, 4_001, Reason.ADVANTAGE_TOO_LARGE),
        (100_000, 15_001, Reason.ADVANTAGE_TOO_LARGE),
    ],
)
def test_au_bounds_contributions(minor_units: int, value: int, reason: Reason) -> None:
    assert reason_of(AU, minor_units, advantage=dinner(value, "AUD")) is reason


# Gifts that are no money

PIANO = receipts.InKind(description="A piano, upright", appraiser="Key & Sons, 1 Main Street")


@pytest.mark.parametrize("jurisdiction", [US, AU])
def test_of_a_thing_no_value_is_stated_where_the_donor_has_to_find_it_out(
    jurisdiction: receipts.Jurisdiction,
) -> None:
    said = said_of(jurisdiction, in_kind=PIANO)

    assert assess(settings(jurisdiction), gift_in(jurisdiction, in_kind=PIANO)).kind is ReceiptKind.OFFICIAL
    assert "What was given: A piano, upright" in said
    assert "states no value" in said
    assert "300.00" not in said


def test_ca_states_the_fair_market_value_of_a_thing_and_who_appraised_it() -> None:
    said = said_of(CA, in_kind=PIANO)

    assert "What was given: A piano, upright" in said
    assert "Fair market value on the day it was received: 300.00 CAD" in said
    assert "Appraised by: Key & Sons, 1 Main Street" in said


def test_gb_claims_gift_aid_on_money_only() -> None:
    assert reason_of(GB, in_kind=PIANO) is Reason.NOT_MONEY
    assert "300.00" not in said_of(GB, in_kind=PIANO)


def test_au_says_nothing_on_taxes_of_a_thing_with_something_in_return() -> None:
    assert reason_of(AU, in_kind=PIANO, advantage=dinner(1_000, "AUD")) is Reason.NOT_MONEY


def test_an_acknowledgement_of_a_thing_states_no_value() -> None:
    said = said_of(receipts.Jurisdiction.NONE, in_kind=PIANO)

    assert "A piano, upright" in said
    assert "300.00" not in said
