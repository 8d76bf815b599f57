"""The command line: compares two assemblies and writes one comment for each environment; exit codes are in `outcome`."""

import importlib
import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NoReturn

import click

from operations.assembly import Deployed, NoAssemblyError, read
from operations.difference.approved_replacements import ApprovedReplacement, read_approved_replacements
from operations.difference.comment import write
from operations.difference.markdown import LONGEST_COMMENT
from operations.difference.outcome import CannotCompareError, Exit
from operations.difference.review import CannotPriceError, Monthly, Review, review
from operations.difference.vendor import Library

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_folder = click.Path(path_type=Path)


@click.command(
    epilog="Exit codes: 0 safe or approved, 1 data would be replaced or destroyed, 2 not compared."
)
@click.argument("before", type=_folder)
@click.argument("after", type=_folder)
@click.option("--environment", metavar="NAME", help="Only this one; the default is every environment.")
# `--waivers`: what it was called in the release before; until the next one, pull requests from that release say it.
@click.option(
    "--replacements",
    "--waivers",
    "replacements_file",
    type=_folder,
    metavar="FILE",
    help="Replacements agreed to.",
)
@click.option("--markdown-dir", type=_folder, metavar="DIR", help="Also write DIR/ENVIRONMENT.md.")
@click.option("--whole", is_flag=True, help="Print everything, also what is too long for one comment.")
@click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), help="The day approvals are judged by; now, in UTC."
)
def cli(
    before: Path,
    after: Path,
    *,
    environment: str | None,
    replacements_file: Path | None,
    markdown_dir: Path | None,
    whole: bool,
    today: datetime | None,
) -> None:
    """Compare two cloud assemblies (folders written by `cdk synth`) and print what a reviewer must know."""
    day = (today or datetime.now(UTC)).date()
    approved = read_approved_replacements(replacements_file) if replacements_file else ()
    reviews = _reviews(_read(before), _read(after), environment, approved, day)
    comments = {it.environment: write(it, limit=None if whole else LONGEST_COMMENT) for it in reviews}
    click.echo("\n".join(comments.values()), nl=False)
    if markdown_dir:
        markdown_dir.mkdir(parents=True, exist_ok=True)
        for name, comment in comments.items():
            (markdown_dir / f"{name}.md").write_text(comment, encoding="utf-8")
    sys.exit(Exit.BLOCKED if any(it.blocking for it in reviews) else Exit.SAFE)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; an answer that could not be reached never looks like one."""
    try:
        cli(arguments, prog_name="operations.difference")
    except CannotCompareError as reason:
        click.echo(str(reason), err=True)
    except Exception as error:  # noqa: BLE001 -- the last door: Python's own exit code is 1, which means something here
        click.echo(f"This program has a defect ({error!r}); nothing was compared.", err=True)
    sys.exit(Exit.NOT_COMPARED)


def _read(folder: Path) -> Mapping[str, Deployed]:
    try:
        return read(folder)
    except NoAssemblyError as missing:
        raise CannotCompareError(str(missing)) from missing
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as broken:
        raise CannotCompareError(f"The assembly in {folder} cannot be read: {broken!r}") from broken


def _reviews(
    before: Mapping[str, Deployed],
    after: Mapping[str, Deployed],
    only: str | None,
    approved: tuple[ApprovedReplacement, ...],
    today: date,
) -> list[Review]:
    known = [*after, *(name for name in before if name not in after)]
    for name in known:
        if not _NAME.fullmatch(name):
            raise CannotCompareError(f"An environment is named in small letters and digits, not {name!r}.")
    if only is not None and only not in known:
        raise CannotCompareError(f"Neither assembly has {only!r}; they have {', '.join(known)}.")
    for name in sorted({approval.environment for approval in approved} - {*known}):
        click.echo(f"An approval names the environment {name!r}, which neither assembly has.", err=True)
    with Library() as library:
        return [
            review(
                name,
                before.get(name),
                after.get(name),
                compare=library.compare,
                approved=approved,
                today=today,
                monthly=_monthly(),
            )
            for name in known
            if only in {None, name}
        ]


def _monthly() -> Monthly | None:
    """What `operations.cost` says, where it is installed."""
    if importlib.util.find_spec("operations.cost") is None:
        return None
    estimate = importlib.import_module("operations.cost").estimate

    def monthly(deployed: Deployed) -> Decimal:
        try:
            return Decimal(estimate(deployed).total_usd)
        except Exception as error:
            # Whatever is wrong with a price must not stand between a reviewer and what is lost.
            raise CannotPriceError(str(error) or repr(error)) from error

    return monthly
