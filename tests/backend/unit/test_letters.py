from dataclasses import replace

import pytest

from amply.adapters.ses import mime
from amply.modules import receipts
from amply.modules.receipts import Jurisdiction, receipt_mail
from tests.backend.unit.receipt_samples import DONATION, ISSUED_AT, gift, gift_in, letter, receipt, settings

LETTER = letter(
    None, gift(donor_name="Ada <b>Lovelace</b>", organization="River & Sea\r\nBcc: everyone@example.org")
)


def test_a_letter_says_what_was_given_to_whom() -> None:
    mail = receipt_mail(LETTER)

    for said in ("25.00 EUR", "21 November 2026", DONATION, "A-000007", "https://edge.example/ledger/"):
        assert said in mail.text
        assert said in mail.html


def test_a_letter_says_how_to_check_it_and_where_the_program_and_the_witnesses_come_from() -> None:
    mail = receipt_mail(LETTER)

    for said in (
        f"amply-verify receipt {DONATION}.tlog-proof --policy policy.txt --key KEY",
        "pip install ./services/ledger_format ./services/verify",
        "https://edge.example/policy.txt",
    ):
        assert said in mail.text
        assert said in mail.html


def test_a_letter_says_where_all_gifts_are_to_be_seen_and_a_printed_one_does_not() -> None:
    mail, printed = receipt_mail(LETTER), receipt_mail(replace(LETTER, donor_email=""))

    for body in (mail.text, mail.html):
        assert "https://edge.example/giving/" in body
    for body in (printed.text, printed.html):
        assert "/giving/" not in body


def test_proof_and_paper_are_attached_byte_for_byte() -> None:
    mail = receipt_mail(LETTER)
    proof, paper = mime(mail, sender="gifts@amply.example").iter_attachments()

    assert proof.get_filename() == f"{DONATION}.tlog-proof"
    assert proof.get_content() == LETTER.proof.encode()
    assert (paper.get_filename(), paper.get_content_type()) == ("A-000007.pdf", "application/pdf")
    assert paper.get_content() == mail.attachments[1].content
    assert paper.get_content().startswith(b"%PDF-")


def test_a_name_cannot_bring_markup_or_headers() -> None:
    mail = receipt_mail(LETTER)
    message = mime(mail, sender="gifts@amply.example")

    assert "<b>Lovelace" not in mail.html
    assert "&lt;b&gt;Lovelace" in mail.html
    assert message["Bcc"] is None
    assert message["Subject"] == "Your gift of 25.00 EUR to River & Sea Bcc: everyone@example.org"


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("en", "Your gift of 1,234.56 CAD to River Trust", "November 21, 2026"),
        ("de", "Ihre Spende von 1.234,56 CAD an River Trust", "21. November 2026"),
        ("fr", "Votre don de 1\u202f234,56 CAD à River Trust", "21 novembre 2026"),
    ],
)
def test_a_letter_is_in_the_donors_language(language: str, subject: str, said: str) -> None:
    donor = receipts.DonorFacts(language=receipts.Language(language))
    country = {"en": "CA", "de": "DE", "fr": "FR"}[language]
    mail = receipt_mail(letter(None, gift(123_456, "CAD", donor=donor, country=country)))

    assert mail.subject == subject
    assert said in mail.text
    assert f'<html lang="{language}">' in mail.html


def test_without_the_donors_language_it_is_the_organisations() -> None:
    chosen = settings(Jurisdiction.NONE, language=receipts.Language.DE)

    assert receipt_mail(letter(chosen, gift())).subject == "Ihre Spende von 25,00 EUR an River Trust"


def test_a_replacement_names_what_it_replaces() -> None:
    chosen, given = settings(Jurisdiction.CA), gift_in(Jurisdiction.CA)
    mail = receipt_mail(letter(chosen, given, issued=receipt(chosen, given, replaced="CA-000003")))

    assert mail.subject == "Corrected receipt for your gift to River Trust"
    assert "cancels and replaces receipt CA-000003" in mail.text
    assert "cancels and replaces receipt CA-000003" in mail.html


def test_a_cancelled_receipt_says_so_first() -> None:
    chosen, given = settings(Jurisdiction.CA), gift_in(Jurisdiction.CA)
    void = replace(receipt(chosen, given), voided_at=ISSUED_AT)
    mail = receipt_mail(letter(chosen, given, issued=void))

    assert mail.subject == "Cancelled: the receipt for your gift to River Trust"
    assert "CANCELLED" in mail.text
    assert "CANCELLED" in mail.html
