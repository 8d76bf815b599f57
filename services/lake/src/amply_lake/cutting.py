"""A batch: the rows of some files, generalised once and for ever, in classes and cells that never change.

Everything is counted over people. The search runs on the distinct tuples of the finest labels; what it finds is looked
at in the rows themselves before it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from amply_lake.cells import Bucket, buckets_of, cells
from amply_lake.engine import write_parquet
from amply_lake.errors import SourceError
from amply_lake.generalisation import TOP, UNKNOWN, Generalisation, Hierarchy
from amply_lake.lattice import (
    Demand,
    Dimension,
    Ints,
    Lattice,
    Node,
    Optimum,
    Outcome,
    Tuples,
    dimension,
    search,
)
from amply_lake.limits import Limits
from amply_lake.policy import Policy
from amply_lake.statements import CLASS, MEMBER, ROW, duckdb_preamble, generalised, name, rows, text

CELL: Final = "_cell"


@dataclass(frozen=True, slots=True)
class Cut:
    """A batch that was made: its file, what it is, and what it cost.

    `rows_in` counts the files' rows that are of somebody who may be released; `people` those of the batch's rows.
    """

    path: Path
    levels: Mapping[str, int]
    loss: float
    rows_in: int
    rows: int
    people: int
    classes: int
    cells: int
    looked_at: int
    looked_at_exactly: int


@dataclass(frozen=True, slots=True)
class TooFew:
    """No level is coarse enough: why, in half a sentence, and how many rows would have had to be left out."""

    reason: str
    suppressed: int
    rows_in: int


class Cutter:
    """Makes a batch from the view `eligible`, in an engine of its own."""

    def __init__(self, db: duckdb.DuckDBPyConnection, policy: Policy, limits: Limits) -> None:
        self._db = db
        self._policy = policy
        self._limits = limits
        self._sensitive = [f"s{at}" for at in range(len(policy.sensitive))]

    def cut(self, key: bytes, path: Path) -> Cut | TooFew:
        """Write the batch's file: its rows by class and keyed hash, so that nothing of their old order is left.

        Raises:
            SourceError: The finest labels make more tuples than the limits allow.
        """
        self._prepare()
        rows_in, of_somebody = self._one(
            "SELECT (SELECT count(*) FROM eligible), (SELECT count(*) FROM encoded)"
        )
        if of_somebody == 0:
            return TooFew("no row is of somebody who may be released", 0, rows_in)
        lattice = Lattice(self._tuples())
        may_be = int(self._policy.suppression_limit * rows_in) - (rows_in - of_somebody)
        demand = Demand(self._policy.k, self._policy.l, may_be)
        optimum = search(
            lattice, demand, None if self._is_simple() else lambda node: self._look(lattice, node)
        )
        if optimum is None:
            suppressed = rows_in - of_somebody + self._look(lattice, lattice.top).suppressed
            return TooFew(_too_much(suppressed, rows_in, self._policy), suppressed, rows_in)
        if optimum.outcome.suppressed == of_somebody:
            return TooFew("no class has enough people and values, so that no row is left", rows_in, rows_in)
        return self._write(lattice, optimum, rows_in, key, path)

    def _prepare(self) -> None:
        """Number the tuples of the finest labels, and write each row as numbers alone."""
        finest = dict.fromkeys(self._policy.quasi, 0)
        quasi = ", ".join(map(name, self._policy.quasi))
        for table in self._policy.hierarchies:
            levels = [pa.array(level, type=pa.string()) for level in zip(*table.rows, strict=True)]
            self._give(table.table, {f"level_{at}": level for at, level in enumerate(levels)})
        self._db.execute(f"CREATE TEMP VIEW finest AS {generalised(self._policy, finest, 'eligible')}")
        self._db.execute(
            f"CREATE TEMP TABLE tuples AS SELECT CAST(row_number() OVER (ORDER BY {quasi}) - 1 AS INTEGER) AS id, {quasi} "
            f"FROM (SELECT DISTINCT {quasi} FROM finest)"
        )
        (count,) = self._one("SELECT count(*) FROM tuples")
        if count > self._limits.tuples:
            raise SourceError(
                f"the policy's finest levels tell {count} kinds of rows apart, and {self._limits.tuples} may be; "
                "begin with coarser ones"
            )
        # Two people or values with one hash would count once: too few, and never too many.
        values = [
            f"CASE WHEN f.{name(column)} <> '{UNKNOWN}' THEN CAST(hash(f.{name(column)}) % 4294967291 AS UINTEGER) END AS {short}"
            for column, short in zip(self._policy.sensitive, self._sensitive, strict=True)
        ]
        same = " AND ".join(f"f.{name(column)} = t.{name(column)}" for column in self._policy.quasi)
        self._db.execute(
            f"CREATE TEMP TABLE encoded AS SELECT {', '.join(['t.id', f'hash(f.{name(MEMBER)}) AS person', *values])} "
            f"FROM finest f JOIN tuples t ON {same}"
        )

    def _tuples(self) -> Tuples:
        counted = self._numbers(
            "SELECT count(*) AS rows, count(DISTINCT person) AS people FROM encoded GROUP BY id ORDER BY id"
        )
        values = [
            self._numbers(f"SELECT DISTINCT id, {short} AS value FROM encoded WHERE {short} IS NOT NULL")
            for short in self._sensitive
        ]
        return Tuples(
            rows=counted["rows"],
            people=counted["people"],
            dimensions=tuple(self._dimension(column, kind) for column, kind in self._policy.quasi.items()),
            values=tuple(
                (each["id"], np.unique(each["value"], return_inverse=True)[1].astype(np.int64))
                for each in values
            ),
        )

    def _dimension(self, column: str, kind: Generalisation) -> Dimension:
        """One column's labels at each level, made from its finest."""
        order = f"SELECT dense_rank() OVER (ORDER BY {name(column)}) - 1 AS label FROM tuples ORDER BY id"
        levels = ", ".join(_from_finest(kind, "label", level) for level in range(kind.steps))
        found = self._db.execute(
            f"SELECT {levels} FROM (SELECT DISTINCT {name(column)} AS label FROM tuples) ORDER BY label"
        ).fetchall()
        domain = list(zip(*kind.rows, strict=True)) if isinstance(kind, Hierarchy) else None
        return dimension(self._numbers(order)["label"], list(zip(*found, strict=True)), domain)

    def _is_simple(self) -> bool:
        """Whether everybody has one tuple, so that people add up."""
        apart, together = self._one(
            "SELECT (SELECT sum(n) FROM (SELECT count(DISTINCT person) AS n FROM encoded GROUP BY id)), "
            "(SELECT count(DISTINCT person) FROM encoded)"
        )
        return apart == together

    def _look(self, lattice: Lattice, node: Node) -> Outcome:
        """Count people and values in the rows themselves."""
        number, count = lattice.classes(node)
        fit = np.zeros(count, dtype=bool)
        fit[self._counted(number)["class"]] = True
        return lattice.outcome(node, fit[number])

    def _counted(self, number: Ints) -> dict[str, Ints]:
        """The classes that have enough people and values, with their people."""
        self._give("class_of", {"id": np.arange(len(number)), "class": number})
        distinct = [f"count(DISTINCT {short}) >= {self._policy.l}" for short in self._sensitive]
        enough = " AND ".join([f"count(DISTINCT person) >= {self._policy.k}", *distinct])
        return self._numbers(
            "SELECT class, count(DISTINCT person) AS people FROM encoded JOIN class_of USING (id) "
            f"GROUP BY class HAVING {enough} ORDER BY class"
        )

    def _write(self, lattice: Lattice, optimum: Optimum, rows_in: int, key: bytes, path: Path) -> Cut:
        levels = dict(zip(self._policy.quasi, optimum.node, strict=True))
        number, _ = lattice.classes(optimum.node)
        found = self._counted(number)
        count_of_cells = self._divide(levels, number, found)
        for statement in (
            *duckdb_preamble(key),
            f"CREATE TEMP VIEW generalised AS {generalised(self._policy, levels, 'eligible')}",
            # Each person is hashed once, and not each of their rows.
            f"CREATE TEMP TABLE hashed AS SELECT value, keyed(value) AS hash FROM (SELECT DISTINCT {name(MEMBER)} AS value FROM finest)",
            "CREATE TEMP MACRO known(one) AS (SELECT h.hash FROM hashed h WHERE h.value = one)",
        ):
            self._db.execute(statement)
        released = (*self._policy.quasi, *self._policy.sensitive, *self._policy.insensitive)
        kept = [*released, *([ROW] if self._policy.row_key else []), MEMBER, CLASS]
        rest = ", ".join(f"r.{name(column)}" for column in kept)
        order = f"r.{name(CLASS)}, hash(r.{name(MEMBER)}), hash({rest})"  # by chance, and the same each time
        also = [f"hash(g.{name(MEMBER)}) % c.buckets AS bucket"]
        written = write_parquet(
            self._db,
            f"SELECT {', '.join(f'r.{name(column)}' for column in kept)}, cells.cell AS {name(CELL)} "
            f"FROM ({rows(self._policy, also, member='known')}) r JOIN cells ON cells.class = r.{name(CLASS)} AND cells.bucket = r.bucket "
            f"ORDER BY {order}",
            path,
        )
        (people,) = self._one(f"SELECT count(DISTINCT {name(MEMBER)}) FROM read_parquet({text(str(path))})")
        return Cut(
            path,
            levels,
            optimum.outcome.loss,
            rows_in,
            written,
            people,
            len(found["class"]),
            count_of_cells,
            optimum.looked_at,
            optimum.looked_at_exactly,
        )

    def _divide(self, levels: Mapping[str, int], number: Ints, found: Mapping[str, Ints]) -> int:
        """Make the tables `classes`, numbered by their labels, and `cells`; say how many cells there are."""
        buckets = [buckets_of(int(people), self._policy.k) for people in found["people"]]
        self._give("class_of", {"id": np.arange(len(number)), "class": number})
        self._give("found", {"class": found["class"], "buckets": np.array(buckets, dtype=np.uint64)})
        quasi = ", ".join(map(name, self._policy.quasi))
        made = ", ".join(
            f"{_from_finest(kind, f't.{name(column)}', levels[column])} AS {name(column)}"
            for column, kind in self._policy.quasi.items()
        )
        self._db.execute(
            f"CREATE TEMP TABLE classes AS SELECT {quasi}, row_number() OVER (ORDER BY {quasi}) AS {name(CLASS)}, class, buckets "
            f"FROM (SELECT DISTINCT {made}, class, buckets FROM tuples t JOIN class_of USING (id) JOIN found USING (class))"
        )
        # A value is a bit of 64: two with one bit count as one, so that a cell never has fewer than it seems to.
        bits = [
            f"bit_or(CASE WHEN {short} IS NULL THEN 0 ELSE 1::UBIGINT << ({short} % 64) END)"
            for short in self._sensitive
        ]
        masks = "".join(f", {mask} AS {short}" for mask, short in zip(bits, self._sensitive, strict=True))
        enough = "".join(f" AND bit_count(bit_or({short})) >= {self._policy.l}" for short in self._sensitive)
        counted = self._db.execute(
            f"SELECT number, person % buckets AS bucket, count(*) >= {self._policy.k}{enough} FROM ("
            f"SELECT {name(CLASS)} AS number, buckets, person{masks} "
            "FROM encoded JOIN class_of USING (id) JOIN classes USING (class) GROUP BY number, buckets, person"
            ") GROUP BY number, bucket ORDER BY number, bucket"
        ).fetchall()
        numbered = list(cells(Bucket(*row) for row in counted))
        self._give(
            "cells",
            {
                "class": np.array([bucket.number_of_class for bucket, _ in numbered], dtype=np.int64),
                "bucket": np.array([bucket.bucket for bucket, _ in numbered], dtype=np.uint64),
                "cell": np.array([cell for _, cell in numbered], dtype=np.int32),
            },
        )
        return len({cell for _, cell in numbered})

    def _give(self, table: str, columns: Mapping[str, Any]) -> None:
        """Make a table of arrays."""
        given = pa.table({column: pa.array(values) for column, values in columns.items()})
        self._db.register("given", given)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM given")
        self._db.unregister("given")

    def _one(self, query: str) -> tuple[int, ...]:
        return tuple(int(value or 0) for value in self._db.execute(query).fetchall()[0])

    def _numbers(self, query: str) -> dict[str, Ints]:
        return {
            column: np.asarray(values, dtype=np.int64)
            for column, values in self._db.execute(query).fetchnumpy().items()
        }


def _from_finest(kind: Generalisation, label: str, level: int) -> str:
    """The SQL of a label at a level from the finest one."""
    if level == kind.steps:
        return f"'{TOP}'"
    return kind.coarser(label, level) if level else label


def _too_much(suppressed: int, rows_in: int, policy: Policy) -> str:
    return (
        f"even with every quasi-identifier at '*', {suppressed} of {rows_in} rows would have to be left out, "
        f"and the policy {policy.id} allows a share of {policy.suppression_limit}"
    )
