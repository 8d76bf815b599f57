"""Finding all that the ledger holds behind its commitments to one person, and forgetting it."""

from collections.abc import Collection, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from amply.infra.database import Database
from amply.kernel.errors import AmplyError
from amply.modules.ledger.commitments import CommitmentSecrets

_BATCH: Final = 1_000

_PIECE: Final = text("""
    SELECT entry_id, sealed FROM opening WHERE entry_id > :after ORDER BY entry_id LIMIT :batch
""")

_REVERSING: Final = text("""
    WITH RECURSIVE about AS (
        SELECT unnest(CAST(:entry_ids AS text[])) AS id
        UNION
        SELECT entry.id FROM entry JOIN about ON entry.reverses = about.id
    )
    SELECT id FROM about
""")


class OpeningsUnreadable(AmplyError):
    """Openings exist that this process's key does not open."""

    code = "openings_unreadable"
    title = "The ledger's openings cannot be read"


def entries_about(database: Database, *, secrets: CommitmentSecrets, traces: Collection[str]) -> set[str]:
    """Ids of the entries behind whose commitments one of these texts stands, and of all entries that reverse them.

    A text matches a value, whatever its case, or the last name in a reference (`stripe:refund:re_…`). Every opening is
    unsealed and looked at: no index tells whom an entry is about, so this takes a minute for a few million entries.

    Raises:
        OpeningsUnreadable: This is not the key they were sealed with.
    """
    sought = {trace.casefold() for trace in traces}
    found = {
        entry_id
        for entry_id, values in _opened(database, secrets)
        if any(
            value.casefold() in sought or value.rpartition(":")[2].casefold() in sought for value in values
        )
    }
    with database.transaction() as session:
        return set(session.scalars(_REVERSING, {"entry_ids": sorted(found)}))


def _opened(database: Database, secrets: CommitmentSecrets) -> Iterator[tuple[str, list[str]]]:
    after = ""
    while True:
        with database.transaction() as session:
            rows = session.execute(_PIECE, {"after": after, "batch": _BATCH}).all()
        if not rows:
            return
        for row in rows:
            try:
                openings = secrets.unseal(bytes(row.sealed), entry_id=row.entry_id)
            except InvalidTag as failure:
                raise OpeningsUnreadable(
                    f"The openings of {row.entry_id} do not open with this key: "
                    "run the command with the commitment key of the worker."
                ) from failure
            yield row.entry_id, [opening.value for opening in openings.values()]
        after = rows[-1].entry_id
