"""The API's changes since its last released document: `python -m operations.api_changes`.

Prints them as Markdown. Exit codes: 0 nothing breaks, or only what `--accepted` names; 1 something breaks that nobody
said; 2 something is named there that does not happen.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from operations.api_changes.documents import changes, report


def _read(path: Path) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@click.command(context_settings={"show_default": True})
@click.option(
    "--released", type=click.Path(path_type=Path, exists=True), default="docs/openapi.released.json"
)
@click.option("--present", type=click.Path(path_type=Path, exists=True), default="docs/openapi.json")
@click.option(
    "--accepted",
    type=click.Path(path_type=Path, exists=True),
    default="docs/openapi-breaking.toml",
    help="What breaks on purpose: a table with a reason for each line.",
)
def main(released: Path, present: Path, accepted: Path) -> None:
    """Compare the API's document with the last released one."""
    found = changes(_read(released), _read(present))
    on_purpose: Mapping[str, str] = tomllib.loads(accepted.read_text(encoding="utf-8"))
    click.echo(report(found, on_purpose), nl=False)
    breaking = {each.line for each in found if each.is_breaking}
    for line in sorted(breaking - on_purpose.keys()):
        click.echo(f"Breaks callers: {line}. Keep it, or name it with a reason in {accepted}.", err=True)
    for line in sorted(on_purpose.keys() - breaking):
        click.echo(f"Nothing breaks by: {line}. Take it out of {accepted}.", err=True)
    if breaking - on_purpose.keys():
        sys.exit(1)
    sys.exit(2 if on_purpose.keys() - breaking else 0)


if __name__ == "__main__":
    main()
