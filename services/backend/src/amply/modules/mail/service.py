"""Processes delivery feedback, and keeps the list of suppressed addresses."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules.mail.domain import Feedback, FeedbackKind, address_digest
from amply.modules.mail.models import FeedbackRow, SuppressionRow
from amply.modules.mail.ports import FeedbackQueue

_ROUNDS_MAX: Final = 20
"""Batches of ten messages in one run; the next one follows in half a minute."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class FeedbackDependencies:
    """Dependencies of processing delivery feedback."""

    database: Database
    queue: FeedbackQueue


def hear_feedback(parts: FeedbackDependencies, *, now: datetime) -> int:
    """Process the feedback queue, and suppress addresses; return how many messages were read.

    A message leaves the queue after its rows are committed. A crash in between tells it again, and nothing changes.
    """
    heard = 0
    for _ in range(_ROUNDS_MAX):
        waiting = parts.queue.receive()
        for message in waiting:
            with parts.database.transaction() as session:
                _keep(session, message.said, now=now)
            parts.queue.done(receipt=message.receipt)
            _tell(message.said)
            heard += 1
        if not waiting:
            break
    return heard


def suppressed_because(session: Session, *, address: str) -> FeedbackKind | None:
    """Why an address is suppressed, or None."""
    digest = address_digest(address)
    found = session.scalars(
        select(SuppressionRow.reason).where(SuppressionRow.address_sha256 == digest)
    ).one_or_none()
    return FeedbackKind(found) if found is not None else None


def forget(session: Session, *, addresses: Collection[str]) -> None:
    """Delete the feedback about these addresses.

    Those on the list stay there, as digests: that they want no letters, or take none, is for them.
    """
    digests = [address_digest(address) for address in addresses]
    session.execute(delete(FeedbackRow).where(FeedbackRow.address_sha256.in_(digests)))


def _keep(session: Session, said: Sequence[Feedback], *, now: datetime) -> None:
    for feedback in said:
        session.execute(
            insert(FeedbackRow)
            .values(
                event_id=feedback.event_id,
                address_sha256=feedback.address_sha256,
                kind=feedback.kind,
                message_id=feedback.message_id,
                occurred_at=feedback.occurred_at,
                received_at=now,
            )
            .on_conflict_do_nothing()
        )
        if feedback.kind.suppresses:
            # Keep the first reason.
            session.execute(
                insert(SuppressionRow)
                .values(
                    address_sha256=feedback.address_sha256,
                    reason=feedback.kind,
                    since=feedback.occurred_at,
                )
                .on_conflict_do_nothing()
            )


def _tell(said: Sequence[Feedback]) -> None:
    """Which letter and what happened; never whose address it was."""
    for feedback in said:
        _log.warning("mail_feedback", kind=feedback.kind, message_id=feedback.message_id)
