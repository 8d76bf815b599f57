"""No more is taken back than was given: the takings of all shares, in order, on disk.

A taking is what one entry takes back from one account of the entry it reverses. What a reversal of that reversal gives
back counts against it, so a refund that failed does not use up the gift. Fields of a line, parted by tabs:

    entry  account  currency  side  index  amount  given  by

`side` is the side on which `entry` itself moved the account; `index` and `by` name the entry that takes; `amount` is in
minor units, and negative when given back. `given` is how much `entry` moved there, when `by` reverses it; otherwise
`back` (by reversing a reversal of it) or `late` (by posting what a reversal of it had reserved).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from amply_verify.auditing.damage import breach, broken_rule

_TABLES: Final = """
    CREATE TABLE taking (entry TEXT, account TEXT, currency TEXT, side TEXT, idx INTEGER, amount TEXT, given TEXT, by TEXT)
"""
_FILL: Final = "INSERT INTO taking VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_IN_ORDER: Final = """
    SELECT entry, account, currency, side, amount, given, by FROM taking
    ORDER BY entry, account, currency, side, idx
"""
# What a late posting takes from a reversal, the reversal no longer takes from what it reversed.
_LATE_AND_BACK: Final = """
    INSERT INTO taking
    SELECT DISTINCT
        own.entry, own.account, own.currency, own.side, late.idx, CAST(-CAST(late.amount AS INTEGER) AS TEXT), 'back',
        late.by
    FROM taking AS late
    JOIN taking AS own ON own.by = late.entry AND own.given NOT IN ('back', 'late')
        AND own.account = late.account AND own.currency = late.currency AND own.side <> late.side
    WHERE late.given = 'late'
"""
# A reversal may itself be taken back, as when a refund fails; to take that back again, a new refund is made instead.
# Without this rule a chain of entries that undo each other could hide what has been taken in all.
_TOO_DEEP: Final = """
    SELECT taking.by, taking.entry
    FROM taking
    WHERE taking.given = 'back'
      AND EXISTS (SELECT 1 FROM taking AS own WHERE own.by = taking.entry AND own.given NOT IN ('back', 'late'))
    LIMIT 1
"""


def check_takings(folder: Path, files: Iterable[Path]) -> None:
    """Hold every reversal against what it reverses.

    Raises:
        CheckFailure: More was taken back than was given, or a reversal's reversal was reversed.
    """
    paths = list(files)
    if not paths:
        return
    with closing(sqlite3.connect(folder / "takings.sqlite")) as database:
        # A scratch file: nobody reads it after a crash. Sorting spills to disk as well.
        database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
        )
        database.execute(_TABLES)
        for path in paths:
            database.executemany(_FILL, _rows(path))
            path.unlink()
        database.execute("CREATE INDEX by_taker ON taking (by)")
        database.execute(_LATE_AND_BACK)
        _refuse_deep(database)
        _refuse_excess(database)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="ascii") as file:
        for line in file:
            yield line.rstrip("\n").split("\t")


def _refuse_deep(database: sqlite3.Connection) -> None:
    found = database.execute(_TOO_DEEP).fetchone()
    if found is not None:
        by, original = found
        raise broken_rule(
            f"{by} reverses the reversal of {original}, which is a reversal itself; nothing can be undone so often"
        )


def _refuse_excess(database: sqlite3.Connection) -> None:
    place: tuple[str, ...] = ()
    taken, given = 0, None
    for entry, account, currency, side, amount, capacity, by in database.execute(_IN_ORDER):
        if (entry, account, currency, side) != place:
            place, taken, given = (entry, account, currency, side), 0, None
        if capacity not in {"back", "late"}:
            given = int(capacity)
        taken += int(amount)
        if given is not None and taken > given:
            raise breach(
                f"with {by}, {taken} minor units of {currency} have been taken back on {account} from {entry}, "
                f"which moved {given}"
            )
