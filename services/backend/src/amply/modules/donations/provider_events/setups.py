"""Failed card attempts on SetupIntents, reported to the defence like declined payments."""

from datetime import datetime

from amply.infra import outbox
from amply.modules import defence, webhooks
from amply.modules.donations.declines import decline_of
from amply.modules.donations.tasks import EventDependencies


def handle_setup_event(parts: EventDependencies, *, event_id: str, now: datetime) -> webhooks.Outcome | None:
    """Report an event's declined cards to the defence, and end the SetupIntent if it must.

    The event says that there was one, the processor which. What the event was about is forgotten with its handling: no gift would
    lead an erasure to it. Returns None when there is nothing left to do.
    """
    with parts.database.transaction() as session:
        event = webhooks.claim(session, event_id=event_id, now=now)
        if event is None:
            return None
        setup = defence.find_setup(
            session, remote_id=str(event.object.get("id")), account_id=event.account_id
        )
        if setup is None:
            webhooks.mark_handled(session, event_id=event_id, outcome=webhooks.Outcome.NOT_OURS, now=now)
            webhooks.forget_object(session, event_id=event_id)
            return webhooks.Outcome.NOT_OURS
    declined = parts.processor.setup_declines(remote_id=setup.remote_id, account_id=setup.account_id)
    with parts.database.transaction() as session:
        if not webhooks.lock_unhandled(session, event_id=event_id):
            return None
        told = [decline_of(each) for each in declined]
        if defence.note_setup_declines(session, told, setup=setup, now=now):
            fact = {"owner_id": setup.owner_id}
            outbox.put(session, topic=defence.TOPIC_EXHAUSTED, payload=fact, now=now)
        webhooks.mark_handled(session, event_id=event_id, outcome=webhooks.Outcome.APPLIED, now=now)
        webhooks.forget_object(session, event_id=event_id)
    return webhooks.Outcome.APPLIED
