"""Lambda handler for Secrets Manager. The result is one JSON log line; an exception makes it retry."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from amply_rotation.errors import RotationRefused
from amply_rotation.server import Server
from amply_rotation.steps import Rotation
from amply_rotation.versions import Secret

_LIMITS: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})


def handler(event: Mapping[str, str], _context: Any) -> None:
    """Do the step that `event` names (`Step`, `SecretId`, `ClientRequestToken`).

    Raises:
        RotationRefused: The event is about another secret, or the secret awaits no such step.
        PasswordUnknown: The database accepts no password of the secret.
    """
    step, secret, token = (event.get(key, "") for key in ("Step", "SecretId", "ClientRequestToken"))
    if secret != os.environ["AMPLY_SECRET_ARN"]:
        raise RotationRefused("This function rotates one secret, and this is another.")
    client = boto3.client("secretsmanager", config=_LIMITS)
    Rotation(secret=Secret(client, secret), server=_server(), token=token).run(step)
    sys.stdout.write(json.dumps({"event": "rotation_step_done", "step": step, "version": token}) + "\n")


def _server() -> Server:
    return Server(
        host=os.environ["AMPLY_DATABASE_HOST"],
        port=int(os.environ["AMPLY_DATABASE_PORT"]),
        name=os.environ["AMPLY_DATABASE_NAME"],
        roots=Path(os.environ["AMPLY_DATABASE_ROOTS"]),
    )
