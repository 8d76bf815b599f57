"""No more is taken back than was given: the lines of reversals of all shares, in order, on disk.

A line says what one entry takes back from one account of the entry it reverses. What a reversal of that reversal gives
back counts against it, so a refund that failed does not use up the gift. Fields of a line, parted by tabs:

    entry  account  currency  side  index  amount  given  by

`side` is the side on which `entry` itself moved the account; `index` and `by` name the entry that takes; `amount` is in
minor units, and negative when given back. `given` is how much `entry` moved there, when `by` reverses it; otherwise
`back` (by reversing a reversal of it) or `late` (by posting what a reversal of it had reserved).
"""

import dataclasses
import itertools
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from amply_verify.auditing.damage import broken_rule

MAX_BREACHES_TOLD: Final = 100
"""How many breaches a report tells one by one; all are counted."""

MAX_ACCOUNTS_OF_A_BREACH: Final = 20
"""On how many accounts a report tells one breach."""


@dataclasses.dataclass(frozen=True, slots=True)
class Excess:
    """What a breach comes to on one account: taken back in all by then, of what was given (minor units).

    `side` is the one that the original moved, `debit` or `credit`.
    """

    account: str
    currency: str
    side: str
    taken: int
    given: int


@dataclasses.dataclass(frozen=True, slots=True)
class Breach:
    """Entry `by`, at `index`, took something back from `entry`, and then more was taken back than it had given."""

    entry: str
    by: str
    index: int
    excesses: tuple[Excess, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Breaches:
    """How many there are, and the first of them in the log's order."""

    count: int = 0
    told: tuple[Breach, ...] = ()


_TABLES: Final = """
    CREATE TABLE reversal_line (entry TEXT, account TEXT, currency TEXT, side TEXT, idx INTEGER, amount TEXT, given TEXT, by TEXT);
    CREATE TABLE excess (
        idx INTEGER, by TEXT, entry TEXT, account TEXT, currency TEXT, side TEXT, taken TEXT, given TEXT
    );
"""
_FILL: Final = "INSERT INTO reversal_line VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_IN_ORDER: Final = """
    SELECT entry, account, currency, side, idx, by, amount, given FROM reversal_line
    ORDER BY entry, account, currency, side, idx
"""
# What a late posting takes from a reversal, the reversal no longer takes from what it reversed.
_LATE_AND_BACK: Final = """
    INSERT INTO reversal_line
    SELECT DISTINCT
        own.entry, own.account, own.currency, own.side, late.idx, CAST(-CAST(late.amount AS INTEGER) AS TEXT), 'back',
        late.by
    FROM reversal_line AS late
    JOIN reversal_line AS own ON own.by = late.entry AND own.given NOT IN ('back', 'late')
        AND own.account = late.account AND own.currency = late.currency AND own.side <> late.side
    WHERE late.given = 'late'
"""
_FOUND: Final = "INSERT INTO excess VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_FIRST_BREACHES: Final = """
    SELECT idx, by, entry FROM excess
    GROUP BY idx, by, entry
    ORDER BY idx, entry
    LIMIT ?
"""
_OF_A_BREACH: Final = """
    SELECT account, currency, side, taken, given FROM excess
    WHERE idx = ? AND entry = ?
    ORDER BY account, currency, side
    LIMIT ?
"""
# A reversal may itself be taken back, as when a refund fails; to take that back again, a new refund is made instead.
# Without this rule a chain of entries that undo each other could hide what has been taken in all.
_TOO_DEEP: Final = """
    SELECT reversal_line.by, reversal_line.entry
    FROM reversal_line
    WHERE reversal_line.given = 'back'
      AND EXISTS (SELECT 1 FROM reversal_line AS own WHERE own.by = reversal_line.entry AND own.given NOT IN ('back', 'late'))
    LIMIT 1
"""


def check_reversals(folder: Path, files: Iterable[Path]) -> Breaches:
    """Hold every reversal against what it reverses, and find where more was taken back than was given.

    Raises:
        CheckFailure: A reversal's reversal was reversed.
    """
    paths = list(files)
    if not paths:
        return Breaches()
    with closing(sqlite3.connect(folder / "reversals.sqlite")) as database:
        # A scratch file: nobody reads it after a crash. Sorting spills to disk as well.
        database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
        )
        database.executescript(_TABLES)
        for path in paths:
            database.executemany(_FILL, _rows(path))
            path.unlink()
        database.execute("CREATE INDEX by_reversal ON reversal_line (by)")
        database.execute(_LATE_AND_BACK)
        _refuse_deep(database)
        return _breaches(database)


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


def _excesses(database: sqlite3.Connection) -> Iterator[tuple[int, str, str, str, str, str, str, str]]:
    """Where an entry took something back and left more taken than given: a row of the table for it."""
    in_order = database.execute(_IN_ORDER)
    for place, lines in itertools.groupby(in_order, key=lambda row: row[:4]):
        taken, given = 0, None
        # What one entry takes and gives back at a place counts together: the rule holds after every entry.
        for (index, by), rows in itertools.groupby(lines, key=lambda row: row[4:6]):
            parts = [(int(amount), capacity) for *_, amount, capacity in rows]
            moved = sum(amount for amount, _ in parts)
            taken += moved
            given = next((int(capacity) for _, capacity in parts if capacity not in {"back", "late"}), given)
            if given is not None and moved > 0 and taken > given:
                yield index, by, *place, str(taken), str(given)


def _breaches(database: sqlite3.Connection) -> Breaches:
    database.executemany(_FOUND, _excesses(database))
    database.execute("CREATE INDEX by_index ON excess (idx, entry)")
    (count,) = database.execute("SELECT count(*) FROM (SELECT DISTINCT idx, entry FROM excess)").fetchone()
    first = database.execute(_FIRST_BREACHES, (MAX_BREACHES_TOLD,)).fetchall()
    told = (Breach(entry, by, index, _excesses_of(database, index, entry)) for index, by, entry in first)
    return Breaches(count, tuple(told))


def _excesses_of(database: sqlite3.Connection, index: int, entry: str) -> tuple[Excess, ...]:
    rows = database.execute(_OF_A_BREACH, (index, entry, MAX_ACCOUNTS_OF_A_BREACH))
    return tuple(
        Excess(account, currency, "debit" if side == "D" else "credit", int(taken), int(given))
        for account, currency, side, taken, given in rows
    )
