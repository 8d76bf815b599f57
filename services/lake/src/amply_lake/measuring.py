"""Measures k-anonymity, l-diversity and t-closeness of a released file, from the file itself.

All three count people, by their pseudonyms in the class. l is how many values the poorest class has of a sensitive column,
`?` not among them; t how far a class's values are at most from the whole file's, as half the sum of the differences of the
shares (the equal-distance earth mover's distance); each person counts once for each value they have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from amply_lake.generalisation import UNKNOWN
from amply_lake.statements import name

_SET: Final = 32  # values that are kept as bits of one number


@dataclass(frozen=True, slots=True)
class Measured:
    """Properties of a file; `entropy_l` is the exponential of the smallest entropy of any class: its effective number of
    values.

    `l`, `t` and `entropy_l` are None where nothing is sensitive.
    """

    rows: int
    classes: int
    k: int
    l: int | None  # noqa: E741 -- the field's own name
    entropy_l: float | None
    t: float | None


def measure(
    db: duckdb.DuckDBPyConnection,
    relation: str,
    *,
    person: str,
    quasi: Sequence[str],
    sensitive: Sequence[str],
) -> Measured:
    """Measure the rows of a relation, an SQL expression.

    Classes, people and values are compared by hashes of 64 bits: a thousand times faster than their texts, and as good
    as right for whatever fits on one machine.
    """
    values = [
        f"CASE WHEN {name(column)} <> '{UNKNOWN}' THEN hash({name(column)}) ELSE 0 END"
        for column in sensitive
    ]
    columns = [f"hash({', '.join(map(name, quasi))}) AS class", f"hash({name(person)}) AS person"]
    columns += [f"{value} AS s{at}" for at, value in enumerate(values)]
    db.execute(f"CREATE OR REPLACE TEMP TABLE measured AS SELECT {', '.join(columns)} FROM {relation}")
    pairs = _gather(db, len(sensitive))
    rows, classes, k = db.execute(
        "SELECT coalesce(sum(n), 0), count(*), coalesce(min(p), 0) "
        "FROM (SELECT sum(n) AS n, count(*) AS p FROM gathered GROUP BY class)"
    ).fetchall()[0]
    found = [_diversity(db, each) for each in pairs]
    db.execute("DROP TABLE measured")
    db.execute("DROP TABLE gathered")
    return Measured(
        rows=int(rows),
        classes=int(classes),
        k=int(k),
        l=min((int(each[0]) for each in found), default=None),
        entropy_l=min((each[1] for each in found), default=None),
        t=max((each[2] for each in found), default=None),
    )


def _gather(db: duckdb.DuckDBPyConnection, sensitive: int) -> list[str]:
    """Make `gathered`: each person of each class once, with the values they have as bits of one number.

    Returns, for each sensitive column, the SQL that says how many people of a class have a value: from these sets, or
    where there are too many values from the rows.
    """
    sets, joins, pairs = [], [], []
    for at in range(sensitive):
        values = db.execute(f"SELECT DISTINCT s{at} FROM measured LIMIT {_SET + 1}").fetchall()
        if len(values) > _SET:
            pairs.append(
                f"SELECT class, s{at} AS value, count(DISTINCT person) AS n FROM measured GROUP BY class, value"
            )
            continue
        listed = ", ".join(f"({value}::UBIGINT, {1 << bit}::UBIGINT)" for bit, (value,) in enumerate(values))
        bits = f"(SELECT * FROM (VALUES {listed or '(0::UBIGINT, 0::UBIGINT)'}) v(value, bit))"
        joins.append(f"JOIN {bits} b{at} ON b{at}.value = m.s{at}")
        sets.append(f", bit_or(b{at}.bit) AS s{at}")
        pairs.append(
            f"SELECT class, value, sum(n) AS n FROM (SELECT class, s{at} AS held, count(*) AS n FROM gathered GROUP BY class, held) "
            f"JOIN {bits} b ON held & bit <> 0 GROUP BY class, value"
        )
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE gathered AS SELECT class, person, count(*) AS n{''.join(sets)} "
        f"FROM measured m {' '.join(joins)} GROUP BY class, person"
    )
    return pairs


def _diversity(db: duckdb.DuckDBPyConnection, pairs: str) -> tuple[int, float, float]:
    """The least number of values, the least exponential entropy, and the largest distance, over all classes."""
    values, entropy, distance = db.execute(
        f"""
        WITH pairs AS ({pairs}),
        whole AS (SELECT value, sum(n) / (SELECT sum(n) FROM pairs) AS share FROM pairs GROUP BY value),
        per_class AS (SELECT class, sum(n) AS n FROM pairs GROUP BY class),
        shares AS (
          SELECT class, value, pairs.n / per_class.n AS share, whole.share AS of_whole
          FROM pairs JOIN per_class USING (class) JOIN whole USING (value)
        )
        SELECT min(l), min(entropy), max(t) FROM (
          SELECT count(*) FILTER (value <> 0) AS l, exp(-sum(share * ln(share))) AS entropy,
            (1 + sum(abs(share - of_whole) - of_whole)) / 2 AS t
          FROM shares GROUP BY class
        )
        """
    ).fetchall()[0]
    return int(values or 0), float(entropy or 0), float(distance or 0)
