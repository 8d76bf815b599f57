"""Smoke test of a deployment: `python -m operations.smoke --api URL --edge URL --key KEY --environment NAME`.

Asks what any visitor could ask: is the API ready, does it describe itself, are the pages there, does no entry wait for
long to be published, and does the newest checkpoint, if anything was ever published, verify with `amply-verify` against
the keys people pin and the witnesses that the deployed publisher needs. Changes nothing.
Exit codes: 0 all well, 1 something is not, 2 nothing was asked.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import httpx2

from operations.assembly import Deployed, NoAssemblyError
from operations.locations import NoSuchEnvironmentError, environment_of

_TIMEOUT_SECONDS: Final = 10
_UNPUBLISHED_SECONDS_MAX: Final = 60
_POLICY_VARIABLE: Final = "AMPLY_WITNESS_POLICY"
_PATHS: Final = ("/v1/donations", "/v1/public/entries/{entry_id}", "/v1/public/organisations")
"""What integrators count on; the description names many more."""


class UnwellError(Exception):
    """A check failed; the message says what was seen."""


Check = Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Addresses:
    api: str
    edge: str
    keys: tuple[str, ...]
    """Verifier keys, or files with them; two while a key is changed."""
    policy: str
    """Which witnesses must have cosigned (https://c2sp.org/tlog-policy)."""


class NoPolicyError(Exception):
    """The assembly does not say which witnesses the publisher needs."""


def deployed_policy(deployed: Deployed) -> str:
    """The policy that the environment's publisher is told.

    Raises:
        NoPolicyError: No task is told one, or two are told different ones.
    """
    found = {
        variable["Value"]
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        for container in task.properties["ContainerDefinitions"]
        for variable in container.get("Environment", [])
        if variable["Name"] == _POLICY_VARIABLE and isinstance(variable["Value"], str)
    }
    if len(found) != 1:
        raise NoPolicyError(f"{deployed.name}: no one {_POLICY_VARIABLE} stands in the assembly.")
    return str(found.pop())


def checks(addresses: Addresses, client: httpx2.Client) -> Mapping[str, Check]:
    """By name, in the order they are asked; each answers what it saw."""
    return {
        "api ready": lambda: _ready(client, addresses.api),
        "api described": lambda: _described(client, addresses.api),
        "pages": lambda: _page(client, addresses.edge),
        "checkpoint": lambda: _checkpoint(client, addresses),
    }


def _get(client: httpx2.Client, url: str) -> httpx2.Response:
    try:
        answer = client.get(url, timeout=_TIMEOUT_SECONDS)
    except httpx2.HTTPError as error:
        raise UnwellError(f"{url} does not answer: {error}") from error
    if answer.status_code != httpx2.codes.OK:
        raise UnwellError(f"{url} answers {answer.status_code}.")
    return answer


def _ready(client: httpx2.Client, api: str) -> str:
    answer = _get(client, f"{api}/health/ready").json()
    if answer.get("status") != "ok":
        raise UnwellError(f"{api}/health/ready says {answer}.")
    return "ready, with its database"


def _described(client: httpx2.Client, api: str) -> str:
    document = _get(client, f"{api}/openapi.json").json()
    missing = [path for path in _PATHS if path not in document.get("paths", {})]
    if missing:
        raise UnwellError(f"{api}/openapi.json does not know {', '.join(missing)}.")
    return f"{len(document['paths'])} paths"


def _page(client: httpx2.Client, edge: str) -> str:
    answer = _get(client, f"{edge}/")
    if "text/html" not in answer.headers.get("content-type", ""):
        raise UnwellError(f"{edge}/ is no page but {answer.headers.get('content-type')!r}.")
    return "served"


def _checkpoint(client: httpx2.Client, addresses: Addresses) -> str:
    """The program people are told to use, as they use it. An empty log has no checkpoint, and that is well."""
    url = f"{addresses.api}/v1/public/log/freshness"
    try:
        answer = _get(client, url).json()
        published, waiting = int(answer["published_size"]), float(answer["oldest_unpublished_seconds"])
    except (ValueError, TypeError, KeyError) as error:
        raise UnwellError(f"{url} does not say how much is published.") from error
    if waiting > _UNPUBLISHED_SECONDS_MAX:
        raise UnwellError(f"an entry has waited {waiting:.0f} seconds to be published.")
    if published == 0:
        return "nothing is published yet"
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy"
        policy.write_text(addresses.policy)
        command = [
            *(sys.executable, "-m", "amply_verify", "checkpoint", f"{addresses.edge}/log"),
            *(word for key in addresses.keys for word in ("--key", key)),
            *("--policy", str(policy)),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)  # noqa: S603 -- ours
    if done.returncode:
        raise UnwellError(f"amply-verify exits with {done.returncode}: {done.stderr.strip()}")
    return "verifies"


def run(
    named: Mapping[str, Check], *, attempts: int, pause: Callable[[], None]
) -> Iterator[tuple[str, bool, str]]:
    """Every check, tried again while it fails: what was deployed a moment ago may still be starting."""
    for name, check in named.items():
        for attempt in range(1, attempts + 1):
            try:
                yield name, True, check()
                break
            except UnwellError as unwell:
                if attempt == attempts:
                    yield name, False, str(unwell)
                else:
                    pause()


@click.command()
@click.option("--api", required=True, metavar="URL")
@click.option("--edge", required=True, metavar="URL", help="Where pages and the log are served.")
@click.option(
    "--key",
    required=True,
    envvar="KEY",
    metavar="KEY_OR_FILE",
    help="Verifier key that people pin; several on lines of their own.",
)
@click.option("--environment", metavar="NAME", help="Whose witnesses the assembly names.")
@click.option("--assembly", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy of your own instead of an environment's.",
)
@click.option("--attempts", type=click.IntRange(1, 60), default=12, show_default=True, help="Of each check.")
@click.option("--pause", "pause_seconds", type=float, default=5, show_default=True, help="Seconds between.")
def cli(
    api: str,
    edge: str,
    key: str,
    environment: str | None,
    assembly: Path,
    policy: Path | None,
    attempts: int,
    pause_seconds: float,
) -> None:
    """Ask what any visitor could ask."""
    if (environment is None) == (policy is None):
        raise click.UsageError("Say whose witnesses are demanded: --environment NAME, or --policy FILE.")
    try:
        demanded = (
            policy.read_text() if policy else deployed_policy(environment_of(assembly, str(environment)))
        )
    except (NoAssemblyError, NoSuchEnvironmentError, NoPolicyError) as error:
        click.echo(f"Not asked: {error}", err=True)
        sys.exit(2)
    keys = tuple(line.strip() for line in key.splitlines() if line.strip())
    addresses = Addresses(api=api.rstrip("/"), edge=edge.rstrip("/"), keys=keys, policy=demanded)
    well = True
    with httpx2.Client() as client:
        named = checks(addresses, client)
        for name, holds, said in run(named, attempts=attempts, pause=lambda: time.sleep(pause_seconds)):
            well &= holds
            click.echo(f"{'ok  ' if holds else 'FAIL'} {name}: {said}", err=not holds)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    cli()
