"""Builds a batch: rows of some files, generalised once into classes and cells that never change afterwards.

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
from duckdb.func import PythonUDFType
from duckdb.sqltypes import DuckDBPyType

from amply_lake.cells import Bucket, buckets_of, cells
from amply_lake.encoding import Encoder
from amply_lake.engine import write_parquet
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
from amply_lake.pseudonyms import pseudonyms
from amply_lake.statements import CLASS, MEMBER, ROW, duckdb_preamble, keyed_text, name

CELL: Final = "_cell"


@dataclass(frozen=True, slots=True)
class Cut:
    """A built batch: its file, properties and information loss.

    `rows_in` counts the files' rows that are of somebody who may be released, `rows` the batch's.
    """

    path: Path
    levels: Mapping[str, int]
    loss: float
    rows_in: int
    rows: int


@dataclass(frozen=True, slots=True)
class TooFew:
    """No generalisation level suffices: the reason, and how many rows would have had to be suppressed."""

    reason: str
    suppressed: int
    rows_in: int


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Contents of the table `crowd`: people by class at a node, and the classes that satisfy the policy."""

    node: Node
    number: Ints
    classes: Ints
    people: Ints


class Cutter:
    """Builds a batch from the view `eligible`, in its own engine."""

    def __init__(self, db: duckdb.DuckDBPyConnection, policy: Policy, limits: Limits) -> None:
        self._db = db
        self._policy = policy
        self._encoder = Encoder(db, policy, limits)
        self._sensitive = [f"s{at}" for at in range(len(policy.sensitive))]
        self._crowd: _Crowd | None = None

    def cut(self, key: bytes, order_key: bytes, path: Path) -> Cut | TooFew:
        """Write the batch's file, ordered by class and a keyed hash of person and class, which reveals nothing.

        People are hashed with `key`, the same for each batch; `order_key` is the batch's alone.

        Raises:
            SourceError: The finest labels make more tuples than the limits allow.
        """
        for table in self._policy.hierarchies:
            levels = [pa.array(level, type=pa.string()) for level in zip(*table.rows, strict=True)]
            self._give(table.table, {f"_level_{at}": level for at, level in enumerate(levels)})
        for statement in duckdb_preamble(key):
            self._db.execute(statement)
        self._encoder.encode()
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
        return self._write(lattice, optimum, rows_in, order_key, path)

    def _tuples(self) -> Tuples:
        self._db.execute(
            f"CREATE TEMP TABLE pairs AS SELECT _id, person, CAST(count(*) AS UINTEGER) AS n{self._encoder.value_sets()} "
            "FROM encoded GROUP BY _id, person"
        )
        counted = self._numbers(
            "SELECT sum(n) AS rows, count(*) AS people FROM pairs GROUP BY _id ORDER BY _id"
        )
        values = [
            self._numbers(f"SELECT DISTINCT _id, {short} AS value FROM encoded WHERE {short} IS NOT NULL")
            for short in self._sensitive
        ]
        return Tuples(
            rows=counted["rows"],
            people=counted["people"],
            dimensions=tuple(self._dimension(column, kind) for column, kind in self._policy.quasi.items()),
            values=tuple((each["_id"], each["value"]) for each in values),
        )

    def _dimension(self, column: str, kind: Generalisation) -> Dimension:
        """One column's labels at each level, made from its finest."""
        order = f"SELECT dense_rank() OVER (ORDER BY {name(column)}) - 1 AS label FROM tuples ORDER BY _id"
        levels = ", ".join(_from_finest(kind, "label", level) for level in range(kind.steps))
        found = self._db.execute(
            f"SELECT {levels} FROM (SELECT DISTINCT {name(column)} AS label FROM tuples) ORDER BY label"
        ).fetchall()
        domain = list(zip(*kind.rows, strict=True)) if isinstance(kind, Hierarchy) else None
        return dimension(self._numbers(order)["label"], list(zip(*found, strict=True)), domain)

    def _is_simple(self) -> bool:
        """Whether everybody has one tuple, so that people add up; a look at some says mostly that it is not so."""
        return all(
            len(set(self._one(f"SELECT count(*), count(DISTINCT person) FROM pairs WHERE {some}"))) == 1
            for some in ("person % 64 = 0", "true")
        )

    def _look(self, lattice: Lattice, node: Node) -> Outcome:
        """Count people in the rows themselves, and values in the tuples."""
        crowd = self._crowd_at(lattice, node)
        fit = np.zeros(int(crowd.number.max(initial=0)) + 1, dtype=bool)
        fit[crowd.classes] = True
        return lattice.outcome(node, fit[crowd.number])

    def _crowd_at(self, lattice: Lattice, node: Node) -> _Crowd:
        """Make the table `crowd` for a node, unless it is there; a person's values are bits in it."""
        if self._crowd and self._crowd.node == node:
            return self._crowd
        number, count = lattice.classes(node)
        self._give("class_of", {"_id": np.arange(len(number), dtype=np.int32), "_of": number})
        if node == (0,) * len(node):  # each tuple is a class, and counted already
            crowd = "VIEW crowd AS SELECT _of, person{} FROM pairs JOIN class_of USING (_id)"
            sets = "".join(f", {short}" for short in self._sensitive)
        else:
            crowd = "TABLE crowd AS SELECT _of, person{} FROM pairs JOIN class_of USING (_id) GROUP BY _of, person"
            sets = "".join(f", bit_or({short}) AS {short}" for short in self._sensitive)
        kind = "VIEW" if self._crowd and not any(self._crowd.node) else "TABLE"
        self._db.execute(f"DROP {kind} IF EXISTS crowd")
        self._db.execute(f"CREATE TEMP {crowd.format(sets)}")
        counted = self._numbers(
            f"SELECT _of, count(*) AS people FROM crowd GROUP BY _of HAVING count(*) >= {self._policy.k} ORDER BY _of"
        )
        fit = lattice.is_diverse(number, count, self._policy.l)[counted["_of"]]
        self._crowd = _Crowd(node, number, counted["_of"][fit], counted["people"][fit])
        return self._crowd

    def _write(self, lattice: Lattice, optimum: Optimum, rows_in: int, order_key: bytes, path: Path) -> Cut:
        levels = dict(zip(self._policy.quasi, optimum.node, strict=True))
        self._divide(levels, self._crowd_at(lattice, optimum.node))
        self._db.execute(f"DROP {'TABLE' if any(optimum.node) else 'VIEW'} crowd")
        self._db.execute("DROP TABLE pairs")
        number = DuckDBPyType("UBIGINT")
        self._db.create_function(
            "standing",
            pseudonyms(order_key),
            [number, number],
            DuckDBPyType("VARCHAR"),
            type=PythonUDFType.ARROW,
        )
        written = write_parquet(self._db, self._batch(), path)
        return Cut(path, levels, optimum.outcome.loss, rows_in, written)

    def _batch(self) -> str:
        """The SQL of a batch's rows; labels are numbers of a type of their own until they are in the file."""
        placed, kept, shown, joins = [], [], [], []
        for at, column in enumerate(self._policy.quasi):
            kind = self._encoder.enumerated(f"quasi_{at}", name(column), "classes")
            placed.append(f"CAST(c.{name(column)} AS {kind}) AS q{at}")
            kept.append(f"c.q{at}")
            shown.append(f"q{at} AS {name(column)}")
        for at, column in enumerate(self._policy.sensitive):
            kind = self._encoder.enumerated(f"sensitive_{at}", "label", f"labels_{at}")
            joins.append(
                f"LEFT JOIN (SELECT number, CAST(label AS {kind}) AS label FROM labels_{at}) l{at} ON l{at}.number = e.s{at}"
            )
            kept.append(f"l{at}.label AS s{at}")
            shown.append(f"coalesce(s{at}, CAST('{UNKNOWN}' AS {kind})) AS {name(column)}")
        for at, column in enumerate(self._policy.insensitive):
            kept.append(f"e.i{at}")
            shown.append(f"coalesce(CAST(i{at} AS VARCHAR), '{UNKNOWN}') AS {name(column)}")
        apart = [f"e.{short}" for short in self._sensitive]
        apart += [f"e.i{at}" for at in range(len(self._policy.insensitive))]
        encoded = "encoded"
        if self._policy.row_key:  # keyed before it has a part in the order, which would tell of it
            encoded = f"(SELECT * REPLACE ({keyed_text(name(ROW))} AS {name(ROW)}) FROM encoded)"
            kept.append(f"e.{name(ROW)}")
            shown.append(name(ROW))
            apart.append(f"e.{name(ROW)}")
        kept += [f"p.{name(MEMBER)}", f"c.{name(CLASS)}", f"cells.cell AS {name(CELL)}"]
        shown += [name(MEMBER), name(CLASS), name(CELL)]
        self._db.execute(
            f"CREATE TEMP TABLE placed AS SELECT o._id, {', '.join(placed)}, c.{name(CLASS)}, c._buckets, c._first "
            "FROM class_of o JOIN classes c USING (_of)"
        )
        # By chance, and the same each time; by the member alone, all classes and batches would have their people in one order.
        standing = f"standing(p.{name(MEMBER)}, CAST(c.{name(CLASS)} AS UBIGINT))"
        order = f"c.{name(CLASS)}, {standing}, hash({', '.join(apart) or '0'})"
        return (
            f"SELECT {', '.join(shown)} FROM (SELECT {', '.join(kept)} FROM {encoded} e JOIN placed c USING (_id) "
            f"JOIN people p USING (person) "
            "JOIN cells ON cells.place = CAST(c._first + e.person % c._buckets AS INTEGER) "
            f"{' '.join(joins)} ORDER BY {order})"
        )

    def _divide(self, levels: Mapping[str, int], crowd: _Crowd) -> None:
        """Make the tables `classes`, numbered by their labels, and `cells`."""
        divided = [buckets_of(int(people), self._policy.k) for people in crowd.people]
        buckets = np.array(divided, dtype=np.uint64)
        first = np.cumsum(buckets, dtype=np.uint64) - buckets  # the buckets of all classes stand in one row
        self._give("found", {"_of": crowd.classes, "_buckets": buckets, "_first": first})
        quasi = ", ".join(map(name, self._policy.quasi))
        made = ", ".join(
            f"{_from_finest(kind, f't.{name(column)}', levels[column])} AS {name(column)}"
            for column, kind in self._policy.quasi.items()
        )
        self._db.execute(
            f"CREATE TEMP TABLE classes AS SELECT {quasi}, row_number() OVER (ORDER BY {quasi}) AS {name(CLASS)}, _of, _buckets, _first "
            f"FROM (SELECT DISTINCT {made}, _of, _buckets, _first FROM tuples t JOIN class_of USING (_id) JOIN found USING (_of))"
        )
        # Of more than 64 values two with one bit count as one, so that a cell never has fewer than it seems to.
        enough = "".join(f" AND bit_count(bit_or({short})) >= {self._policy.l}" for short in self._sensitive)
        counted = self._db.execute(
            f"SELECT {name(CLASS)} AS number, _first + person % _buckets AS place, count(*) >= {self._policy.k}{enough} "
            f"FROM crowd JOIN (SELECT _of, _buckets, _first, {name(CLASS)} FROM classes) USING (_of) "
            "GROUP BY number, place ORDER BY number, place"
        ).fetchall()
        numbered = list(cells(Bucket(*row) for row in counted))
        self._give(
            "cells",
            {
                "place": np.array([bucket.bucket for bucket, _ in numbered], dtype=np.int32),
                "cell": np.array([cell for _, cell in numbered], dtype=np.int32),
            },
        )

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
