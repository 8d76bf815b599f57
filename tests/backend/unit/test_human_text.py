"""What people type is kept as they meant it, by one rule at every door; what nobody types is refused."""
# ruff: noqa: RUF001 -- characters that look like others are what is tried here

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from amply.kernel import human_text
from amply.kernel.errors import InvalidRequest
from amply.kernel.human_text import TextNotAcceptable
from amply.modules.donations.typed_text import LongText, NameInLetter, ShortText
from amply.modules.images.service import _said
from amply.modules.ingestion.sources import line_of as title_of
from amply.modules.keys.domain import name_of as key_name_of
from amply.modules.organizations import PICTURE_LANGUAGES
from amply.modules.organizations.funds import _name_of as fund_name_of
from amply.modules.organizations.text_rules import line_of, name_of, text_of, website_of

AS_TYPED = [
    "O’Brien",
    "Zoë Müller",
    "Nguyễn Thị Ánh",
    "می\u200cخواهم",  # Persian, with a zero width non-joiner
    "ශ්\u200dරී ලංකා",  # Sinhala, with a zero width joiner
    "क्\u200dष",
    "👩\u200d👩\u200d👧 Family 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\u200eשלום\u200f",  # with marks of direction
    "社会福祉法人",
    "Smith-Jones, Jr.",
]
REFUSED = ["a\x00b", "a\x07b", "\x1b[31mred", "a\x9bb", "admin\u202etxt.exe", "a\u2066b", "a\ud800b"]
NOTHING = ["", "   ", "\u200b", "\u200d\u200d", "\u00ad", "\u0301"]

NAMES: list[Callable[[str], str]] = [
    partial(human_text.name, longest=200),
    partial(name_of, param="name"),
    fund_name_of,
    key_name_of,
    title_of,
    TypeAdapter[str](ShortText).validate_python,
    TypeAdapter[str](NameInLetter).validate_python,
]
PROSE: list[Callable[[str], str]] = [
    partial(human_text.line, longest=200),
    partial(human_text.prose, longest=200),
    partial(line_of, param="tagline"),
    partial(text_of, param="about"),
    TypeAdapter[str](LongText).validate_python,
    lambda text: _said(dict.fromkeys(PICTURE_LANGUAGES, text))["en"],
]


@pytest.mark.parametrize("typed", AS_TYPED)
def test_every_door_keeps_what_people_type(typed: str) -> None:
    kept = unicodedata.normalize("NFC", typed)
    assert [door(typed) for door in (*NAMES, *PROSE)] == [kept] * len((*NAMES, *PROSE))


@pytest.mark.parametrize("typed", REFUSED)
def test_every_door_refuses_what_nobody_types(typed: str) -> None:
    for door in (*NAMES, *PROSE):
        with pytest.raises((TextNotAcceptable, InvalidRequest, ValidationError)):
            door(typed)


@pytest.mark.parametrize("typed", NOTHING)
def test_a_name_can_be_seen(typed: str) -> None:
    for door in NAMES:
        with pytest.raises((TextNotAcceptable, InvalidRequest, ValidationError)):
            door(typed)


@pytest.mark.parametrize(
    ("typed", "name", "prose"),
    [
        ("Zoe\u0308", "Zoë", "Zoë"),
        ("  Ada \t Lovelace\u3000", "Ada Lovelace", "Ada Lovelace"),
        ("M.\u00a0Dupont", "M. Dupont", "M.\u00a0Dupont"),
        ("Merci\u202f!", "Merci !", "Merci\u202f!"),
        ("Wohl\u00adfahrt", "Wohlfahrt", "Wohlfahrt"),
        ("\ufeffAda", "Ada", "Ada"),
        ("two\r\nlines", "two lines", "two lines"),
    ],
)
def test_spaces_and_marks_are_as_they_are_read(typed: str, name: str, prose: str) -> None:
    assert {door(typed) for door in NAMES} == {name}
    assert human_text.line(typed, longest=200) == prose


def test_what_a_form_sends_as_the_end_of_a_line_is_one() -> None:
    typed = "First\r\nsecond \r\r\n\tthird\u2003here\u00a0!"
    kept = "First\nsecond\n\n\tthird here\u00a0!"
    assert text_of(typed, param="about") == kept
    assert TypeAdapter[str](LongText).validate_python(typed) == kept


def test_the_sentence_names_the_character_and_not_the_text() -> None:
    with pytest.raises(TextNotAcceptable) as refused:
        human_text.name("Ada\u202eevil", longest=200)
    assert refused.value.sentence("the name") == (
        "Take the invisible character U+202E out of the name; it changes how text is shown."
    )
    with pytest.raises(TextNotAcceptable) as refused:
        human_text.name("a" * 11, longest=10)
    assert refused.value.sentence("the name") == "Write 1 to 10 characters as the name."


@given(st.text(max_size=60))
@pytest.mark.parametrize("rule", [human_text.name, human_text.line, human_text.prose])
def test_whatever_is_kept_is_kept_again_and_holds_nothing_that_is_refused(
    rule: Callable[..., Any], typed: str
) -> None:
    try:
        kept = rule(typed, longest=200)
    except TextNotAcceptable:
        return
    assert rule(kept, longest=200) == kept
    assert unicodedata.is_normalized("NFC", kept)
    categories = {unicodedata.category(character) for character in kept if character not in "\n\t"}
    assert not categories & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(kept) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u00ad")
    spaces = {each for each in kept if unicodedata.category(each) == "Zs"}
    assert spaces <= ({" "} if rule is human_text.name else {" ", "\u00a0", "\u202f"})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://müller.de", "https://xn--mller-kva.de"),
        ("https://straße.example/über uns".replace(" ", "-"), "https://xn--strae-oqa.example/%C3%BCber-uns"),
        ("http://пример.рф:8080/a%20b", "http://xn--e1afmkfd.xn--p1ai:8080/a%20b"),
        ("https://charity.example/?a=b", "https://charity.example/?a=b"),
    ],
)
def test_a_site_is_kept_as_browsers_ask_for_it(typed: str, kept: str) -> None:
    assert website_of(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["javascript:alert(1)", "https://", "https://mü\u202eller.de", "https://-ü-.de", "ftp://müller.de"],
)
def test_what_is_no_site_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRequest):
        website_of(typed)
