"""Documents that donors request on their page: the API records the request, the worker makes the file.

The worker alone has the key that opens what the ledger keeps sealed, and sets paper. A document is kept for an hour.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel import ids
from amply.kernel.errors import AmplyError
from amply.modules import donations, receipts
from amply.modules.giving.domain import (
    DOCUMENT_ATTEMPTS_MAX,
    DOCUMENT_KEPT,
    Document,
    DocumentKind,
    DocumentNotFound,
    DocumentNotReady,
    DocumentRequest,
    DocumentState,
)
from amply.modules.giving.models import DocumentRow
from amply.modules.giving.sealing import seal, unseal
from amply.modules.recurring import LinkKey

TOPIC_DOCUMENT_REQUESTED: Final = "giving.document_asked"
_BATCH_MAX: Final = 50
_AGAIN_AFTER: Final = timedelta(seconds=30)

_log = structlog.get_logger()


def ask(session: Session, *, email_sha256: str, wanted: DocumentRequest, now: datetime) -> Document:
    """Request a donor's document.

    Raises:
        DonationNotFound, ReceiptNotFound, NoGiftsFound: There is nothing of theirs to make it of.
    """
    _check_theirs(session, email_sha256=email_sha256, wanted=wanted)
    row = session.scalars(
        insert(DocumentRow)
        .values(
            id=ids.new_random_id("doc"),
            email_sha256=email_sha256,
            kind=wanted.kind,
            donation_id=wanted.donation_id,
            receipt_id=wanted.receipt_id,
            organization_id=wanted.organization_id,
            year=wanted.year,
            language=wanted.language,
            next_attempt_at=now,
            created_at=now,
            expires_at=now + DOCUMENT_KEPT,
        )
        .returning(DocumentRow)
    ).one()
    outbox.put(session, topic=TOPIC_DOCUMENT_REQUESTED, payload={"document_id": row.id}, now=now)
    return _document(row)


def find(session: Session, *, document_id: str, email_sha256: str, now: datetime) -> Document:
    """The state of a donor's document.

    Raises:
        DocumentNotFound: There is none, or it is somebody else's.
    """
    return _document(_row(session, document_id=document_id, email_sha256=email_sha256, now=now))


def content(
    session: Session, *, document_id: str, email_sha256: str, key: LinkKey, now: datetime
) -> tuple[Document, bytes]:
    """A donor's document with its contents.

    Raises:
        DocumentNotFound: As `find` says.
        DocumentNotReady: It is not made yet, or could not be.
    """
    row = _row(session, document_id=document_id, email_sha256=email_sha256, now=now)
    if row.sealed is None:
        raise DocumentNotReady("This document is not ready: look at how it stands first.")
    try:
        return _document(row), unseal(key, row.sealed, document_id=row.id)
    except InvalidTag:
        # Encrypted before the link secret was changed.
        raise _gone() from None


def make_documents(parts: donations.ReceiptDependencies, key: LinkKey, *, now: datetime) -> int:
    """Make requested documents, and delete expired ones; return how many were made.

    Killed in between, the next run makes the same again.
    """
    made = work_off(
        parts.database,
        DocumentRow,
        DocumentRow.state == DocumentState.WAITING,
        do=lambda row: _make(parts, key, row, now=now),
        most=_BATCH_MAX,
        now=now,
        first_again=_AGAIN_AFTER,
        again_max=_AGAIN_AFTER,
        starts_at_once=True,
    )
    with parts.database.transaction() as session:
        session.execute(delete(DocumentRow).where(DocumentRow.expires_at <= now))
    return made


def _check_theirs(session: Session, *, email_sha256: str, wanted: DocumentRequest) -> None:
    if wanted.kind is DocumentKind.STATEMENT:
        there = {
            (recipient.id, given.year)
            for recipient in donations.recipients_of(session, email_sha256=email_sha256)
            for given in recipient.years
        }
        if (wanted.organization_id, wanted.year) not in there:
            raise donations.NoGiftsFound("No gifts of yours arrived there in that year; choose another one.")
        return
    gift = donations.own_gift(session, donation_id=wanted.donation_id or "", email_sha256=email_sha256)
    if wanted.kind is DocumentKind.RECEIPT and not any(
        receipt.id == wanted.receipt_id for receipt in gift.receipts
    ):
        raise receipts.ReceiptNotFound("This gift has no such receipt; open the list of your gifts again.")


def _row(session: Session, *, document_id: str, email_sha256: str, now: datetime) -> DocumentRow:
    row = session.scalars(
        select(DocumentRow).where(
            DocumentRow.id == document_id,
            DocumentRow.email_sha256 == email_sha256,
            DocumentRow.expires_at > now,
        )
    ).one_or_none()
    if row is None:
        raise _gone()
    return row


def _gone() -> DocumentNotFound:
    return DocumentNotFound("No document of yours has this id: ask for it again.")


def _make(parts: donations.ReceiptDependencies, key: LinkKey, row: DocumentRow, *, now: datetime) -> bool:
    """Make one; whatever stops this one must not stop the others."""
    try:
        filename, made = _MAKERS[DocumentKind(row.kind)](parts, row, now)
    except AmplyError as error:
        # What it was to be made of has gone meanwhile: trying again changes nothing.
        _log.info("document_not_made", document_id=row.id, kind=row.kind, reason=error.code)
        _note(parts.database, row, state=DocumentState.FAILED)
        return False
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("document_not_made", document_id=row.id, kind=row.kind)
        if row.attempts >= DOCUMENT_ATTEMPTS_MAX:
            _note(parts.database, row, state=DocumentState.FAILED)
        return False
    sealed = seal(key, made, document_id=row.id)
    _note(parts.database, row, state=DocumentState.READY, filename=filename, sealed=sealed)
    return True


def _note(database: Database, row: DocumentRow, **outcome: object) -> None:
    """Only while it is still asked for: an erasure in between leaves nothing to write to."""
    with database.transaction() as session:
        session.execute(
            update(DocumentRow)
            .where(DocumentRow.id == row.id, DocumentRow.state == DocumentState.WAITING)
            .values(**outcome)
            .execution_options(synchronize_session=False)
        )


def _receipt(parts: donations.ReceiptDependencies, row: DocumentRow, _: datetime) -> tuple[str, bytes]:
    return donations.own_receipt(
        parts,
        donation_id=row.donation_id or "",
        receipt_id=row.receipt_id or "",
        email_sha256=row.email_sha256,
    )


def _proof(parts: donations.ReceiptDependencies, row: DocumentRow, _: datetime) -> tuple[str, bytes]:
    return donations.own_proof(parts, donation_id=row.donation_id or "", email_sha256=row.email_sha256)


def _statement(parts: donations.ReceiptDependencies, row: DocumentRow, now: datetime) -> tuple[str, bytes]:
    statement = donations.statement_of_donor(
        parts.database,
        organization_id=row.organization_id or "",
        email_sha256=row.email_sha256,
        year=row.year or 0,
        language=receipts.Language(row.language) if row.language else None,
    )
    return f"statement-{row.organization_id}-{row.year}.pdf", receipts.as_pdf(statement, now=now)


_MAKERS: Final[
    dict[DocumentKind, Callable[[donations.ReceiptDependencies, DocumentRow, datetime], tuple[str, bytes]]]
] = {
    DocumentKind.RECEIPT: _receipt,
    DocumentKind.PROOF: _proof,
    DocumentKind.STATEMENT: _statement,
}


def _document(row: DocumentRow) -> Document:
    return Document(
        id=row.id,
        kind=DocumentKind(row.kind),
        state=DocumentState(row.state),
        filename=row.filename,
        expires_at=row.expires_at,
    )
