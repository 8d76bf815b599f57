"""Dictionary encoding of rows: each distinct value is generalised once instead of once for each row.

Of the view `eligible` this makes `tuples` (the distinct tuples of the finest labels, numbered), `labels_N` (each sensitive
column's values, numbered), `people` (each person's number, and their keyed one) and `encoded` (each row: its tuple, its person's
number, its values' numbers, and what is not to be generalised). Whatever follows compares numbers. Beside columns that a policy names stand only columns that begin with `_`,
as none of a policy's does.
"""

from collections.abc import Sequence
from typing import Final

import duckdb

from amply_lake.errors import SourceError
from amply_lake.generalisation import UNKNOWN, at_level
from amply_lake.limits import Limits
from amply_lake.policy import Policy
from amply_lake.statements import MEMBER, ROW, banded, keyed_number, name, value_of

_ENUMERABLE: Final = 65_536  # with more values a type of its own costs more than it saves

_SETS: Final = ((8, "UTINYINT"), (16, "USMALLINT"), (32, "UINTEGER"))


def person_number(value: str) -> str:
    """SQL of a person's number while a batch is built."""
    return f"hash({value})"


class Encoder:
    """Encodes the rows of `eligible` as numbers, and decodes them."""

    def __init__(self, db: duckdb.DuckDBPyConnection, policy: Policy, limits: Limits) -> None:
        self._db = db
        self._policy = policy
        self._limits = limits
        person, _ = policy.person
        self._person = value_of(person)
        self._somebodys = f"eligible WHERE {self._person} <> ''"

    def encode(self) -> None:
        """Create `tuples`, `labels_N`, `people` and `encoded`. Requires `keyed` (`statements.duckdb_preamble`).

        Raises:
            SourceError: The finest labels make more tuples than the limits allow.
        """
        self._name_people()
        self._number_tuples()
        for at, (column, what) in enumerate(self._policy.sensitive.items()):
            self._db.execute(
                f"CREATE TEMP TABLE values_{at} AS SELECT value, label, "
                f"CASE WHEN label <> '{UNKNOWN}' THEN CAST(dense_rank() OVER (ORDER BY label) - 1 AS UINTEGER) END AS number "
                f"FROM (SELECT {name(column)} AS value, {banded(column, what)} AS label "
                f"FROM (SELECT DISTINCT {name(column)} FROM {self._somebodys}))"
            )
            self._db.execute(
                f"CREATE TEMP TABLE labels_{at} AS SELECT DISTINCT number, label FROM values_{at} WHERE number IS NOT NULL"
            )
        self._encode_rows()
        for table in ("kinds", *(f"values_{at}" for at in range(len(self._policy.sensitive)))):
            self._db.execute(f"DROP TABLE {table}")

    def value_sets(self) -> str:
        """SQL columns `sN`: which values rows have, as bits, in no more bytes than needed; 64 stand for all there may be."""
        columns = []
        for at in range(len(self._policy.sensitive)):
            ((count,),) = self._db.execute(f"SELECT count(*) FROM labels_{at}").fetchall()
            kind = next((kind for bits, kind in _SETS if count <= bits), "UBIGINT")
            bit = f"CAST(1::UBIGINT << (s{at} % 64) AS {kind})"
            columns.append(
                f", bit_or(CASE WHEN s{at} IS NULL THEN CAST(0 AS {kind}) ELSE {bit} END) AS s{at}"
            )
        return "".join(columns)

    def enumerated(self, kind: str, label: str, relation: str) -> str:
        """The SQL type of a label that stands for few texts, of a few bytes while rows are sorted; else text.

        `kind` names the type; labels are those of an SQL expression over a relation.
        """
        ((count,),) = self._db.execute(f"SELECT count(DISTINCT {label}) FROM {relation}").fetchall()
        if count > _ENUMERABLE:
            return "VARCHAR"
        self._db.execute(
            f"CREATE TYPE {kind} AS ENUM (SELECT DISTINCT {label} AS label FROM {relation} "
            f"UNION SELECT '{UNKNOWN}' ORDER BY label)"
        )
        return kind

    def _name_people(self) -> None:
        """Make `people`: each person's number, and the keyed one that stands for them in batches, made once and not for each row.

        Rows of two who have one number become nobody's. The engine's hash is public, so that whoever chooses ids may choose two that
        are alike: that must not stop a dataset. Two whose keyed numbers are alike would be two while classes are found, and one in
        what is released: a class of k people would have too few, whatever comes later.
        """
        self._db.execute(
            f"CREATE TEMP TABLE named AS SELECT value, {person_number('value')} AS person, {keyed_number('value')} AS {name(MEMBER)} "
            f"FROM (SELECT DISTINCT {self._person} AS value FROM {self._somebodys})"
        )
        twice = " OR ".join(
            f"{number} IN (SELECT {number} FROM named GROUP BY {number} HAVING count(*) > 1)"
            for number in ("person", name(MEMBER))
        )
        self._db.execute(f"CREATE TEMP TABLE alike AS SELECT value FROM named WHERE {twice}")
        ((alike,),) = self._db.execute("SELECT count(*) FROM alike").fetchall()
        if alike:  # else each look at the rows would ask for nothing
            self._db.execute("DELETE FROM named WHERE value IN (SELECT value FROM alike)")
            self._somebodys += f" AND {self._person} NOT IN (SELECT value FROM alike)"
        self._db.execute(f"CREATE TEMP TABLE people AS SELECT person, {name(MEMBER)} FROM named")
        self._db.execute("DROP TABLE named")

    def _number_tuples(self) -> None:
        """Make `tuples`, and `kinds`: which tuple each combination of raw values is in."""
        quasi = list(self._policy.quasi)
        raw = ", ".join(f"{name(column)} AS r{at}" for at, column in enumerate(quasi))
        made = ", ".join(
            f"{at_level(kind, value_of(column), 0)} AS l{at}"
            for at, (column, kind) in enumerate(self._policy.quasi.items())
        )
        labels = ", ".join(f"l{at}" for at in range(len(quasi)))
        self._db.execute(
            f"CREATE TEMP TABLE labelled AS SELECT {raw}, {made} "
            f"FROM (SELECT DISTINCT {', '.join(map(name, quasi))} FROM {self._somebodys})"
        )
        named = ", ".join(f"l{at} AS {name(column)}" for at, column in enumerate(quasi))
        self._db.execute(
            f"CREATE TEMP TABLE tuples AS SELECT CAST(row_number() OVER (ORDER BY {labels}) - 1 AS INTEGER) AS _id, {named} "
            f"FROM (SELECT DISTINCT {labels} FROM labelled)"
        )
        ((count,),) = self._db.execute("SELECT count(*) FROM tuples").fetchall()
        if count > self._limits.tuples:
            raise SourceError(
                f"the policy's finest levels tell {count} kinds of rows apart, and {self._limits.tuples} may be; "
                "begin with coarser ones"
            )
        same = " AND ".join(f"a.l{at} = t.{name(column)}" for at, column in enumerate(quasi))
        kept = ", ".join(f"a.r{at}" for at in range(len(quasi)))
        self._db.execute(
            f"CREATE TEMP TABLE kinds AS SELECT {kept}, t._id FROM labelled a JOIN tuples t ON {same}"
        )
        self._db.execute("DROP TABLE labelled")

    def _encode_rows(self) -> None:
        quasi, sensitive = list(self._policy.quasi), list(self._policy.sensitive)
        person, _ = self._policy.person
        columns = ["k._id", f"{person_number(_text_of(person))} AS person"]
        columns += [f"v{at}.number AS s{at}" for at in range(len(sensitive))]
        columns += [f"e.{name(column)} AS i{at}" for at, column in enumerate(self._policy.insensitive)]
        if self._policy.row_key:
            columns.append(f"{_text_of(self._policy.row_key)} AS {name(ROW)}")
        joins = [f"JOIN kinds k ON {_same(quasi, 'k.r{}')}"]
        joins += [
            f"JOIN values_{at} v{at} ON e.{name(column)} IS NOT DISTINCT FROM v{at}.value"
            for at, column in enumerate(sensitive)
        ]
        self._db.execute(
            f"CREATE TEMP TABLE encoded AS SELECT {', '.join(columns)} "
            f"FROM (SELECT * FROM {self._somebodys}) e {' '.join(joins)}"
        )


def _text_of(column: str) -> str:
    """The column's text in a row `e`, whatever the relations beside it call their own columns."""
    return f"CAST(e.{name(column)} AS VARCHAR)"


def _same(columns: Sequence[str], other: str) -> str:
    return " AND ".join(
        f"e.{name(column)} IS NOT DISTINCT FROM {other.format(at)}" for at, column in enumerate(columns)
    )
