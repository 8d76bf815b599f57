"""No text is missing in any language, and none has a blank of its own."""

import re
from datetime import date
from string import Formatter

import pytest

from amply.kernel.money import Money
from amply.modules import receipts
from amply.modules.receipts import Jurisdiction, Language, receipt_mail
from amply.modules.receipts.wording import Wording, texts_in
from tests.backend.unit.receipt_samples import GIVEN_AT, dinner, gift_in, letter, settings

CURRENCIES_OF = {
    Jurisdiction.US: "USD",
    Jurisdiction.CA: "CAD",
    Jurisdiction.GB: "GBP",
    Jurisdiction.AU: "AUD",
}


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", [Language.DE, Language.FR])
def test_every_language_has_every_text_with_the_same_blanks(language: Language) -> None:
    english, other = texts_in(Language.EN), texts_in(language)

    assert {(section, name) for section in other for name in other[section]} == {
        (section, name) for section in english for name in english[section]
    }
    for section, texts in english.items():
        for name, text in texts.items():
            assert blanks(other[section][name]) == blanks(text), (section, name)
            assert other[section][name].strip(), (section, name)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("jurisdiction", list(Jurisdiction))
def test_every_receipt_can_be_written_in_every_language(
    jurisdiction: Jurisdiction, language: Language
) -> None:
    donor = receipts.DonorFacts(language=language, address=gift_in(jurisdiction).donor.address)
    advantage = dinner(100, CURRENCIES_OF.get(jurisdiction, "EUR"))
    for given in (gift_in(jurisdiction), gift_in(jurisdiction, donor=donor, advantage=advantage)):
        mail = receipt_mail(letter(settings(jurisdiction, language=language), given))
        assert not re.search(r"\{[a-z]+\}", mail.text + mail.subject)
        assert f'<html lang="{language}">' in mail.html


def test_what_people_wrote_is_no_blank_to_fill_in() -> None:
    wording = Wording.of(Language.EN, country="GB")

    assert wording.say("letter", "greeting", donor="{proof}{0}") == "Dear {proof}{0},"


@pytest.mark.parametrize(
    ("language", "country", "amount", "day"),
    [
        ("en", "US", "1,234,567.80 USD", "November 21, 2026"),
        ("en", "GB", "1,234,567.80 USD", "21 November 2026"),
        ("de", "DE", "1.234.567,80 USD", "21. November 2026"),
        ("de", "CH", "1\u2019234\u2019567.80 USD", "21. November 2026"),
        ("fr", "FR", "1\u202f234\u202f567,80 USD", "21 novembre 2026"),
        ("fr", "CA", "1\u00a0234\u00a0567,80 USD", "21 novembre 2026"),
        ("de", "AU", "1.234.567,80 USD", "21. November 2026"),
    ],
)
def test_amounts_and_days_are_written_as_in_the_place(
    language: str, country: str, amount: str, day: str
) -> None:
    wording = Wording.of(Language(language), country=country)

    assert wording.amount(Money(minor_units=123_456_780, currency="USD")) == amount
    assert wording.day(GIVEN_AT) == day


def test_french_counts_the_first_day_of_a_month() -> None:
    french = Wording.of(Language.FR, country="FR")
    assert french.day(date(2026, 1, 1)) == "1er janvier 2026"
    assert french.day(date(2026, 11, 21)) == "21 novembre 2026"
    assert Wording.of(Language.DE, country="DE").day(date(2026, 1, 1)) == "1. Januar 2026"


def test_a_country_has_its_name_in_the_letters_language() -> None:
    names = [Wording.of(language, country="DE").country("DE") for language in Language]
    assert names == ["Germany", "Deutschland", "Allemagne"]
    assert Wording.of(Language.EN, country="DE").country("XX") == "XX"
