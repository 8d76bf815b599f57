"""The commands `register`, `renew`, `revoke` and `list`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations.terminals.registry import Issued, Registry, RegistryError
from operations.terminals.requests import UnfitRequestError, read_request

REFUSED, UNREACHABLE = 1, 3
_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})
_REQUEST = click.option(
    "--csr",
    "request",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The request that the terminal made, in PEM.",
)
_INTO = click.option(
    "--into",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the certificate and what the terminal has to be told.",
)


@click.group()
def cli() -> None:
    """Donation terminals of an environment, in the account and region of the credentials that are used.

    Exit status: 0 done, 1 refused, 3 the account could not be asked.
    """


@cli.command()
@click.argument("environment")
@click.argument("terminal")
@_REQUEST
@_INTO
def register(environment: str, terminal: str, request: Path, into: Path) -> None:
    """Let TERMINAL (ORGANISATION:LABEL) of ENVIRONMENT speak by a certificate of its own."""
    with _answering():
        registry = _registry(environment)
        _hand_over(registry, registry.register(terminal, read_request(_text(request))), into)


@cli.command()
@click.argument("environment")
@click.argument("terminal")
@_REQUEST
@_INTO
def renew(environment: str, terminal: str, request: Path, into: Path) -> None:
    """Give TERMINAL another certificate beside the one it has; revoke that one when it uses the new one."""
    with _answering():
        registry = _registry(environment)
        _hand_over(registry, registry.renew(terminal, read_request(_text(request))), into)


@cli.command()
@click.argument("environment")
@click.argument("terminal")
@click.option("--certificate", "only", metavar="ID", help="This one alone, as `list` shows it.")
def revoke(environment: str, terminal: str, only: str | None) -> None:
    """Shut TERMINAL out: IoT Core ends its connections within minutes and takes no new one."""
    with _answering():
        today = datetime.now(UTC).date()
        for certificate in _registry(environment).revoke(terminal, only, today=today):
            click.echo(f"{terminal}: {certificate.id} is revoked.")


@cli.command(name="list")
@click.argument("environment")
def show(environment: str) -> None:
    """Every terminal with its certificates, a line each."""
    with _answering():
        registry = _registry(environment)
        for terminal in registry.terminals():
            stands = registry.certificates(terminal)
            for certificate in stands:
                click.echo(f"{terminal}  {certificate.status}  {certificate.id}")
            if not stands:
                click.echo(f"{terminal}  SHUT OUT")


def _hand_over(registry: Registry, issued: Issued, into: Path) -> None:
    """The files first: a certificate that works and that nobody has would be of no use."""
    into.mkdir(parents=True, exist_ok=True)
    (into / "certificate.pem").write_text(issued.pem)
    told: dict[str, Any] = {
        "certificate_id": issued.id,
        "client_id": issued.client_id,
        "endpoint": issued.endpoint,
        "port": 8883,
        "topics": issued.topics,
    }
    (into / "terminal.json").write_text(json.dumps(told, indent=2) + "\n")
    registry.activate(issued)
    click.echo(f"{issued.client_id} may speak by {issued.id}; bring it what is in {into}.")


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UnfitRequestError(
            f"{file} is no file in PEM: bring the request that the terminal made."
        ) from error


def _registry(environment: str) -> Registry:
    iot: Any = boto3.Session().client("iot", config=_PATIENCE)
    return Registry(iot=iot, environment=environment)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (RegistryError, UnfitRequestError) as refused:
        click.echo(str(refused), err=True)
        sys.exit(REFUSED)
    except OSError as failure:
        click.echo(
            f"The files could not be written ({failure}): choose another folder, and type it again.", err=True
        )
        sys.exit(REFUSED)
    except (BotoCoreError, ClientError) as failure:
        click.echo(f"IoT Core could not be asked: {failure}", err=True)
        sys.exit(UNREACHABLE)
