"""The command line of the cost estimate."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from operations.assembly import NoAssemblyError, read
from operations.cost.document import document
from operations.cost.errors import CostError
from operations.cost.estimate import Estimate, estimate
from operations.cost.words import as_object, table

WIDTH = 150


@click.command()
@click.argument("assembly", type=click.Path(path_type=Path), default=Path("cdk.out"))
@click.option("--environment", metavar="NAME", help="Only this environment.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every line.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print docs/cost.md.")
def main(assembly: Path, environment: str | None, *, as_json: bool, as_markdown: bool) -> None:
    """What the environments of ASSEMBLY (a folder `cdk synth` wrote, cdk.out) cost a month.

    Tables, then one line of JSON with the totals. Exit status 1: it cannot be computed, and why.
    """
    try:
        estimates = _estimates(assembly, environment)
    except (CostError, NoAssemblyError) as reason:
        sys.exit(str(reason))
    if as_markdown:
        click.echo(document(estimates), nl=False)
        return
    if not as_json:
        console = Console(width=WIDTH)
        for one in estimates:
            console.print(table(one))
    click.echo(json.dumps(as_object(estimates, lines=as_json)))


def _estimates(assembly: Path, environment: str | None) -> list[Estimate]:
    found = read(assembly)
    if environment is not None and environment not in found:
        raise NoAssemblyError(f"{assembly} holds no {environment}, only {', '.join(found)}.")
    wanted = found if environment is None else {environment: found[environment]}
    order = ("production", "staging", "sandbox")
    names = sorted(wanted, key=lambda name: (order.index(name) if name in order else len(order), name))
    return [estimate(wanted[name]) for name in names]
