"""Renders a donor's documents on request: receipt PDF and ledger proof. Personal: for that donor alone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.modules import ledger, receipts
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.receipting import ReceiptDependencies


def own_receipt(
    parts: ReceiptDependencies, *, donation_id: str, receipt_id: str, email_sha256: str
) -> tuple[str, bytes]:
    """A donor's receipt as sent (marked as cancelled if void): file name and PDF.

    Raises:
        ReceiptNotFound: There is none of theirs.
    """
    with parts.database.transaction() as session:
        proved = _proved(session, parts, donation_id=donation_id, email_sha256=email_sha256)
        receipt = receipts.find(session, receipt_id=receipt_id, donation_id=donation_id)
        if proved is None or receipt is None:
            raise _none()
        entry_id, proof, organization_id = proved
        settings = receipts.settings_of(session, organization_id=organization_id)
    paper = receipts.paper_of(
        receipt,
        entry_id=entry_id,
        proof=proof,
        ledger_page=parts.ledger_page,
        logo=settings.logo if settings is not None else None,
    )
    for name, content in paper.items():
        return name, content
    raise _none()


def own_proof(parts: ReceiptDependencies, *, donation_id: str, email_sha256: str) -> tuple[str, bytes]:
    """The ledger proof of a donor's gift, with opened commitments: file name and contents.

    Raises:
        ReceiptNotFound: No published checkpoint covers a gift of theirs with this id.
    """
    with parts.database.transaction() as session:
        proved = _proved(session, parts, donation_id=donation_id, email_sha256=email_sha256)
    if proved is None:
        raise _none()
    return f"{donation_id}.tlog-proof", proved[1].encode()


def _proved(
    session: Session, parts: ReceiptDependencies, *, donation_id: str, email_sha256: str
) -> tuple[str, str, str] | None:
    """The entry, what proves it, and the organisation."""
    row = session.execute(
        select(ReceiptRow.entry_id, DonationRow.organization_id)
        .join(DonationRow, DonationRow.id == ReceiptRow.donation_id)
        .where(ReceiptRow.donation_id == donation_id, DonationRow.is_of(session, email_sha256))
    ).one_or_none()
    if row is None:
        return None
    proof = ledger.receipt(session, entry_id=row.entry_id, secrets=parts.secrets)
    return None if proof is None else (row.entry_id, proof, row.organization_id)


def _none() -> receipts.ReceiptNotFound:
    return receipts.ReceiptNotFound(
        "Nothing proves this gift yet: it follows once the public ledger covers it.", param="donation_id"
    )
