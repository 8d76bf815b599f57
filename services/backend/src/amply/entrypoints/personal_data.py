"""Everything that the vault keeps sealed: what the worker tends, and what a command counts."""

from collections.abc import Callable
from typing import Any

import structlog

from amply.entrypoints import task_names
from amply.infra.vault.tending import Tended, tend
from amply.kernel.clock import Clock
from amply.modules import (
    applications,
    donations,
    federation,
    giving,
    members,
    onboarding,
    organizations,
    people,
    receipts,
    recurring,
    scim,
)

_log = structlog.get_logger()


def tended(key: people.PeopleKey) -> tuple[Tended, ...]:
    """All kinds of rows with something sealed by an envelope key. One that stood in none would lose its old keys."""
    return (
        people.tended(key),
        federation.tended(key),
        scim.tended(key),
        *donations.tended(),
        *receipts.tended(),
        recurring.tended(),
        giving.tended(),
        *applications.tended(),
        members.tended(),
        onboarding.tended(),
        organizations.tended(),
    )


def about_people(parts: people.Writing, *, clock: Clock) -> tuple[tuple[str, Callable[..., None]], ...]:
    """The worker's tasks: the letters about people's accounts, and keeping everybody's data sealed by the newest keys."""

    def send_letters(**_: Any) -> None:
        sent = people.send_letters(parts, now=clock())
        if sent:
            _log.info("person_letters_sent", count=sent)

    def keep_sealed(**_: Any) -> None:
        tend(parts.database, tended(parts.key), now=clock())

    return ((task_names.SEND_PERSON_LETTERS, send_letters), (task_names.TEND_PERSONAL, keep_sealed))
