"""Finds and erases the openings of all commitments to one person.

An opening says whose gift it is of, and that finds it. Those of which that is not looked up yet are read, one after the other.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.vault import Keyring, keyring_of
from amply.kernel.errors import AmplyError
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.openings import read

_BATCH: Final = 1_000

_PIECE: Final = text("""
    SELECT entry_id, sealed
    FROM opening
    WHERE donation_id IS NULL AND entry_id > :after
    ORDER BY entry_id
    LIMIT :batch
""")

_HORIZON: Final = text("SELECT pg_snapshot_xmin(pg_current_snapshot())")

_SINCE: Final = text("""
    SELECT opening.entry_id, opening.sealed
    FROM entry
    JOIN opening ON opening.entry_id = entry.id
    WHERE entry.xid >= CAST(:horizon AS xid8) AND opening.donation_id IS NULL
""")

_ABOUT: Final = text("""
    WITH RECURSIVE about AS (
        SELECT unnest(CAST(:entry_ids AS text[])) AS id
        UNION
        SELECT entry_id FROM opening WHERE donation_id = ANY(CAST(:donation_ids AS text[]))
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
class UnassignedOpenings:
    """Openings that are not assigned to a gift yet.

    Attributes:
        found: By a text that was looked for, the entries behind whose commitments it stands.
        horizon: The transaction from which on others may have been posted meanwhile.
    """

    found: Mapping[str, frozenset[str]]
    horizon: int

    def about(self, traces: Collection[str]) -> set[str]:
        """The entries behind whose commitments one of these texts stands."""
        return {each for trace in traces for each in self.found.get(trace.casefold(), ())}


def search(database: Database, *, secrets: CommitmentSecrets, traces: Collection[str]) -> UnassignedOpenings:
    """Look for all of these texts at once in the openings whose gift is not known.

    A text matches a value, whatever its case, or the last name in a reference (`stripe:refund:re_…`). Until the worker has been
    through them, these may be all there are: some million take a minute, however many texts are looked for.

    Raises:
        OpeningsUnreadable: This is not the key they were sealed with.
    """
    with database.transaction() as session:
        horizon = int(session.scalars(_HORIZON).one())
    return UnassignedOpenings(
        found=_matching(_unlinked(database), database.keyring, secrets, traces), horizon=horizon
    )


def entries_about(
    session: Session,
    *,
    secrets: CommitmentSecrets,
    donation_ids: Collection[str],
    traces: Collection[str],
    searched: UnassignedOpenings,
) -> set[str]:
    """The entries about these gifts, those that were posted since `search` began, and all that reverse or correct them.

    The caller keeps more from being posted.

    Raises:
        OpeningsUnreadable: As there.
    """
    since = session.execute(_SINCE, {"horizon": str(searched.horizon)})
    later = _matching(since, keyring_of(session), secrets, traces)
    named = searched.about(traces).union(*later.values())
    values = {"entry_ids": sorted(named), "donation_ids": sorted(donation_ids)}
    return set(session.scalars(_ABOUT, values))


def _unlinked(database: Database) -> Iterator[Any]:
    after = ""
    while True:
        with database.transaction() as session:
            rows = session.execute(_PIECE, {"after": after, "batch": _BATCH}).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].entry_id


def _matching(
    rows: Iterable[Any], keyring: Keyring | None, secrets: CommitmentSecrets, traces: Collection[str]
) -> dict[str, frozenset[str]]:
    sought = {trace.casefold() for trace in traces}
    found: dict[str, set[str]] = {}
    for row in rows:
        for value in _values(row, keyring, secrets):
            for said in {value.casefold(), value.rpartition(":")[2].casefold()} & sought:
                found.setdefault(said, set()).add(row.entry_id)
    return {said: frozenset(entry_ids) for said, entry_ids in found.items()}


def _values(row: Any, keyring: Keyring | None, secrets: CommitmentSecrets) -> list[str]:
    try:
        openings = read(keyring, bytes(row.sealed), entry_id=row.entry_id, secrets=secrets)
    except InvalidTag as failure:
        raise OpeningsUnreadable(
            f"The openings of {row.entry_id} do not open with this key: "
            "run the command with the commitment key of the worker."
        ) from failure
    return [opening.value for opening in openings.values()]
