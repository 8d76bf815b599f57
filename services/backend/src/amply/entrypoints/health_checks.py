"""The API's dependencies that `/health/deep` checks. Queues, mail and most buckets are other processes' dependencies.

Of keys it reaches the one of personal data, which is not asked here: whoever has what it opens goes on without it.
"""

import socket
import urllib.parse
from typing import Final

import redis

from amply.entrypoints.application import database_part
from amply.entrypoints.deep_health import DeepHealth, Part
from amply.infra.database import Database
from amply.infra.settings import StripeSettings

_SECONDS_MAX: Final = 2
_OTHERS: Final = ("storage", "queues", "keys", "mail")
"""S3, SQS, KMS and SES: other processes use them, and alarms watch what becomes of that (docs/runbooks)."""


def deep_health(database: Database, cache: redis.Redis, stripe: StripeSettings) -> DeepHealth:
    """Checks of the database, cache, processor and DNS."""
    return DeepHealth(
        [
            database_part(database),
            Part(name="cache", ask=cache.ping),
            Part(name="processor", ask=lambda: _reach(stripe.api_url), is_needed=True),
            Part(name="names", ask=lambda: _resolve(stripe.api_url)),
            *(Part(name=name, ask=None) for name in _OTHERS),
        ]
    )


def _reach(url: str) -> None:
    """Without a key: that it takes a connection is enough, and counts against no limit of our account."""
    host, port = _place(url)
    with socket.create_connection((host, port), timeout=_SECONDS_MAX):
        pass


def _resolve(url: str) -> None:
    host, port = _place(url)
    socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _place(url: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
