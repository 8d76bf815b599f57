"""`admin webhooks`: provider events that wait for their handler or for an operator."""

import json
from dataclasses import asdict

import click

from amply.entrypoints.admin_database import opened_session
from amply.kernel.clock import system_clock
from amply.modules import webhooks as events

_LIMIT = click.IntRange(min=1, max=events.REPLAYED_MAX)


@click.group()
def webhooks() -> None:
    """Provider events: what waits, and starting it again."""


@webhooks.command()
@click.option("--type", "event_type", help="only of this type, such as charge.refunded")
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def list_unhandled(*, event_type: str | None, limit: int) -> None:
    """Stored events to which nothing happens, the oldest first, as JSON lines.

    `unsupported`: nobody handles the type yet. `exhausted`: ten attempts have failed.
    """
    with opened_session() as session:
        for event in events.unhandled(session, event_type=event_type, limit=limit):
            click.echo(json.dumps(asdict(event), default=str))


@webhooks.command()
def summary() -> None:
    """Events to which nothing has happened, by type and reason, the most first, as JSON lines.

    `unsupported`: nobody handles the type. `exhausted`: ten attempts have failed. `failing`: another attempt follows.
    `waiting`: for an organisation that has shut us out of its account. `reason` is the error of the last attempt.
    """
    with opened_session() as session:
        for group in events.summary(session):
            click.echo(json.dumps(asdict(group), default=str))


@webhooks.command()
@click.option("--id", "event_id", help="this event alone, whatever became of it")
@click.option("--type", "event_type", help="only of this type")
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def replay(*, event_id: str | None, event_type: str | None, limit: int) -> None:
    """Let the worker try waiting events again, as if they had just arrived; repeating it changes nothing.

    Without --id, those that `list-unhandled` shows and somebody handles now. Prints how many were started and how many are
    left: run it again for those.
    """
    if event_id is not None and event_type is not None:
        raise click.UsageError("Choose events by --id or by --type, not by both.")
    with opened_session() as session:
        now = system_clock()
        started = (
            events.replay(session, event_type=event_type, limit=limit, now=now)
            if event_id is None
            else events.replay_one(session, event_id=event_id, now=now)
        )
    click.echo(json.dumps(asdict(started)))
