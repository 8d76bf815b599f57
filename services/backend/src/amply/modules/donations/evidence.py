"""Evidence files about a disputed gift, for the answer to the donor's bank. Personal: for that answer alone."""

import json
from datetime import datetime
from typing import Any, Final

from amply.infra.database import Database
from amply.kernel.clock import iso, iso_or_none
from amply.modules import ledger, organizations, payments, receipts
from amply.modules.donations import queries
from amply.modules.donations.domain import Donation
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.options import Anonymity

_STATEMENT: Final = """\
{organization} received a gift of {amount} on {given_on} (UTC), donation {donation_id}.

The donor made it on a donation page, gave their name and e-mail address there, confirmed the payment with their card or
bank themselves, and received nothing in exchange: it is a gift, not a purchase, so that nothing was to be delivered.
{receipt}
{proof}
{refunds}
"""

_PROOF: Final = (
    "The gift was entered in a public ledger that nobody can change afterwards, as entry {entry_id}. The file "
    "{file} proves entry, amount and organisation against the ledger's signed checkpoint; anyone can check it with "
    "amply-verify, without asking us."
)


def evidence(
    database: Database, secrets: ledger.CommitmentSecrets, *, dispute_id: str, ledger_page: str
) -> dict[str, bytes]:
    """Files of a dispute's evidence by name: facts, statement, receipt PDF, ledger proof.

    Of an erased donor there are facts alone. The organisation answers the bank: of a gift whose donor it is not told, the
    files do not tell it either.

    Raises:
        DisputeNotFound: There is no such dispute.
    """
    with database.transaction() as session:
        dispute, payment_id = payments.disputed_payment(session, dispute_id=dispute_id)
        payment = payments.get(session, payment_id=payment_id)
        row = session.get_one(DonationRow, payment.donation_id)
        donation = queries.donation_of(row)
        receipt = session.get(ReceiptRow, row.id)
        sent_at = None if receipt is None else receipt.sent_at
        refunds = payments.refunds_of(session, payment_id=payment_id)
        is_told = row.anonymity != Anonymity.ORGANIZATION
        proof = ledger.receipt(session, entry_id=donation.entry_id or "", secrets=secrets, opens=is_told)
        issued = receipts.latest(session, donation_id=row.id)
        organization = organizations.get(session, organization_id=donation.organization_id)
    facts = {
        "dispute": _dispute(dispute),
        "gift": _gift(donation, row, payment),
        "organization": {"id": organization.id, "name": organization.name, "country": organization.country},
        "receipt_number": None if issued is None else issued.number,
        "receipt_sent_at": iso_or_none(sent_at),
        "refunds": [_refund(each) for each in refunds if each.is_held],
    }
    proof_file = f"{donation.id}.tlog-proof"
    files = {
        "facts.json": f"{json.dumps(facts, indent=2, ensure_ascii=False)}\n".encode(),
        "statement.txt": _statement(
            organization.name, donation, sent_at, proof_file if proof else None
        ).encode(),
    }
    if proof is None:
        return files
    paper = receipts.paper_of(
        issued if is_told else None, entry_id=donation.entry_id or "", proof=proof, ledger_page=ledger_page
    )
    return {**files, **paper, proof_file: proof.encode()}


def _statement(
    organization: str, donation: Donation, sent_at: datetime | None, proof_file: str | None
) -> str:
    return _STATEMENT.format(
        organization=organization,
        amount=donation.amount,
        given_on=f"{donation.created_at:%-d %B %Y, %H:%M}",
        donation_id=donation.id,
        receipt=(
            "No receipt was sent yet."
            if sent_at is None
            else f"A receipt was sent to the donor's e-mail address on {sent_at:%-d %B %Y}."
        ),
        proof=(
            "The public ledger does not cover the gift yet."
            if proof_file is None
            else _PROOF.format(entry_id=donation.entry_id, file=proof_file)
        ),
        refunds=(
            "Nothing of it was refunded."
            if donation.refunded.minor_units == 0
            else f"{donation.refunded} of it was refunded before."
        ),
    )


def _dispute(dispute: payments.ListedDispute) -> dict[str, Any]:
    due = dispute.evidence_due_at
    return {
        "id": dispute.id,
        "at_processor": dispute.remote_id,
        "amount": _amount(dispute.amount.minor_units, dispute.amount.currency),
        "reason": dispute.reason,
        "status": dispute.status,
        "evidence_due_at": iso_or_none(due),
        "recorded_at": iso(dispute.created_at),
    }


def _gift(donation: Donation, row: DonationRow, payment: payments.Payment) -> dict[str, Any]:
    is_told = row.anonymity != Anonymity.ORGANIZATION
    return {
        "id": donation.id,
        "payment_at_processor": payment.remote_id,
        "account_at_processor": payment.account_id,
        "amount": _amount(donation.amount.minor_units, donation.amount.currency),
        "given_at": iso(donation.created_at),
        "standing": donation.standing,
        "ledger_entry": donation.entry_id,
        "donor_name": row.donor_name if is_told else None,
        "donor_email": row.donor_email if is_told else None,
        "message": row.message,
    }


def _refund(refund: payments.Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "at_processor": refund.remote_id,
        "amount": _amount(refund.amount.minor_units, refund.amount.currency),
        "ledger_entry": refund.entry_id,
    }


def _amount(minor_units: int, currency: str) -> dict[str, str]:
    return {"minor_units": str(minor_units), "currency": currency}
