"""The anonymiser's SQL, and one statement for Athena where one machine is too small.

A batch is made step by step (`encoding`, `cutting`). The statement is a text of its own: a test holds that it gives the
rows that DuckDB makes; what it writes cannot be taken into a release ledger. What differs between the two engines stands
in this file alone: `duckdb_preamble`, `athena_unload`, and nothing within the statement, which uses what both have: CASE,
TRY_CAST, substr, split_part, replace, translate, upper, lower, floor, `%`, `||`, COUNT(DISTINCT). `keyed` is the keyed
hash: a macro in DuckDB, an external function in Athena, so that no key stands in a query that is logged.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from amply_lake.generalisation import UNKNOWN, at_level
from amply_lake.policy import Policy, Sensitive

CLASS: Final = "_class"
MEMBER: Final = "_member"
ROW: Final = "_row"
BELOW_ZERO: Final = "<0"  # what went back is no small gift
MEMBER_CHARACTERS: Final = 32  # 128 bits of a keyed hash in hexadecimal
NUMBER_CHARACTERS: Final = 16  # 64 bits


def name(column: str) -> str:
    """Quote a column name for both engines."""
    return f'"{column}"'


def text(value: str) -> str:
    """Quote a string literal for both engines."""
    return "'" + value.replace("'", "''") + "'"


def value_of(column: str) -> str:
    """A column's value as text."""
    return f"CAST({name(column)} AS VARCHAR)"


def labels(policy: Policy, levels: Mapping[str, int]) -> list[str]:
    """The quasi-identifiers at their levels, each under its own name."""
    return [
        f"{at_level(kind, value_of(column), levels[column])} AS {name(column)}"
        for column, kind in policy.quasi.items()
    ]


def sensitive_values(policy: Policy) -> list[str]:
    """The sensitive columns as they are released."""
    return [f"{banded(column, what)} AS {name(column)}" for column, what in policy.sensitive.items()]


def banded(column: str, what: Sensitive) -> str:
    """A sensitive column's value as it is released."""
    value = value_of(column)
    if not what.bands:
        return f"coalesce(NULLIF({value}, ''), '{UNKNOWN}')"
    number = f"TRY_CAST({value} AS BIGINT)"
    between = " ".join(
        f"WHEN {number} < {high} THEN '{low}-{high - 1}'" for low, high in pairwise(what.bands)
    )
    last = what.bands[-1]
    return (
        f"CASE WHEN {number} < 0 THEN '{BELOW_ZERO}' WHEN {number} < {what.bands[0]} THEN '0-{what.bands[0] - 1}' {between} "
        f"WHEN {number} >= {last} THEN '{last}+' ELSE '{UNKNOWN}' END"
    )


def generalised(policy: Policy, levels: Mapping[str, int], source: str) -> str:
    """All rows of a person, at the given levels; the person's id is for counting only."""
    person, _ = policy.person
    columns = [
        *labels(policy, levels),
        *sensitive_values(policy),
        *(f"coalesce({value_of(column)}, '{UNKNOWN}') AS {name(column)}" for column in policy.insensitive),
        *([f"{value_of(policy.row_key)} AS {name(ROW)}"] if policy.row_key else []),
        f"{value_of(person)} AS {name(MEMBER)}",
    ]
    return f"SELECT\n  {_lines(columns)}\nFROM {source}\nWHERE {value_of(person)} <> ''"


def classes(policy: Policy) -> str:
    """Classes that may be released: at least k people, and l values of each sensitive column."""
    quasi = ", ".join(map(name, policy.quasi))
    values = [
        f"COUNT(DISTINCT NULLIF({name(column)}, '{UNKNOWN}')) >= {policy.l}" for column in policy.sensitive
    ]
    demands = [f"COUNT(DISTINCT {name(MEMBER)}) >= {policy.k}", *values]
    numbered = f"ROW_NUMBER() OVER (ORDER BY {quasi}) AS {name(CLASS)}"
    return f"SELECT {quasi}, {numbered}\nFROM generalised\nGROUP BY {quasi}\nHAVING {' AND '.join(demands)}"


def rows(policy: Policy) -> str:
    """Rows of these classes, with person and row key as keyed hashes."""
    columns = [f"g.{name(column)}" for column in (*policy.quasi, *policy.sensitive, *policy.insensitive)]
    if policy.row_key:
        columns.append(f"{keyed_text(f'g.{name(ROW)}')} AS {name(ROW)}")
    columns += [f"{keyed_text(f'g.{name(MEMBER)}')} AS {name(MEMBER)}", f"c.{name(CLASS)}"]
    same = " AND ".join(f"g.{name(column)} = c.{name(column)}" for column in policy.quasi)
    return f"SELECT\n  {_lines(columns)}\nFROM generalised g\nJOIN classes c ON {same}"


def keyed_text(value: str) -> str:
    """Half of a keyed hash, in hexadecimal."""
    return f"substr(keyed({value}), 1, {MEMBER_CHARACTERS})"


def statement(policy: Policy, levels: Mapping[str, int], source: str) -> str:
    """The whole anonymiser at given levels, as one statement."""
    return (
        f"WITH generalised AS (\n{generalised(policy, levels, source)}\n),\n"
        f"classes AS (\n{classes(policy)}\n)\n{rows(policy)}"
    )


def athena_unload(
    policy: Policy, levels: Mapping[str, int], *, table: str, location: str, function: str
) -> str:
    """The statement as Athena runs it; `function` names the Lambda function that makes keyed hashes."""
    return (
        f"USING EXTERNAL FUNCTION keyed(value VARCHAR) RETURNS VARCHAR LAMBDA {text(function)}\n"
        f"UNLOAD (\n{statement(policy, levels, table)}\n)\n"
        f"TO {text(location)}\nWITH (format = 'PARQUET', compression = 'ZSTD')"
    )


def duckdb_preamble(key: bytes) -> list[str]:
    """What makes DuckDB read the statement: `keyed`, which is HMAC-SHA-256 (RFC 2104) in hexadecimal.

    The key is at most 64 bytes, and stays within this process.
    """
    padded = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    hmac = (
        "sha256(CAST(getvariable('outer_pad') AS BLOB) || "
        "unhex(sha256(CAST(getvariable('inner_pad') AS BLOB) || encode(value))))"
    )
    return [
        f"SET VARIABLE inner_pad = unhex('{inner}')",
        f"SET VARIABLE outer_pad = unhex('{outer}')",
        f"CREATE OR REPLACE TEMP MACRO keyed(value) AS {hmac}",
    ]


def keyed_number(value: str) -> str:
    """The DuckDB SQL of a keyed hash's first 64 bits as a number: how a batch holds its people."""
    return f"CAST('0x' || substr(keyed({value}), 1, {NUMBER_CHARACTERS}) AS UBIGINT)"


def _lines(columns: list[str]) -> str:
    return ",\n  ".join(columns)
