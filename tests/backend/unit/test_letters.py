from datetime import UTC, datetime

from amply.adapters.ses import mime
from amply.kernel.money import Money
from amply.modules.donations.letters import Letter, receipt_mail

LETTER = Letter(
    donor_name="Ada <b>Lovelace</b>",
    donor_email="ada@example.org",
    organization="River & Sea\r\nBcc: everyone@example.org",
    amount=Money(minor_units=2500, currency="EUR"),
    donation_id="don_1",
    given_at=datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    proof="c2sp.org/tlog-proof@v1\n— ",
    ledger_page="https://edge.example/ledger/",
)


def test_a_receipt_says_what_was_given_to_whom() -> None:
    mail = receipt_mail(LETTER)

    for said in ("25.00 EUR", "21 November 2026", "don_1", "https://edge.example/ledger/"):
        assert said in mail.text
        assert said in mail.html


def test_a_receipt_says_how_to_check_it_and_where_the_program_and_the_witnesses_come_from() -> None:
    mail = receipt_mail(LETTER)

    for said in (
        "amply-verify receipt don_1.tlog-proof --policy policy.txt --key KEY",
        "pip install ./services/ledger_format ./services/verify",
        "https://edge.example/policy.txt",
    ):
        assert said in mail.text
        assert said in mail.html


def test_the_proof_is_attached_byte_for_byte() -> None:
    attachment = next(mime(receipt_mail(LETTER), sender="gifts@amply.example").iter_attachments())

    assert attachment.get_filename() == "don_1.tlog-proof"
    assert attachment.get_content() == LETTER.proof.encode()


def test_a_name_cannot_bring_markup_or_headers() -> None:
    mail = receipt_mail(LETTER)
    message = mime(mail, sender="gifts@amply.example")

    assert "<b>Lovelace" not in mail.html
    assert "&lt;b&gt;Lovelace" in mail.html
    assert message["Bcc"] is None
    assert message["Subject"] == "Your gift of 25.00 EUR to River & Sea Bcc: everyone@example.org"
