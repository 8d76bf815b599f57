"""Finding all that the ledger holds behind its commitments to one person."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import AmplyError
from amply.modules.ledger.commitments import CommitmentSecrets

_BATCH: Final = 1_000

_PIECE: Final = text("""
    SELECT entry_id, sealed FROM opening WHERE entry_id > :after ORDER BY entry_id LIMIT :batch
""")

_HORIZON: Final = text("SELECT pg_snapshot_xmin(pg_current_snapshot())")

_SINCE: Final = text("""
    SELECT opening.entry_id, opening.sealed
    FROM entry
    JOIN opening ON opening.entry_id = entry.id
    WHERE entry.xid >= CAST(:horizon AS xid8)
""")

_FOLLOWING: Final = text("""
    WITH RECURSIVE about AS (
        SELECT unnest(CAST(:entry_ids AS text[])) AS id
        UNION
        SELECT entry.id FROM entry JOIN about ON entry.reverses = about.id OR entry.supersedes = about.id
    )
    SELECT id FROM about
""")


class OpeningsUnreadable(AmplyError):
    """Openings exist that this process's key does not open."""

    code = "openings_unreadable"
    title = "The ledger's openings cannot be read"


@dataclass(frozen=True, kw_only=True)
class EntriesAbout:
    """Entries that were found, and the transaction from which on others may have been posted meanwhile."""

    entry_ids: frozenset[str]
    horizon: int


def entries_about(database: Database, *, secrets: CommitmentSecrets, traces: Collection[str]) -> EntriesAbout:
    """The entries behind whose commitments one of these texts stands, and all that reverse or correct them.

    A text matches a value, whatever its case, or the last name in a reference (`stripe:refund:re_…`). Every opening is
    unsealed and looked at: no index tells whom an entry is about, so this takes a minute for a few million entries.

    Raises:
        OpeningsUnreadable: This is not the key they were sealed with.
    """
    with database.transaction() as session:
        horizon = int(session.scalars(_HORIZON).one())
    found = _matching(_all(database), secrets, traces)
    with database.transaction() as session:
        following = session.scalars(_FOLLOWING, {"entry_ids": sorted(found)})
        return EntriesAbout(entry_ids=frozenset(following), horizon=horizon)


def entries_about_since(
    session: Session, *, secrets: CommitmentSecrets, traces: Collection[str], horizon: int
) -> set[str]:
    """Ids of such entries posted since `entries_about` began; the caller keeps more from being posted.

    Raises:
        OpeningsUnreadable: As there.
    """
    return _matching(session.execute(_SINCE, {"horizon": str(horizon)}), secrets, traces)


def _all(database: Database) -> Iterator[Any]:
    after = ""
    while True:
        with database.transaction() as session:
            rows = session.execute(_PIECE, {"after": after, "batch": _BATCH}).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].entry_id


def _matching(rows: Iterable[Any], secrets: CommitmentSecrets, traces: Collection[str]) -> set[str]:
    sought = {trace.casefold() for trace in traces}
    return {
        row.entry_id
        for row in rows
        if any(
            value.casefold() in sought or value.rpartition(":")[2].casefold() in sought
            for value in _values(row, secrets)
        )
    }


def _values(row: Any, secrets: CommitmentSecrets) -> list[str]:
    try:
        openings = secrets.unseal(bytes(row.sealed), entry_id=row.entry_id)
    except InvalidTag as failure:
        raise OpeningsUnreadable(
            f"The openings of {row.entry_id} do not open with this key: "
            "run the command with the commitment key of the worker."
        ) from failure
    return [opening.value for opening in openings.values()]
