"""Letters leave for every domain, in ASCII, and what comes back is known as whose it is."""

import hashlib

import pytest
from pydantic import TypeAdapter, ValidationError

from amply.adapters.ses import mime
from amply.adapters.ses.feedback import feedback_of
from amply.modules.mail import EmailAddress, Mail, address_digest, in_ascii
from tests.backend.unit.ses_events import event

DOOR = TypeAdapter[str](EmailAddress)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("ada@müller.de", "ada@xn--mller-kva.de"),
        ("Ada@MÜLLER.de", "Ada@xn--mller-kva.de"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ivan@пример.рф", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("ada@example.org", "ada@example.org"),
        ("ada@-ü-.de", "ada@-ü-.de"),
    ],
)
def test_a_domain_leaves_in_ascii(typed: str, sent: str) -> None:
    assert in_ascii(typed) == sent


def test_the_letters_own_header_has_the_domain_in_ascii() -> None:
    letter = Mail(to="ada@müller.de", subject="Your gift", text="Thank you.", html="<p>Thank you.</p>")
    assert b"\nTo: ada@xn--mller-kva.de\n" in mime(letter, sender="gifts@amply.example").as_bytes()


@pytest.mark.parametrize("typed", ["ada@müller.de", "ADA@Müller.de", " ada@xn--mller-kva.de"])
def test_what_came_back_by_the_domain_in_ascii_is_known(typed: str) -> None:
    (said,) = feedback_of(event(eventType="Bounce", address="ada@xn--mller-kva.de"))
    assert said.address_sha256 == address_digest(typed)


@pytest.mark.parametrize("typed", ["ada@müller.de", "Ada@MÜLLER.de", "ada@XN--mller-kva.de"])
def test_the_digest_is_of_the_domain_in_its_own_letters_as_rows_have_it(typed: str) -> None:
    assert address_digest(typed) == hashlib.sha256("ada@müller.de".encode()).hexdigest()


def test_what_only_looks_like_a_domain_in_ascii_is_kept_as_it_is() -> None:
    assert address_digest("ada@xn--.de") == hashlib.sha256(b"ada@xn--.de").hexdigest()


def test_an_address_is_kept_as_it_was_typed() -> None:
    assert DOOR.validate_python("ada@müller.de") == "ada@müller.de"


@pytest.mark.parametrize("typed", ["zoë@example.org", "иван@пример.рф"])
def test_what_no_letter_can_be_sent_to_is_refused_with_what_to_do(typed: str) -> None:
    with pytest.raises(ValidationError, match="before the @ only letters from a to z"):
        DOOR.validate_python(typed)
