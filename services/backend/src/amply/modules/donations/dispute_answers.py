"""Submits an organisation's written statement about a dispute to the processor."""

from typing import Final

from amply.infra.database import Database
from amply.kernel.errors import Conflict, InvalidRequest
from amply.modules import payments

WORDS_MAX: Final = 20_000
"""Characters of a statement (docs.stripe.com/api/disputes/update)."""


class StatementNotAcceptable(InvalidRequest):
    """The statement is empty, or longer than the processor takes."""

    code = "statement_not_acceptable"


class DisputeNotAnswerable(Conflict):
    """The processor takes no statement about this dispute from us."""

    code = "dispute_not_answerable"


def answer_dispute(
    database: Database, processor: payments.Processor, *, dispute_id: str, words: str, submits: bool
) -> str:
    """Submit a statement about a dispute; it also shows on the organisation's dashboard. Returns the dispute's status.

    `submits` hands it to the bank, which reads once: nothing can be added afterwards. Changes nothing here: the books
    follow the dispute's events.

    Raises:
        DisputeNotFound: There is no such dispute.
        StatementNotAcceptable: The statement is empty, or longer than the processor takes.
        DisputeNotAnswerable: It is decided or answered, or its donor was erased.
        ProcessorUnavailable: No answer; repeating it is harmless.
    """
    if not 0 < len(words.strip()) <= WORDS_MAX:
        raise StatementNotAcceptable(
            f"Write a statement of at most {WORDS_MAX:,} characters, and at least one word."
        )
    with database.transaction() as session:
        dispute, payment_id = payments.disputed_payment(session, dispute_id=dispute_id)
        payment = payments.get(session, payment_id=payment_id)
    if payments.is_erased(dispute.remote_id):
        raise DisputeNotAnswerable(
            "This gift's donor was erased, and with them the dispute's name: answer it on the processor's dashboard."
        )
    try:
        told = processor.answer_dispute(
            dispute_id=dispute.remote_id, account_id=payment.account_id, words=words, submits=submits
        )
    except payments.ProcessorRefused as refusal:
        raise DisputeNotAnswerable(
            "The processor takes no statement about this dispute: it is decided, or was answered; see its dashboard."
        ) from refusal
    return told.status
