"""Lists waivers with their reasons and expiry dates: `python -m operations.waivers`.

Reads the waivers from an assembly, where the CDK keeps what was acknowledged. Exit codes: 0 none has expired, 1 some
have, 2 there is no assembly.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click

from operations.assembly import Deployed, NoAssemblyError, read

_ACKNOWLEDGED: Final = "aws:cdk:acknowledged-rules"
_UNTIL: Final = re.compile(r"(?P<reason>.*) \(until (?P<until>\d{4}-\d{2}-\d{2})\)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, order=True)
class Granted:
    """One waiver; `until` is None for those the CDK's own library grants itself."""

    path: str
    rule: str
    reason: str
    until: date | None

    @property
    def environment(self) -> str:
        return self.path.partition("/")[0]

    def covers(self, path: str) -> bool:
        """It answers for the construct it stands on and for everything below."""
        return path == self.path or path.startswith(f"{self.path}/")

    def expired(self, today: date) -> bool:
        return self.until is not None and self.until < today


def waivers(assembly: Path, deployed: Deployed) -> list[Granted]:
    """Every waiver of one environment."""
    return sorted(
        granted
        for stack in deployed.manifests
        for granted in _granted(_metadata(assembly / f"assembly-{deployed.name}", deployed.manifests[stack]))
    )


def _metadata(stage: Path, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Kept in the manifest, or in a file beside it when there is much of it."""
    beside = manifest.get("additionalMetadataFile")
    found = json.loads((stage / str(beside)).read_text()) if beside else manifest.get("metadata", {})
    return dict(found)


def _granted(metadata: Mapping[str, Any]) -> Iterator[Granted]:
    for path, entries in metadata.items():
        for entry in entries:
            if entry["type"] == _ACKNOWLEDGED:
                for rule, said in entry["data"].items():
                    yield _read(path.removeprefix("/"), rule, str(said))


def _read(path: str, rule: str, said: str) -> Granted:
    found = _UNTIL.fullmatch(said)
    return Granted(
        path=path,
        rule=rule.removeprefix("Annotation::"),
        reason=found["reason"] if found else said,
        until=date.fromisoformat(found["until"]) if found else None,
    )


def report(granted: Sequence[Granted], today: date) -> Iterator[str]:
    """Those that have expired, each reason once with the places it stands in."""
    expired = sorted((one for one in granted if one.expired(today)), key=_what)
    for (until, reason), places in groupby(expired, key=_what):
        yield f"expired {until}: {reason}"
        yield from (f"    {place.rule} at {place.path}" for place in places)


def _what(granted: Granted) -> tuple[date, str]:
    return granted.until or date.max, granted.reason


@click.command()
@click.argument("assembly", type=click.Path(path_type=Path), default=Path("cdk.out"))
def cli(assembly: Path) -> None:
    """Report the waivers of ASSEMBLY that have expired."""
    try:
        environments = read(assembly)
    except NoAssemblyError as error:
        click.echo(error, err=True)
        sys.exit(2)
    found = [one for deployed in environments.values() for one in waivers(assembly, deployed)]
    lines = list(report(found, datetime.now(tz=UTC).date()))
    click.echo("\n".join(lines) if lines else f"{len(found)} waivers, none expired.")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    cli()
