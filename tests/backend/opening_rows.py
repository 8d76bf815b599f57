"""Reads stored openings of commitments, and rewrites them in the previous release's format."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select, text

from amply.infra.database import Database
from amply.infra.vault import head_of
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.openings import OpeningRow, inner_of, is_under_leaves, read
from tests.backend.conftest import Databases
from tests.backend.key_service import keyring

_AS_BEFORE: Final = text("UPDATE opening SET sealed = :sealed, donation_id = NULL WHERE entry_id = :entry_id")


def openings(database: Database) -> dict[str, bytes]:
    """Each entry's, by its id: copies, as a backup has them."""
    with database.transaction() as session:
        rows = session.scalars(select(OpeningRow).order_by(OpeningRow.entry_id))
        return {row.entry_id: bytes(row.sealed) for row in rows}


def leaves(database: Database) -> set[tuple[int, int] | None]:
    """Version and leaf of all of them; None of what is under none."""
    found = [head_of(each) if is_under_leaves(each) else None for each in openings(database).values()]
    return {None if head is None or head.leaf is None else (head.version, head.leaf) for head in found}


def linked(database: Database) -> set[str | None]:
    """The gifts that they say they are of."""
    with database.transaction() as session:
        return set(session.scalars(select(OpeningRow.donation_id)))


def said(
    database: Database, copies: Mapping[str, bytes], *, secrets: CommitmentSecrets, bucket: str
) -> dict[str, dict[str, str]]:
    """What copies say to a process that starts now, with all keys there are: fields and values by entry."""
    keys = keyring(database, bucket=bucket)
    return {
        entry_id: {
            name: opening.value
            for name, opening in read(keys, sealed, entry_id=entry_id, secrets=secrets).items()
        }
        for entry_id, sealed in copies.items()
    }


def as_before(databases: Databases, database: Database) -> None:
    """Every opening as the release before wrote it: under no leaf, and without its gift."""
    inner = {
        entry_id: inner_of(database.keyring, sealed, entry_id=entry_id)
        for entry_id, sealed in openings(database).items()
    }
    master = databases.as_role("master")
    with master.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for entry_id, sealed in inner.items():
            connection.execute(_AS_BEFORE, {"entry_id": entry_id, "sealed": sealed})
    master.close()
