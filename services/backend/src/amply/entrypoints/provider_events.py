"""Dispatches stored provider events to their handlers, and records why one could not be handled."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from amply.kernel.clock import Clock
from amply.modules import donations, onboarding, payments, payouts, webhooks

SHUT_OUT_AGAIN_AFTER: Final = timedelta(hours=1)
"""Retry interval of events about inaccessible accounts; these attempts are not counted."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class EventHandlers:
    """Handlers by kind of event; `source` fetches the objects that thin events name."""

    events: donations.EventDependencies
    payouts: payouts.PayoutDependencies
    accounts: onboarding.AccountEventDependencies
    source: webhooks.EventSource
    clock: Clock


def handle(parts: EventHandlers, event_id: str) -> webhooks.Outcome | None:
    """Fetch a thin event's object, then handle the event; None if there is nothing to do, or it must wait.

    Raises:
        Whatever its handler raises: it stays unhandled and comes back.
    """
    database = parts.events.database
    try:
        webhooks.complete(database, parts.source, event_id=event_id, now=parts.clock())
        return _handler(parts, event_id)(event_id=event_id, now=parts.clock())
    except payments.AccountUnreachable:
        with database.transaction() as session:
            webhooks.note_failure(session, event_id=event_id, reason=webhooks.ACCOUNT_OUT_OF_REACH)
            webhooks.put_off(session, event_id=event_id, now=parts.clock(), delay=SHUT_OUT_AGAIN_AFTER)
        _log.warning("event_waits_for_account", event_id=event_id)
        return None
    except Exception as failure:
        with database.transaction() as session:
            webhooks.note_failure(session, event_id=event_id, reason=type(failure).__name__)
        raise


def _handler(parts: EventHandlers, event_id: str) -> Callable[..., webhooks.Outcome | None]:
    with parts.events.database.transaction() as session:
        told = webhooks.type_of(session, event_id=event_id)
    if told in webhooks.PAYOUT_TYPES:
        return partial(payouts.handle_provider_event, parts.payouts)
    if told in webhooks.ACCOUNT_TYPES:
        return partial(onboarding.handle_provider_event, parts.accounts)
    if told in webhooks.SETUP_TYPES:
        return partial(donations.handle_setup_event, parts.events)
    return partial(donations.handle_provider_event, parts.events)
