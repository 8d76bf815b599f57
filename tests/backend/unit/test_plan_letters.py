"""Letters about plans: the same in every language, as text and as HTML, and harmless whatever a donor is called."""

from datetime import date
from itertools import product

import pytest

from amply.infra.letter_templates import letter_texts
from amply.kernel.money import Money
from amply.modules.receipts import Language
from amply.modules.recurring.due_dates import Interval
from amply.modules.recurring.letters import Letter, plan_mail
from amply.modules.recurring.plan_transitions import LetterKind

LINK = "https://edge.example/giving/#v2.1.aa.bb"


def letter(kind: LetterKind = LetterKind.NOTICE, **changes: object) -> Letter:
    facts = {
        "kind": kind,
        "to": "ada@example.org",
        "donor_name": "Ada",
        "organization": "River Trust",
        "country": "DE",
        "language": Language.EN,
        "amount": Money(minor_units=123450, currency="EUR"),
        "fee_cover": Money(minor_units=0, currency="EUR"),
        "every": "month",
        "method_kind": "card",
        "last4": "4242",
        "day": date(2026, 3, 31),
        "link": LINK,
        **changes,
    }
    return Letter(**facts)  # type: ignore[arg-type] # facts by name


@pytest.mark.parametrize(("kind", "language"), list(product(LetterKind, Language)))
def test_every_letter_is_written_in_every_language(kind: LetterKind, language: Language) -> None:
    written = plan_mail(letter(kind, language=language))
    assert written.subject
    assert LINK in written.text
    assert f'<html lang="{language}">' in written.html
    assert f'href="{LINK}"' in written.html
    for body in (written.text, written.html):
        assert "{" not in body.replace("{color", "")


def test_the_languages_have_the_same_texts() -> None:
    names = {
        language: {
            section: sorted(texts)
            for section, texts in letter_texts("amply.modules.recurring", language).items()
        }
        for language in Language
    }
    assert names[Language.DE] == names[Language.FR] == names[Language.EN]
    assert set(names[Language.EN]["every"]) == {each.value for each in Interval}


def test_amounts_and_days_are_written_as_people_of_the_place_do() -> None:
    assert plan_mail(letter(language=Language.DE)).subject == (
        "Ihre Spende von 1.234,50 EUR an River Trust am 31. März 2026"
    )


def test_what_covers_the_fee_is_told_where_something_does() -> None:
    covering = plan_mail(letter(fee_cover=Money(minor_units=1906, currency="EUR"), language=Language.DE))
    assert "Davon decken 19,06 EUR die Zahlungsgebühr" in " ".join(covering.text.split())
    assert "Zahlungsgebühr" not in plan_mail(letter(language=Language.DE)).text


def test_what_pays_is_named_by_its_end_and_by_nothing_else() -> None:
    assert "card ending in 4242" in plan_mail(letter()).text
    assert "stored way to pay" in plan_mail(letter(method_kind="link", last4="")).text


def test_a_name_forges_no_header_and_no_markup() -> None:
    written = plan_mail(letter(donor_name="<b>Eve</b>\r\nBcc: x", organization="A\r\nB {amount}"))
    assert "\n" not in written.subject
    assert "\r" not in written.subject
    assert "<b>" not in written.html
    assert "A B {amount}" in written.subject
