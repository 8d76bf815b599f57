"""Appending a record: in the transaction of what it tells of, so that neither is without the other."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.kernel.ids import new_id
from amply.modules.audit.domain import Deed, content_of

_APPEND = text("INSERT INTO audit_record (content) VALUES (:content)")


def record(session: Session, deed: Deed, *, now: datetime) -> str:
    """Append what is done in this transaction, and return the record's id, aud_….

    The database chains it when the transaction commits, and others wait for no longer than that. What was tried and
    refused has no transaction left: record it in one of its own.
    """
    record_id = new_id("aud")
    session.execute(_APPEND, {"content": content_of(deed, record_id=record_id, now=now).decode("ascii")})
    return record_id
