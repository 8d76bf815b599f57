"""Shared client configuration (timeouts, retries), and classification of errors."""

from typing import Final

from botocore.config import Config
from botocore.exceptions import ClientError

LIMITS: Final = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})


def code(error: ClientError) -> str:
    """The name AWS has for it."""
    return str(error.response.get("Error", {}).get("Code", ""))
