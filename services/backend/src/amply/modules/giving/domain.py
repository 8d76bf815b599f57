"""Requests for documents on the donor page, and their errors."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules.receipts import Language

DOCUMENT_KEPT: Final = timedelta(hours=1)
DOCUMENT_ATTEMPTS_MAX: Final = 5


class DocumentKind(StrEnum):
    """A receipt's PDF, what proves a gift against the public log, or a year's statement as PDF."""

    RECEIPT = "receipt"
    PROOF = "proof"
    STATEMENT = "statement"


class DocumentState(StrEnum):
    """Whether it can be fetched. `FAILED`: it cannot be made, and asking again may help."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class DocumentNotFound(NotFound):
    """It was never asked for, or its hour is over."""

    code = "document_not_found"


class DocumentNotReady(Conflict):
    """It is still being made, or could not be."""

    code = "document_not_ready"


class DocumentNotAcceptable(InvalidRequest):
    """What was asked for is no document."""

    code = "document_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class DocumentRequest:
    """A requested document: a receipt, a gift's proof, or a yearly statement."""

    kind: DocumentKind
    donation_id: str | None = None
    receipt_id: str | None = None
    organization_id: str | None = None
    year: int | None = None
    language: Language | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """A requested document. `filename` is set once it is ready."""

    id: str
    kind: DocumentKind
    state: DocumentState
    filename: str | None
    expires_at: datetime

    @property
    def media_type(self) -> str:
        """The media type."""
        return "application/octet-stream" if self.kind is DocumentKind.PROOF else "application/pdf"
