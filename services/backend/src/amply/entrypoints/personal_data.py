"""All rows with encrypted personal data, for key rotation by the worker and for counting by a command."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog

from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.vault.reencryption import SealedRows, tend
from amply.infra.vault.shredding import finish_what_was_left, let_go_of_trees
from amply.kernel.clock import Clock
from amply.modules import (
    applications,
    donations,
    federation,
    giving,
    ledger,
    members,
    onboarding,
    organizations,
    people,
    receipts,
    recurring,
    scim,
    sharing,
    webhook_endpoints,
)

_log = structlog.get_logger()


def tended(key: people.PeopleKey, secrets: ledger.CommitmentSecrets | None = None) -> tuple[SealedRows, ...]:
    """All tables with values encrypted by envelope keys. Values of a missing table would lose their old keys.

    `secrets`: who seals anew needs them, and who only counts does not.
    """
    return (
        people.tended(key),
        federation.tended(key),
        scim.tended(key),
        *of_donors(secrets),
        *applications.tended(),
        members.tended(),
        onboarding.tended(),
        organizations.tended(),
        webhook_endpoints.tended(),
    )


def of_donors(secrets: ledger.CommitmentSecrets | None = None) -> tuple[SealedRows, ...]:
    """Tables erased with a donor: encrypted under leaves of the donors' key tree.

    Gifts come first: what goes with one is sealed under its leaf. `secrets` as above.
    """
    return (
        *donations.tended(),
        donations.tended_openings(secrets),
        recurring.tended(),
        *receipts.tended(),
        giving.tended(),
        sharing.tended(),
    )


def keep_sealed(database: Database, kinds: Sequence[SealedRows], *, now: datetime) -> None:
    """Finish interrupted erasures, empty old trees, and re-encrypt rows. A failure of one stops no other.

    Outside transactions. Raises the first error, once all was tried.
    """
    steps: tuple[Callable[[], object], ...] = (
        lambda: finish_what_was_left(database, of_donors(), now=now),
        lambda: let_go_of_trees(database, now=now),
        lambda: tend(database, kinds, now=now),
    )
    failed: list[Exception] = []
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 -- raised below, once the others had their turn
            _log.exception("personal_data_not_kept")
            failed.append(error)
    if failed:
        raise failed[0]


def people_tasks(
    parts: people.PeopleTaskDependencies, secrets: ledger.CommitmentSecrets, *, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Tasks of people: account letters, recording erasures, and key rotation of all personal data."""

    def send_letters(**_: Any) -> None:
        sent = people.send_letters(parts, now=clock())
        if sent:
            _log.info("person_letters_sent", count=sent)

    def note_erased(**_: Any) -> None:
        noted = people.note_erased(parts.database, parts.listed, now=clock())
        if noted:
            _log.info("erased_people_noted", count=noted)

    def tend_personal(**_: Any) -> None:
        keep_sealed(parts.database, tended(parts.key, secrets), now=clock())

    return (
        (task_names.SEND_PERSON_LETTERS, send_letters),
        (task_names.NOTE_ERASED, note_erased),
        (task_names.TEND_PERSONAL, tend_personal),
    )
