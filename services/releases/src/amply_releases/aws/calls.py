"""What all calls have in common: how long they may take, and how what they refuse is told apart."""

from typing import Final

from botocore.config import Config
from botocore.exceptions import ClientError

LIMITS: Final = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})


def code(error: ClientError) -> str:
    """The name AWS has for it."""
    return str(error.response.get("Error", {}).get("Code", ""))
