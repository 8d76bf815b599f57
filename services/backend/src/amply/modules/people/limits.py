"""Attempt limits by network and by account, designed so that a stranger cannot lock anybody out.

Strangers share an account's allowance. A device that has been signed in to the account before has one of its own, and so
does whoever opens a link from a letter: what strangers use up is not theirs (OWASP, device cookies).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import redis

from amply.infra.cache import log_unavailable
from amply.infra.counters import Counters, Hit
from amply.infra.database import forbid_transaction
from amply.kernel.errors import TooManyRequests
from amply.modules.access import SignInUnavailable


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Maximum attempts in a sliding window."""

    name: str
    most: int
    window: timedelta


OF_ADDRESS: Final = Limit(name="people_of_address", most=60, window=timedelta(minutes=5))
"""Unauthenticated attempts from one IP address, behind which may be a school."""
ASKING: Final = Limit(name="people_asking", most=20, window=timedelta(hours=1))
"""Requests for registration and password reset from one IP address."""
LETTERS: Final = Limit(name="people_letters", most=3, window=timedelta(hours=1))
"""Letters of one kind to one mailbox, so that nobody can flood it. Excess requests get the same response, and no letter."""
PASSWORDS_OF_STRANGERS: Final = Limit(
    name="people_passwords_of_strangers", most=10, window=timedelta(minutes=15)
)
PASSWORDS_OF_DEVICE: Final = Limit(name="people_passwords_of_device", most=10, window=timedelta(minutes=15))
CODES: Final = Limit(name="people_codes", most=5, window=timedelta(minutes=5))
"""Second-factor attempts by account: a six-digit code is valid for about 30 seconds."""
CONFIRMATIONS: Final = Limit(name="people_confirmations", most=10, window=timedelta(minutes=15))
LINKS: Final = Limit(name="people_links", most=10, window=timedelta(minutes=15))
"""Password attempts with one link."""


def _nobody() -> None:
    pass


def admit(
    counters: Counters,
    *asked: tuple[Limit, str],
    now: datetime,
    told: Callable[[], None] = _nobody,
) -> None:
    """Count an attempt for each key (without plain personal data), and raise above the limit.

    `told` hears of the first one that was too many, and of no more as long as they go on; of a network address's it hears
    nothing.

    Raises:
        TooManyRequests: One of them was asked for too often.
        SignInUnavailable: It cannot be counted. Passwords are not tried uncounted.
    """
    over = _over(counters, asked, now=now)
    if over is not None:
        limit, number = over
        if number <= limit.most + 1 and limit is not OF_ADDRESS:
            told()
        minutes = max(1, round(limit.window.total_seconds() / 60))
        raise TooManyRequests(
            f"Too many attempts: wait {minutes} minutes and try again.",
            retry_after_seconds=int(limit.window.total_seconds()),
        )


def allows(counters: Counters, limit: Limit, key: str, *, now: datetime) -> bool:
    """Count an attempt, and return whether it is within the limit, for responses that must not differ.

    Raises:
        SignInUnavailable: It cannot be counted.
    """
    return _over(counters, ((limit, key),), now=now) is None


def _over(
    counters: Counters, asked: tuple[tuple[Limit, str], ...], *, now: datetime
) -> tuple[Limit, float] | None:
    forbid_transaction("counting attempts")
    hits = [Hit(name=limit.name, key=key, window=limit.window) for limit, key in asked]
    try:
        counted = counters.count(hits, now=now)
    except (redis.RedisError, OSError) as error:
        log_unavailable(error, without="counting attempts to sign in")
        raise SignInUnavailable("Signing in does not work just now: try again in a moment.") from error
    for (limit, _), number in zip(asked, counted.numbers, strict=True):
        if number > limit.most:
            return limit, number
    return None
