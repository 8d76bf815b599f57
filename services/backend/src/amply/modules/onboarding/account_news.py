"""Handles events about organisations' processor accounts: retrieves the account and stores its state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from amply.infra import tracing
from amply.infra.database import Database
from amply.modules import payments, webhooks

ROUNDS_MAX: Final = 5
"""Immediate retries when an account changed meanwhile."""


@dataclass(frozen=True, kw_only=True)
class AccountEventDependencies:
    """Dependencies of handling account events."""

    database: Database
    processor: payments.Processor


def handle_provider_event(
    parts: AccountEventDependencies, *, event_id: str, now: datetime
) -> webhooks.Outcome | None:
    """Store an account's current state; return None if there is nothing left to do.

    In whatever order events come, and however often: the answer counts, and one that was overtaken is asked for again.

    Raises:
        payments.ProcessorUnavailable, payments.ProcessorRefused: No answer; the event stays unhandled and comes back.
        payments.AnswerOutdated: Others were faster each time; it comes back too.
    """
    with parts.database.transaction() as session:
        event = webhooks.claim(session, event_id=event_id, now=now)
    if event is None:
        return None
    tracing.annotate(event_id=event_id)
    for left in reversed(range(ROUNDS_MAX)):
        answer = payments.ask_account(parts.database, parts.processor, account_id=event.account_id or "")
        try:
            return _apply(parts, event, answer, now=now)
        except payments.AnswerOutdated:
            if left == 0:
                raise
    raise AssertionError("the last round returns or raises")


def _apply(
    parts: AccountEventDependencies,
    event: webhooks.ProviderEvent,
    answer: payments.AccountAnswer | None,
    *,
    now: datetime,
) -> webhooks.Outcome | None:
    """What the event changes, in the transaction that stamps it; None when somebody else was faster."""
    with parts.database.transaction() as session:
        if not webhooks.lock_unhandled(session, event_id=event.id):
            return None
        if answer is None:
            outcome = webhooks.Outcome.NOT_OURS
        else:
            told_gone = event.type in webhooks.SHUT_OUT_TYPES
            changed = payments.note_account(session, answer=answer, told_gone=told_gone, now=now)
            outcome = webhooks.Outcome.APPLIED if changed else webhooks.Outcome.NO_CHANGE
        webhooks.mark_handled(session, event_id=event.id, outcome=outcome, now=now)
    return outcome
