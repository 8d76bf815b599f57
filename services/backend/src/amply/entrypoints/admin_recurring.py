"""`admin recurring`: recurring plans, for staff. The output identifies no donor."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Final

import click
from sqlalchemy.orm import Session

from amply.entrypoints.admin_database import opened_session
from amply.infra import logging
from amply.kernel.clock import iso, system_clock
from amply.kernel.money import Money
from amply.modules import recurring as plans

_LIMIT: Final = click.IntRange(min=1, max=plans.LISTED_MAX)
_STATUS: Final = click.Choice([status.value for status in plans.PlanStatus])


@click.group()
def recurring() -> None:
    """Recurring gifts."""


@recurring.command(name="list")
@click.option("--organization", "organization_id", help="of one organisation, org_…")
@click.option("--status", type=_STATUS)
@click.option("--late", is_flag=True, help="those whose gift is due and was not tried, and what it waits for")
@click.option("--unanswered", is_flag=True, help="gifts that were given up since Stripe did not answer")
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def list_(
    *, organization_id: str | None, status: str | None, late: bool, unanswered: bool, limit: int
) -> None:
    """Plans as JSON lines, those whose next gift is due first at the front."""
    if (late, unanswered, status is not None).count(True) > 1:
        raise click.UsageError("Give one of --status, --late and --unanswered.")
    if late:
        _list_late(organization_id, limit=limit)
        return
    if unanswered:
        _list_unanswered(organization_id, limit=limit)
        return
    chosen = plans.PlanStatus(status) if status else None
    with _session() as session:
        for each in plans.listed(session, organization_id=organization_id, status=chosen, limit=limit):
            _print_line(each)


def _list_late(organization_id: str | None, *, limit: int) -> None:
    now = system_clock()
    with _session() as session:
        for line in plans.late(session, organization_id=organization_id, now=now, limit=limit):
            click.echo(json.dumps(dict(line), default=_written))


def _list_unanswered(organization_id: str | None, *, limit: int) -> None:
    with _session() as session:
        for each in plans.unanswered(session, organization_id=organization_id, limit=limit):
            _print_line(each)


def _print_line(found: Mapping[str, object]) -> None:
    line = dict(found)
    amount = {"minor_units": str(line.pop("minor_units")), "currency": line.pop("currency")}
    click.echo(json.dumps(line | {"amount": amount}, default=_written))


@recurring.command()
@click.argument("plan_id")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="the day gifts go on; none: until resumed")
def pause(*, plan_id: str, until: datetime | None) -> None:
    """Collect nothing for PLAN_ID (pln_…) for a while, on its donor's word. Needs the worker's settings."""
    with _session() as session:
        plan = plans.pause(
            session,
            plan_id=plan_id,
            email_sha256=None,
            until=until.date() if until else None,
            now=system_clock(),
            reason=plans.Reason.STAFF,
        )
    _print(plan)


@recurring.command()
@click.argument("plan_id")
def resume(*, plan_id: str) -> None:
    """Collect for PLAN_ID (pln_…) again, from the next day it knows. Needs the worker's settings."""
    with _session() as session:
        plan = plans.resume(session, plan_id=plan_id, email_sha256=None, now=system_clock())
    _print(plan)


@recurring.command()
@click.argument("plan_id")
def cancel(*, plan_id: str) -> None:
    """End PLAN_ID (pln_…) for good, and confirm it to its donor. Needs the worker's settings."""
    with _session() as session:
        plan = plans.cancel(
            session, plan_id=plan_id, email_sha256=None, now=system_clock(), reason=plans.Reason.STAFF
        )
    _print(plan)


@recurring.command(name="cancel-gift-aid")
@click.argument("plan_id")
def cancel_gift_aid(*, plan_id: str) -> None:
    """Cancel the Gift Aid declaration of PLAN_ID (pln_…) for gifts to come, on its donor's word. Needs the worker's settings."""
    with _session() as session:
        plan = plans.cancel_gift_aid(session, plan_id=plan_id, email_sha256=None, now=system_clock())
    _print(plan)


def _print(plan: plans.Plan) -> None:
    line = {
        "id": plan.id,
        "status": plan.status,
        "reason": plan.reason,
        "next_on": plan.next_due_on,
        "gift_aid": plan.gift_aid,
    }
    click.echo(json.dumps(line, default=_written))


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date | Money):
        return str(value)
    raise TypeError(type(value).__name__)


@contextmanager
def _session() -> Iterator[Session]:
    logging.configure(service="recurring")
    with opened_session() as session:
        yield session
