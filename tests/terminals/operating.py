"""The operator's command and a terminal, against a local run's emulated cloud."""

from pathlib import Path

import httpx2
from click.testing import CliRunner, Result

from local_cloud.settings import REGION, Settings
from operations.terminals.cli import cli
from tests.terminals.device import Device, make_request


def operate(settings: Settings, *arguments: str) -> Result:
    """The command, as a person types it."""
    return CliRunner().invoke(
        cli,
        arguments,
        env={
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": settings.cloud_url,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
    )


def register(settings: Settings, environment: str, terminal: str, folder: Path) -> Path:
    """A terminal with its key, its certificate and what it is told, all in the folder."""
    request = make_request(folder)
    done = operate(settings, "register", environment, terminal, "--csr", str(request), "--into", str(folder))
    assert done.exit_code == 0, done.output
    return folder


def connect(settings: Settings, folder: Path, client_id: str) -> Device:
    authority = httpx2.get(f"{settings.cloud_url}/_ministack/iot/ca.pem").text
    return Device(folder, authority=authority, port=settings.ports.terminals, client_id=client_id)
