"""The receipt e-mail: text, HTML, the PDF, and the ledger proof that verifies offline."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from amply.infra.letter_templates import letter_templates
from amply.modules.mail import Attachment, Mail
from amply.modules.receipts.composing import cancelled
from amply.modules.receipts.domain import Document, IssuedReceipt, harmless
from amply.modules.receipts.paper import receipt_pdf
from amply.modules.receipts.wording import Wording

TEMPLATES: Final = letter_templates("amply.modules.receipts")
_OURS: Final = "#05668d"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Contents of the e-mail. `proof` is the tlog-proof text; the witness policy is on the site of `ledger_page`."""

    receipt: IssuedReceipt
    document: Document
    donor_name: str
    donor_email: str
    organization: str
    country: str
    entry_id: str
    proof: str
    ledger_page: str
    logo: bytes | None = None
    is_offline: bool = False
    is_in_kind: bool = False

    @property
    def proof_filename(self) -> str:
        """File name of the proof, in the e-mail and in the PDF."""
        return f"{self.receipt.donation_id}.tlog-proof"


def receipt_mail(letter: Letter) -> Mail:
    """Render the e-mail, with `ID.tlog-proof` and `NUMBER.pdf` attached."""
    is_void = letter.receipt.voided_at is not None
    document = cancelled(letter.document) if is_void else letter.document
    wording = Wording.of(letter.receipt.language, country=letter.country)
    facts = {
        "letter": letter,
        "document": document,
        "said": _said(letter, wording),
        "label_width": max(len(label) for label, _ in document.rows) + 2,
        "policy_file": urljoin(letter.ledger_page, "/policy.txt"),
        "giving_page": urljoin(letter.ledger_page, "/giving/"),
        "colour": document.colour or _OURS,
    }
    return Mail(
        to=letter.donor_email,
        subject=_subject(letter, wording),
        text=TEMPLATES.get_template("receipt.txt").render(facts),
        html=TEMPLATES.get_template("receipt.html").render(facts),
        attachments=(
            Attachment(
                filename=letter.proof_filename,
                media_type="application/octet-stream",
                content=letter.proof.encode(),
            ),
            Attachment(
                filename=f"{letter.receipt.number}.pdf",
                media_type="application/pdf",
                content=_pdf(letter, document),
            ),
        ),
    )


def paper_of(
    receipt: IssuedReceipt | None, *, entry_id: str, proof: str, ledger_page: str, logo: bytes | None = None
) -> dict[str, bytes]:
    """A receipt's PDF with its file name; None if none was issued, or the donor was erased."""
    if receipt is None or receipt.document is None:
        return {}
    is_void = receipt.voided_at is not None
    content = receipt_pdf(
        cancelled(receipt.document) if is_void else receipt.document,
        issued_at=receipt.voided_at or receipt.issued_at,
        entry_id=entry_id,
        ledger_page=ledger_page,
        proof=proof,
        filename=f"{receipt.donation_id}.tlog-proof",
        logo=logo,
    )
    return {f"{receipt.number}.pdf": content}


def _pdf(letter: Letter, document: Document) -> bytes:
    return receipt_pdf(
        document,
        issued_at=letter.receipt.voided_at or letter.receipt.issued_at,
        entry_id=letter.entry_id,
        ledger_page=letter.ledger_page,
        proof=letter.proof,
        filename=letter.proof_filename,
        logo=letter.logo,
    )


def _subject(letter: Letter, wording: Wording) -> str:
    if letter.is_in_kind and not _turn(letter):
        return wording.say("letter", "subject_in_kind", organization=harmless(letter.organization))
    name = {"": "subject", "replaced": "subject_replaced", "cancelled": "subject_cancelled"}[_turn(letter)]
    return wording.say(
        "letter",
        name,
        amount=wording.amount(letter.receipt.amount),
        organization=harmless(letter.organization),
    )


def _turn(letter: Letter) -> str:
    """What is special about the receipt, if anything."""
    if letter.receipt.voided_at is not None:
        return "cancelled"
    return "replaced" if letter.receipt.replaces is not None else ""


def _said(letter: Letter, wording: Wording) -> dict[str, str]:
    filled = {"donor": harmless(letter.donor_name), "filename": letter.proof_filename}
    names = ("greeting", "attached", "straight", "offline", "registry", "key", "keep", "giving")
    said = {name: wording.say("letter", name, **filled) for name in names}
    opening = _turn(letter) or "thanks"
    if letter.is_offline:
        said["straight"] = wording.say("letter", "recorded", **filled)
        opening = "cancelled_offline" if opening == "cancelled" else opening
    return {**said, "opening": wording.say("letter", opening)}
