"""Documents that support an application: uploads (`infra/uploads`) and short-lived download links (ADR 0119).

Nothing here says that a file is harmless: it is not scanned, and staff are told so.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.uploads import NAME_BYTES, UPLOAD_WITHIN, Upload
from amply.kernel import ids
from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules import audit, organizations
from amply.modules.access import (
    Access,
    count_there,
    look_at_upload,
    remove_upload,
    take_up,
    upload_there,
    uploads_there,
)
from amply.modules.applications.domain import OPEN, TOPIC_DOCUMENT_REMOVED, ApplicationNotOpen
from amply.modules.applications.models import DocumentRow
from amply.modules.applications.ports import DocumentStore
from amply.modules.applications.tiers import TIERS, DocumentKind, Tier
from amply.modules.audit import Action

BYTES_MAX: Final = 10 * 1024 * 1024
DOCUMENTS_MAX: Final = 30
"""Documents of an organisation, including expected uploads."""
READ_WITHIN: Final = timedelta(minutes=5)
_TAKES_MORE: Final = OPEN | {organizations.OrganizationState.VERIFIED}
"""Who is verified may add documents, such as for the next tier; nothing that was decided upon goes."""

MEDIA_TYPES: Final = ("application/pdf", "image/jpeg", "image/png")


class DocumentNotFound(NotFound):
    """The organisation has no such document."""

    code = "application_document_not_found"


class DocumentNotAcceptable(InvalidRequest):
    """A file of this type is not taken, or the file is not what it was said to be."""

    code = "application_document_not_acceptable"


class DocumentNotThere(Conflict):
    """Nothing was uploaded yet, or too late."""

    code = "application_document_not_there"


class TooManyDocuments(Conflict):
    """There are as many as there may be."""

    code = "too_many_documents"


@dataclass(frozen=True, kw_only=True)
class ExpectedDocument:
    """A document whose upload is expected, with its upload form."""

    document_id: str
    upload: Upload
    expires_at: datetime


def offer(access: Access, shelf: DocumentStore, *, kind: DocumentKind, media_type: str) -> ExpectedDocument:
    """Create an upload form for one document. Uploads that never arrive are deleted.

    Raises:
        OrganizationHidden: The caller may not (any more).
        ApplicationNotOpen: It was refused, or never applied while staff decide nothing.
        DocumentNotAcceptable: This type is not taken.
        TooManyDocuments: There are thirty.
    """
    if media_type not in MEDIA_TYPES:
        raise DocumentNotAcceptable(f"Send one of {', '.join(MEDIA_TYPES)}.", param="media_type")
    document_id, now = ids.new_id("odoc"), access.now
    key = f"applications/{access.organization_id}/{document_id}/{secrets.token_urlsafe(NAME_BYTES)}"
    with access.transaction() as session:
        organization = organizations.locked(session, organization_id=access.organization_id, access=access)
        if organization.state not in _TAKES_MORE:
            raise ApplicationNotOpen(
                "Staff look at this application, or have decided: wait for their letter."
            )
        _require_room(session, access)
        session.execute(
            insert(DocumentRow).values(
                id=document_id,
                organization_id=access.organization_id,
                kind=kind,
                object_key=key,
                media_type=media_type,
                added_by=access.person_id or "",
                created_at=now,
                expires_at=now + UPLOAD_WITHIN,
                next_attempt_at=now,
            )
        )
        audit.record_by(session, access, Action.DOCUMENT_ADDED, document_id)
    upload = shelf.offer(key, media_type=media_type, bytes_max=BYTES_MAX, lifetime=UPLOAD_WITHIN)
    return ExpectedDocument(document_id=document_id, upload=upload, expires_at=now + UPLOAD_WITHIN)


def receive(access: Access, shelf: DocumentStore, *, document_id: str) -> DocumentRow:
    """Accept an upload after inspecting it. Idempotent.

    Raises:
        DocumentNotFound: There is none of this id.
        DocumentNotThere: Nothing was uploaded.
        DocumentNotAcceptable: It is not what it was said to be, and is removed.
    """
    with access.transaction() as session:
        row = _row(session, access, document_id)
    if row.received_at is not None:
        return row
    stored = look_at_upload(shelf, row, now=access.now)
    if stored is None:
        raise DocumentNotThere(
            "Nothing was uploaded in time: make another place, and post the file to its form."
        )
    is_good = stored.is_what_it_says(row.media_type, bytes_max=BYTES_MAX)
    with access.transaction() as session:
        if take_up(session, access, DocumentRow, row_id=document_id, stored=stored, is_good=is_good):
            done = Action.DOCUMENT_RECEIVED if is_good else Action.DOCUMENT_REMOVED
            audit.record_by(session, access, done, document_id)
            if not is_good:
                _announce_removed(session, access, document_id)
        if is_good:
            return _row(session, access, document_id)
    raise DocumentNotAcceptable(
        f"This is no {row.media_type}: begin again with the right file.", param="media_type"
    )


def link_to(access: Access, shelf: DocumentStore, *, document_id: str) -> str:
    """A short-lived download link; the request is recorded in the audit log.

    Raises:
        DocumentNotFound: There is none of this id.
        DocumentNotThere: It was never uploaded.
    """
    with access.transaction() as session:
        row = _row(session, access, document_id)
        if row.received_at is None:
            raise DocumentNotThere("This document was never uploaded.")
        audit.record_by(session, access, Action.DOCUMENT_READ, document_id)
    return shelf.link(
        row.object_key, version=row.object_version, media_type=row.media_type, lifetime=READ_WITHIN
    )


def remove(access: Access, *, document_id: str) -> None:
    """Remove a document from view; the worker deletes its bytes.

    Raises:
        DocumentNotFound: There is none of this id.
        ApplicationNotOpen: Staff decide, or have decided, upon it.
    """
    with access.transaction() as session:
        organization = organizations.locked(session, organization_id=access.organization_id, access=access)
        row = _row(session, access, document_id)
        if organization.state not in OPEN and row.received_at is not None:
            raise ApplicationNotOpen("Staff decide, or have decided, upon this document: it stays.")
        remove_upload(session, access, DocumentRow, row_id=document_id)
        audit.record_by(session, access, Action.DOCUMENT_REMOVED, document_id)
        _announce_removed(session, access, document_id)


def documents_of(session: Session, access: Access) -> Sequence[DocumentRow]:
    """Uploaded and expected documents, oldest first."""
    return uploads_there(session, access, DocumentRow)


def documents_for_staff(session: Session, *, organization_id: str) -> Sequence[DocumentRow]:
    """Uploaded documents, oldest first."""
    return session.scalars(
        select(DocumentRow)
        .where(
            DocumentRow.organization_id == organization_id,
            DocumentRow.received_at.is_not(None),
            DocumentRow.removed_at.is_(None),
        )
        .order_by(DocumentRow.id)
    ).all()


def document_for_staff(session: Session, *, document_id: str) -> DocumentRow:
    """An uploaded document of any organisation; the calling command is recorded in the audit log.

    Raises:
        DocumentNotFound: There is none of this id, or it was removed.
    """
    row = session.scalars(
        select(DocumentRow).where(
            DocumentRow.id == document_id,
            DocumentRow.received_at.is_not(None),
            DocumentRow.removed_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise DocumentNotFound("There is no such document; `organization application` lists those there are.")
    return row


def missing(session: Session, access: Access, *, tier: str) -> list[str]:
    """Kinds of documents that the tier requires and that are missing."""
    there = {row.kind for row in documents_of(session, access) if row.received_at is not None}
    return missing_kinds(there, tier=tier)


def missing_kinds(there: set[str], *, tier: str) -> list[str]:
    """The same, given the kinds that exist."""
    return [f"document '{kind}'" for kind in TIERS[Tier(tier)].documents if kind not in there]


def _require_room(session: Session, access: Access) -> None:
    if count_there(session, access, DocumentRow) >= DOCUMENTS_MAX:
        raise TooManyDocuments(f"There are {DOCUMENTS_MAX} documents already: remove one first.")


def _announce_removed(session: Session, access: Access, document_id: str) -> None:
    outbox.put(session, topic=TOPIC_DOCUMENT_REMOVED, payload={"document_id": document_id}, now=access.now)


def _row(session: Session, access: Access, document_id: str) -> DocumentRow:
    row = upload_there(session, access, DocumentRow, row_id=document_id)
    if row is None:
        raise DocumentNotFound("There is no such document; ask for the list of those there are.")
    return row
