"""What a released file is: k, l and t, counted in the file itself.

All three count people, by their pseudonyms in the class. l is how many values the poorest class has of a sensitive column,
`?` not among them; t how far a class's values are at most from the whole file's, as half the sum of the differences of the
shares (the equal-distance earth mover's distance); each person counts once for each value they have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from amply_lake.generalisation import UNKNOWN
from amply_lake.statements import name


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file is; `entropy_l` is the exponential of the least entropy of a class: how many values it is as good as.

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
    """Measure the rows of a relation, an SQL expression."""
    classed = ", ".join(map(name, quasi))
    rows, classes, k = db.execute(
        f"SELECT coalesce(sum(n), 0), count(*), coalesce(min(p), 0) FROM (SELECT count(*) AS n, "
        f"count(DISTINCT {name(person)}) AS p FROM {relation} GROUP BY {classed})"
    ).fetchall()[0]
    found = [_diversity(db, relation, name(person), classed, name(column)) for column in sensitive]
    return Measured(
        rows=int(rows),
        classes=int(classes),
        k=int(k),
        l=min((int(each[0]) for each in found), default=None),
        entropy_l=min((each[1] for each in found), default=None),
        t=max((each[2] for each in found), default=None),
    )


def _diversity(
    db: duckdb.DuckDBPyConnection, relation: str, person: str, classed: str, column: str
) -> tuple[int, float, float]:
    """The least number of values, the least exponential entropy, and the largest distance, over all classes."""
    values, entropy, distance = db.execute(
        f"""
        WITH pairs AS (
          SELECT {classed}, {column} AS value, count(DISTINCT {person}) AS n FROM {relation} GROUP BY {classed}, {column}
        ),
        whole AS (SELECT value, sum(n) / (SELECT sum(n) FROM pairs) AS share FROM pairs GROUP BY value),
        per_class AS (SELECT {classed}, sum(n) AS n FROM pairs GROUP BY {classed}),
        shares AS (
          SELECT {", ".join(f"pairs.{column}" for column in classed.split(", "))}, pairs.value, pairs.n,
            pairs.n / per_class.n AS share, whole.share AS of_whole
          FROM pairs JOIN per_class USING ({classed}) JOIN whole USING (value)
        )
        SELECT min(l), min(entropy), max(t) FROM (
          SELECT count(*) FILTER (value <> '{UNKNOWN}') AS l, exp(-sum(share * ln(share))) AS entropy,
            (1 + sum(abs(share - of_whole) - of_whole)) / 2 AS t
          FROM shares GROUP BY {classed}
        )
        """
    ).fetchall()[0]
    return int(values or 0), float(entropy or 0), float(distance or 0)
