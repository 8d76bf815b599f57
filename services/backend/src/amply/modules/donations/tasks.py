"""What happens to a donation later: provider events are applied.

Every task tolerates being repeated, reordered and killed: what it did not finish is done by the next run.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from amply.infra import tracing
from amply.infra.database import Database
from amply.modules import ledger, payments, webhooks
from amply.modules.donations.bookings import (
    EventInHand,
    find_payment,
    intent_id,
    needs_settlement,
    payment_id,
)

_COUNTED: Final = {
    "payment_intent.succeeded": "gift_booked",
    "payment_intent.payment_failed": "payment_declined",
}
"""Log lines that `stacks/observability.py` counts, by the type of the event that was applied."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class EventHandling:
    """The parts event handling works with."""

    database: Database
    processor: payments.Processor
    secrets: ledger.CommitmentSecrets


def handle_provider_event(parts: EventHandling, *, event_id: str, now: datetime) -> webhooks.Outcome | None:
    """Apply one stored event: payment, donation, ledger, receipt and the event's stamp in one transaction.

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
    # The donor's request is a story of its own, told up to days before: this one leads to it.
    tracing.annotate(event_id=event_id, donation_id=payment.donation_id, payment_id=payment.id)
    tracing.link(payment.traceparent)
    settlement = None
    if needs_settlement(event):
        settlement = parts.processor.settlement(
            remote_id=intent_id(event.object), account_id=event.account_id or ""
        )
    try:
        outcome = _apply(parts, event, settlement, now=now)
    except ledger.BookingsPaused:
        with parts.database.transaction() as session:
            webhooks.put_off(session, event_id=event_id, now=now)
        _log.warning("bookings_paused", event_id=event_id, runbook="docs/runbooks/alarms/bookings-paused.md")
        return None
    # After the commit: what was rolled back has not happened.
    if outcome is webhooks.Outcome.APPLIED and event.type in _COUNTED:
        _log.info(_COUNTED[event.type], event_id=event_id, payment_id=payment_id(event.object))
    return outcome


def _apply(
    parts: EventHandling,
    event: webhooks.ProviderEvent,
    settlement: payments.Settlement | None,
    *,
    now: datetime,
) -> webhooks.Outcome | None:
    """All that an event changes, in one transaction; None when somebody else was faster."""
    with parts.database.transaction() as session:
        if not webhooks.lock_unhandled(session, event_id=event.id):
            return None
        in_hand = EventInHand(
            session=session, event=event, settlement=settlement, secrets=parts.secrets, now=now
        )
        outcome = in_hand.apply()
        webhooks.mark_handled(session, event_id=event.id, outcome=outcome, now=now)
        if in_hand.is_about_the_erased():
            webhooks.forget(session, event_ids=[event.id])
    return outcome
