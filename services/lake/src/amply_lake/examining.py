"""Dry run over files before a release: whether they can form a batch, and whose records they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amply_lake.batching import without_repetitions
from amply_lake.engine import engine
from amply_lake.errors import NoRowsError
from amply_lake.limits import Limits
from amply_lake.policy import Policy
from amply_lake.sources import identify, open_source
from amply_lake.statements import value_of


@dataclass(frozen=True, slots=True)
class Examined:
    """The files' distinct rows and, if requested, the people in them."""

    rows: int
    people: frozenset[str] = frozenset()


def examine(paths: Sequence[Path], policy: Policy, limits: Limits, *, people: bool = False) -> Examined:
    """Read files as for a batch. No rows are no error here.

    Raises:
        SourceError: A file is not what the policy says, or two rows that differ have one key.
    """
    with engine(limits) as db:
        try:
            open_source(db, identify(paths, limits), policy, limits)
        except NoRowsError:
            return Examined(0)
        relation = without_repetitions(db, policy.row_key) if policy.row_key else "source"
        ((rows,),) = db.execute(f"SELECT count(*) FROM {relation}").fetchall()
        if not people:
            return Examined(int(rows))
        person, _ = policy.person
        value = value_of(person)
        found = db.execute(f"SELECT DISTINCT {value} FROM {relation} WHERE {value} <> ''").fetchall()
        return Examined(int(rows), frozenset(str(row[0]) for row in found))
