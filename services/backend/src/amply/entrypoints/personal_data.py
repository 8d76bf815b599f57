"""All rows with encrypted personal data, for key rotation by the worker and for counting by a command."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog

from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.vault.reencryption import SealedRows, reencrypt
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


def sealed_rows(
    key: people.PeopleKey, secrets: ledger.CommitmentSecrets | None = None
) -> tuple[SealedRows, ...]:
    """All tables with values encrypted by envelope keys. Values of a missing table would lose their old keys.

    `secrets`: who seals anew needs them, and who only counts does not.
    """
    return (
        people.sealed_rows(key),
        federation.sealed_rows(key),
        scim.sealed_rows(key),
        *of_donors(secrets),
        *applications.sealed_rows(),
        members.sealed_rows(),
        onboarding.sealed_rows(),
        organizations.sealed_rows(),
        webhook_endpoints.sealed_rows(),
    )


def of_donors(secrets: ledger.CommitmentSecrets | None = None) -> tuple[SealedRows, ...]:
    """Tables erased with a donor: encrypted under leaves of the donors' key tree.

    Gifts come first: what goes with one is sealed under its leaf. `secrets` as above.
    """
    return (
        *donations.sealed_rows(),
        donations.sealed_openings(secrets),
        recurring.sealed_rows(),
        *receipts.sealed_rows(),
        giving.sealed_rows(),
        sharing.sealed_rows(),
    )


def keep_sealed(database: Database, kinds: Sequence[SealedRows], *, now: datetime) -> None:
    """Finish interrupted erasures, empty old trees, and re-encrypt rows. A failure of one stops no other.

    Outside transactions. Raises the first error, once all was tried.
    """
    steps: tuple[Callable[[], object], ...] = (
        lambda: finish_what_was_left(database, of_donors(), now=now),
        lambda: let_go_of_trees(database, now=now),
        lambda: reencrypt(database, kinds, now=now),
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

    def reencrypt_personal(**_: Any) -> None:
        keep_sealed(parts.database, sealed_rows(parts.key, secrets), now=clock())

    return (
        (task_names.SEND_PERSON_LETTERS, send_letters),
        (task_names.NOTE_ERASED, note_erased),
        (task_names.REENCRYPT_PERSONAL, reencrypt_personal),
    )
