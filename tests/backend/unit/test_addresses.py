"""One mailbox has one form, and none that can be taken for another is accepted."""
# ruff: noqa: RUF001 -- letters that look like others are what is tried here

import pytest

from amply.modules.people import AddressNotAcceptable, address_of


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.org",
        " Ada@Example.ORG ",
        "ＡＤＡ@example.org",
        "ada@ｅｘａｍｐｌｅ.org",
    ],
)
def test_spellings_of_one_mailbox_are_one(typed: str) -> None:
    assert address_of(typed).folded == "ada@example.org"


def test_a_domain_is_compared_as_it_travels() -> None:
    assert address_of("ada@BÜCHER.example").folded == "ada@xn--bcher-kva.example"
    assert address_of("ada@xn--bcher-kva.example").folded == "ada@xn--bcher-kva.example"


def test_letters_go_to_the_address_as_it_was_written() -> None:
    assert address_of("Ada.Byron@Example.org").written == "Ada.Byron@example.org"


@pytest.mark.parametrize(
    "typed", ["zoe@bücher.example", "ivan@пример.рф", "tanaka@例え.jp", "o'hara+gifts@example.org"]
)
def test_domains_of_every_alphabet_are_taken(typed: str) -> None:
    assert address_of(typed).folded


@pytest.mark.parametrize("typed", ["zoë@example.org", "иван@пример.рф", "田中@例え.jp"])
def test_what_no_letter_can_be_sent_to_is_refused(typed: str) -> None:
    with pytest.raises(AddressNotAcceptable, match="letters from a to z"):
        address_of(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "аda@example.org",  # the first letter is Cyrillic
        "ada@exаmple.org",  # and here the third
        "сор@example.org",  # all of them, and they read "cop"
        "αda@example.org",
    ],
)
def test_what_can_be_taken_for_another_address_is_refused(typed: str) -> None:
    with pytest.raises(AddressNotAcceptable, match="one alphabet"):
        address_of(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@@example.org",
        "ada@example",
        "a\0da@example.org",
        "a" * 250 + "@b.org",
        "ada@exa mple.org",
        "\ud800@example.org",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(AddressNotAcceptable):
        address_of(typed)
