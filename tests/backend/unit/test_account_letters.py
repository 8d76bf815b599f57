"""Letters about accounts: every one of them in every language, as text and as HTML."""

from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag

from amply.kernel import ids
from amply.kernel.errors import InvariantViolation
from amply.modules import people
from amply.modules.mail import Language
from amply.modules.people.letters import letter, texts_in
from amply.modules.people.links import StampedPerson
from tests.backend.people_world import KEY, LINKS
from tests.backend.world import NOW

LINK = "https://edge.example/account/?verify#p1.1.clm.mac"
NAMES = sorted(set(texts_in(Language.EN)) - {"all"})


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", NAMES)
def test_a_letter_says_the_same_twice_and_where_to_go(name: str, language: Language) -> None:
    written = letter(name=name, to="ada@example.org", language=language, link=LINK)
    said = texts_in(language)[name]
    assert written.subject == said["subject"]
    assert LINK in written.text
    assert f'href="{LINK}"' in written.html
    assert "ada" not in f"{written.subject}{written.text}{written.html}".lower().replace("adapt", "")
    words = " ".join(written.text.split())
    for sentence in ("first", "second", "last"):
        assert " ".join(said[sentence].split()) in words


@pytest.mark.parametrize("language", Language)
def test_every_language_has_every_letter(language: Language) -> None:
    assert {name: set(said) for name, said in texts_in(language).items()} == {
        name: set(said) for name, said in texts_in(Language.EN).items()
    }


def test_what_is_sealed_is_opened_by_its_key_for_its_row_alone() -> None:
    sealed = KEY.seal("ada@example.org", of="usr_a")
    assert KEY.unseal(sealed, of="usr_a") == "ada@example.org"
    assert KEY.seal("ada@example.org", of="usr_a") != sealed, "no two are alike"
    for key, row in ((KEY, "usr_b"), (people.PeopleKey(b"q" * 43), "usr_a")):
        with pytest.raises(InvalidTag):
            key.unseal(sealed, of=row)
    with pytest.raises(InvariantViolation):
        KEY.unseal(b"\2" + sealed[1:], of="usr_a")


def test_each_use_of_the_secret_has_a_key_of_its_own() -> None:
    a = people.Address(written="A", folded="a")
    assert KEY.unseal_address(KEY.seal_address(a, of="usr_a"), of="usr_a") == a
    digests = {KEY.index_of(a), KEY.mark_of("a"), bytes.fromhex(KEY.place_of("a"))}
    assert len(digests) == 3
    assert "ppp" not in repr(KEY)
    with pytest.raises(InvariantViolation):
        people.PeopleKey(b"short")


def test_links_are_for_one_purpose() -> None:
    stamped = StampedPerson(person_id=ids.new_id("usr"), stamp=7)
    token = LINKS.resets.sign(stamped, now=NOW)
    assert LINKS.resets.person_of(token, now=NOW) == stamped
    assert LINKS.pending.person_of(token, now=NOW) is None
    assert LINKS.resets.person_of(LINKS.pending.sign(stamped, now=NOW), now=NOW) is None
    assert replace(stamped, stamp=8) != stamped
