"""Worker tasks of donations: apply provider events.

Every task tolerates being repeated, reordered and killed: what it did not finish is done by the next run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from amply.infra import tracing
from amply.infra.database import Database, begins_again
from amply.modules import ledger, payments, webhooks
from amply.modules.donations.bookings import find_payment, is_about_the_erased
from amply.modules.donations.declines import about_decline
from amply.modules.donations.provider_events.attempts import about_attempt
from amply.modules.donations.provider_events.context import (
    ApplyAnswer,
    EventTransaction,
    Handler,
    PaymentEvent,
)
from amply.modules.donations.provider_events.disputes import about_disputes, about_fraud_warning
from amply.modules.donations.provider_events.refunds import about_refunds
from amply.modules.donations.provider_events.success import about_gift

_HANDLERS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(webhooks.GIFT_TYPES, about_gift),
    **dict.fromkeys(webhooks.ATTEMPT_TYPES, about_attempt),
    "payment_intent.payment_failed": about_decline,
    **dict.fromkeys(webhooks.REFUND_TYPES, about_refunds),
    **dict.fromkeys(webhooks.DISPUTE_TYPES, about_disputes),
    **dict.fromkeys(webhooks.FRAUD_WARNING_TYPES, about_fraud_warning),
}
"""Handlers of payment events by type."""

_ROUNDS_MAX: Final = 5
"""Immediate retries of an event when others about the same payment were faster."""

_COUNTED: Final = {
    "payment_intent.succeeded": "gift_booked",
    "payment_intent.payment_failed": "payment_declined",
    "radar.early_fraud_warning.created": "fraud_warning",
}
"""Log events that `stacks/observability.py` counts, by type of the handled event."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class EventDependencies:
    """Dependencies of handling provider events."""

    database: Database
    processor: payments.Processor
    secrets: ledger.CommitmentSecrets


def handle_provider_event(
    parts: EventDependencies, *, event_id: str, now: datetime
) -> webhooks.Outcome | None:
    """Handle one stored event: payment, donation, ledger, receipt and the event's timestamp in one transaction.

    Returns None when there is nothing left to do (the event is unknown or was handled before), and while nothing may be
    booked: then the event waits, and the attempt does not count.

    Raises:
        GiftNotBookedYet: It came too early; it stays unhandled, and the scheduler announces it again.
    """
    with parts.database.transaction() as session:
        event = webhooks.claim(session, event_id=event_id, now=now)
        if event is None:
            return None
        payment = find_payment(session, event)
        if payment is None:
            webhooks.mark_handled(session, event_id=event_id, outcome=webhooks.Outcome.NOT_OURS, now=now)
            return webhooks.Outcome.NOT_OURS
    # The donor's request has a trace of its own, possibly days old: link to it.
    tracing.annotate(event_id=event_id, donation_id=payment.donation_id, payment_id=payment.id)
    tracing.link(payment.traceparent)
    try:
        outcome = _follow(parts, event, payment, now=now)
    except ledger.BookingsPaused:
        with parts.database.transaction() as session:
            webhooks.put_off(session, event_id=event_id, now=now)
        _log.warning("bookings_paused", event_id=event_id, runbook="docs/runbooks/alarms/bookings-paused.md")
        return None
    # After the commit, since a rolled-back change did not happen.
    if outcome is webhooks.Outcome.APPLIED and event.type in _COUNTED:
        _log.info(_COUNTED[event.type], event_id=event_id, payment_id=payment.id)
    return outcome


def _follow(
    parts: EventDependencies, event: webhooks.ProviderEvent, payment: payments.Payment, *, now: datetime
) -> webhooks.Outcome | None:
    """Ask, then apply; ask again when what was asked about has changed meanwhile.

    Raises:
        AnswerOutdated, sqlalchemy.exc.OperationalError: Others were faster each time; the event comes back.
    """
    for left in reversed(range(_ROUNDS_MAX)):
        payment_event = PaymentEvent(
            event=event, payment=payment, processor=parts.processor, secrets=parts.secrets
        )
        applies = _HANDLERS[event.type](payment_event)
        try:
            return _apply(parts, event, applies, now=now)
        except payments.AnswerOutdated:
            if left == 0:
                raise
        except OperationalError as error:
            if left == 0 or not begins_again(error):
                raise
        with parts.database.transaction() as session:
            payment = find_payment(session, event) or payment
    raise AssertionError("the last round returns or raises")


def _apply(
    parts: EventDependencies, event: webhooks.ProviderEvent, applies: ApplyAnswer, *, now: datetime
) -> webhooks.Outcome | None:
    """All that an event changes, in one transaction; None when somebody else was faster."""
    with parts.database.transaction() as session:
        if not webhooks.lock_unhandled(session, event_id=event.id):
            return None
        outcome = applies(EventTransaction(session=session, now=now))
        webhooks.mark_handled(session, event_id=event.id, outcome=outcome, now=now)
        if is_about_the_erased(session, event):
            webhooks.forget(session, event_ids=[event.id])
    return outcome
