"""The command line of the cost check. The exit status is the result; see `verdict.Exit`."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime

import click

from operations.cost_check import questions
from operations.cost_check.billing import Billing, CouldNotCheckError
from operations.cost_check.verdict import CENT, Exit, Month, Thresholds, complaints, exit_status, outgrown

_DEAREST = 5
"""As many services are named as a person reads."""
_NAMED = "sandbox-"


@click.command()
@click.option(
    "--environment", metavar="NAME", required=True, help="production, staging, sandbox or sandbox-NAME."
)
@click.option(
    "--spent", "spent_percent", default=Thresholds.spent_percent, show_default=True, metavar="PERCENT"
)
@click.option(
    "--foreseen",
    "foreseen_percent",
    default=Thresholds.foreseen_percent,
    show_default=True,
    metavar="PERCENT",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
@click.option(
    "--dry-run", is_flag=True, help="Print what would be asked; needs no credentials and no network."
)
def check(
    environment: str, spent_percent: int, foreseen_percent: int, *, as_json: bool, dry_run: bool
) -> int:
    """Compare what the month has cost, and will cost, with the environment's budget.

    Exit status: 0 within, 2 above a threshold, 3 could not check.
    """
    now = today()
    if dry_run:
        _show_questions(environment, now)
        return Exit.WITHIN
    thresholds = Thresholds(spent_percent=spent_percent, foreseen_percent=foreseen_percent)
    month = Billing().month(environment, shared=_shares(environment), today=now)
    say = _as_object if as_json else _in_words
    click.echo(say(month, thresholds))
    return exit_status(month, thresholds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Also a mistake on the command line is a month that was not checked: click's own status for it means `above`."""
    try:
        status = check.main(arguments, standalone_mode=False)
    except CouldNotCheckError as reason:
        click.echo(f"Could not check: {reason}", err=True)
        status = Exit.COULD_NOT_CHECK
    except click.ClickException as mistake:
        mistake.show()
        status = Exit.COULD_NOT_CHECK
    except click.Abort:
        status = Exit.COULD_NOT_CHECK
    sys.exit(status)


def today() -> date:
    """AWS bills by days of UTC."""
    return datetime.now(UTC).date()


def _shares(environment: str) -> bool:
    """Named sandboxes stand in one account: only what is tagged with their name is theirs."""
    return environment.startswith(_NAMED)


def _show_questions(environment: str, now: date) -> None:
    shared = _shares(environment)
    asked = (
        questions.limit(environment),
        questions.spent(environment, shared=shared, today=now),
        questions.foreseen(environment, shared=shared, today=now),
        questions.free_tier(),
    )
    for question in filter(None, asked):
        click.echo(f"{question.service}:{question.operation} {json.dumps(question.arguments)}")


def _in_words(month: Month, thresholds: Thresholds) -> str:
    guess = " (at the pace so far: AWS has no forecast yet)" if month.rest_is_a_guess else ""
    spent, foreseen, limit = (usd.quantize(CENT) for usd in (month.spent, month.foreseen, month.limit))
    lines = [f"{month.environment}: {spent:,} USD spent, {foreseen:,} foreseen{guess}, budget {limit:,}."]
    dearest = sorted(month.spent_by_service.items(), key=lambda entry: -entry[1])[:_DEAREST]
    lines.extend(f"  {usd.quantize(CENT):>12,}  {service}" for service, usd in dearest)
    if month.free_tier is None:
        lines.append("AWS tells nothing of a free tier here.")
    lines.extend(outgrown(month))
    lines.extend(complaints(month, thresholds))
    return "\n".join(lines)


def _as_object(month: Month, thresholds: Thresholds) -> str:
    """Amounts as text, so that no reader turns them into floats."""
    return json.dumps(
        {
            "environment": month.environment,
            "status": exit_status(month, thresholds).name.lower(),
            "limit_usd": str(month.limit),
            "spent_usd": str(month.spent),
            "foreseen_usd": str(month.foreseen),
            "foreseen_is_a_guess": month.rest_is_a_guess,
            "spent_by_service_usd": {service: str(usd) for service, usd in month.spent_by_service.items()},
            "above": list(complaints(month, thresholds)),
            "free_tier_outgrown": None if month.free_tier is None else list(outgrown(month)),
        }
    )
