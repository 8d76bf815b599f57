"""The SQL: one statement for both engines, and the whole of it does what the anonymiser does step by step."""

import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from amply_lake import Release, default_policy
from amply_lake.statements import athena_unload, classes, duckdb_preamble, generalised, rows, statement
from tests.lake.lake_world import TestKeys, World, parquet_file, people, policy

LEVELS = {"age": 1, "zip": 0}


def unload(**changes: str) -> str:
    told = {"table": "lake.gifts", "location": "s3://curated/gifts/", "function": "keyed-hash"} | changes
    return athena_unload(policy(), LEVELS, **told)


def test_athena_runs_the_same_statement() -> None:
    body = re.sub(r"\A.*?UNLOAD \(\n(.*)\n\)\nTO .*\Z", r"\1", unload(), flags=re.DOTALL)
    assert body == statement(policy(), LEVELS, "lake.gifts")
    for part in (generalised(policy(), LEVELS, "lake.gifts"), classes(policy()), rows(policy())):
        assert part in body
    assert re.search(r"HAVING COUNT\(DISTINCT \"_member\"\) >= 3", body)


def test_what_only_one_of_the_engines_has_is_in_no_statement() -> None:
    """Functions that are spelled otherwise in Trino, or are not there; each was tempting once."""
    policies = [policy(), default_policy()]
    whole = "\n".join(statement(each, dict.fromkeys(each.quasi, 1), "gifts") for each in policies)
    for word in (
        "strftime",
        "regexp_matches",
        "//",
        "::",
        "strlen",
        "hash(",
        "sha256",
        "date_trunc",
        "QUALIFY",
        "ANY_VALUE",
    ):
        assert word not in whole.replace("'::/", "")
    known = {"CAST", "TRY_CAST", "substr", "split_part", "replace", "translate", "upper", "lower", "floor", "length",
             "coalesce", "COUNT", "NULLIF", "ROW_NUMBER", "OVER", "keyed", "AS", "VARCHAR", "DECIMAL", "AND", "OR", "WHEN",
             "ELSE", "THEN", "BETWEEN"}  # fmt: skip
    assert set(re.findall(r"([A-Za-z_]+) ?\(", re.sub(r"'[^']*'", "", whole))) <= known


def test_no_key_stands_in_what_athena_logs() -> None:
    key = TestKeys().key("members/gifts")
    assert key.hex() not in unload()
    assert key.hex()[:16] not in unload()


def test_a_name_with_a_quote_stays_a_name() -> None:
    assert "TO 's3://curated/o''hara/'" in unload(location="s3://curated/o'hara/")


def test_the_whole_statement_gives_the_rows_that_are_released(tmp_path: Path) -> None:
    world = World(tmp_path, policy())
    gifts = [row for age in (21, 29, 41, 58) for row in people(range(age * 100, age * 100 + 8), age=age)]
    source = parquet_file(tmp_path / "source.parquet", [*gifts, *people([1, 2], age=90)])
    done = world.release(source, form="parquet")
    assert isinstance(done, Release)
    (part,) = done.certificate.parts
    (batch,) = (tmp_path / "ledger" / "files").iterdir()
    db = duckdb.connect(config={"threads": 1})
    for prepare in duckdb_preamble(world.keys.key("members/gifts")):
        db.execute(prepare)
    db.execute(f"CREATE VIEW gifts AS FROM '{source}'")
    columns = "age, zip, amount, currency, _row, {member}, _class"
    member = "CAST('0x' || substr(_member, 1, 16) AS UBIGINT)"  # a batch holds its first half, as a number
    whole = db.execute(
        f"SELECT {columns.format(member=member)} FROM ({statement(world.policy, part.levels, 'gifts')}) ORDER BY ALL"
    ).fetchall()
    of_batch = columns.format(member="_member")
    assert whole == db.execute(f"SELECT {of_batch} FROM '{batch}' ORDER BY ALL").fetchall()
    assert len(whole) == part.rows == pq.read_metadata(done.folder / part.file).num_rows
