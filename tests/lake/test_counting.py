"""What is counted by numbers is what is there: pseudonyms by a cipher's block, values by bits, labels once a value."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from amply_lake import Release
from amply_lake.measuring import measure
from amply_lake.pseudonyms import pseudonyms
from tests.lake.lake_world import TestKeys, World, parquet_file, people, policy, rows_of

KEY, OTHER_KEY = bytes(32), bytes([1]) * 32


def made(key: bytes, members: list[int], classes: list[int]) -> list[str]:
    told: list[str] = pseudonyms(key)(np.array(members, "u8"), np.array(classes, "u8")).to_pylist()
    return told


def test_a_pseudonym_is_another_one_for_each_person_class_and_key() -> None:
    members, classes = [7, 7, 8, 2**64 - 1], [1, 2, 1, 1]
    shown = made(KEY, members, classes)
    assert len({*shown, *made(OTHER_KEY, members, classes)}) == 8
    assert made(KEY, members[::-1], classes[::-1]) == shown[::-1]  # wherever it stands
    assert all(re.fullmatch(r"[A-Za-z0-9._]{12}", each) for each in shown)


def test_a_pseudonym_is_the_block_that_the_standard_says() -> None:
    """FIPS 197: AES-256 of the zero block under the zero key is dc95c078a2408989ad48a21492842087."""
    assert made(KEY, [0], [0]) == ["3JXAeKJAiYmt"]


def plainly(db: duckdb.DuckDBPyConnection) -> tuple[int, int, float]:
    """k, l and t by counting in Python."""
    of_class: defaultdict[Any, set[Any]] = defaultdict(set)
    held: defaultdict[Any, set[tuple[Any, Any]]] = defaultdict(set)
    for age, donor, cause in db.execute("FROM gifts").fetchall():
        of_class[age].add(donor)
        held[age].add((donor, cause))
    whole = [cause for pairs in held.values() for _, cause in pairs]

    def distance(pairs: set[tuple[Any, Any]]) -> float:
        causes = [cause for _, cause in pairs]
        return (
            sum(abs(causes.count(each) / len(causes) - whole.count(each) / len(whole)) for each in set(whole))
            / 2
        )

    known = [{cause for _, cause in pairs if cause != "?"} for pairs in held.values()]
    return min(map(len, of_class.values())), min(map(len, known)), max(map(distance, held.values()))


@pytest.mark.parametrize("values", [2, 31, 32, 33, 70])
def test_few_values_and_many_are_counted_alike(values: int) -> None:
    db = duckdb.connect(config={"threads": 1})
    db.execute(
        "CREATE TABLE gifts AS SELECT hash(i, 2) % 3 AS age, hash(i) % 60 AS donor, "
        f"CASE WHEN i % 7 = 0 THEN '?' ELSE CAST(hash(i, 1) % {values} AS VARCHAR) END AS cause FROM range(600) r(i)"
    )
    found = measure(db, "gifts", person="donor", quasi=["age"], sensitive=["cause"])
    k, least, distance = plainly(db)
    assert (found.rows, found.classes, found.k, found.l) == (600, 3, k, least)
    assert found.t == pytest.approx(distance, abs=1e-12)


def test_two_classes_of_the_same_people_stand_in_different_orders(tmp_path: Path) -> None:
    """Two classes of a batch, and those of another batch; else a place would tell which pseudonyms are one person's."""
    world = World(tmp_path, policy())
    for turn in (0, 1):
        ages = (21, 61)
        gifts = [row for age in ages for row in people(range(30), age=age, first=1000 * turn + 100 * age)]
        world.released(world.source(gifts))
    orders: list[tuple[int, ...]] = []
    for batch in (tmp_path / "ledger" / "files").iterdir():
        rows = pq.read_table(batch).to_pylist()
        numbers = [row["_class"] for row in rows]
        assert numbers == sorted(numbers)
        orders += [
            tuple(row["_member"] for row in rows if row["_class"] == number) for number in sorted({*numbers})
        ]
    assert len({frozenset(order) for order in orders}) == 1
    assert len({*orders}) == 4


def test_a_value_that_is_missing_or_spelled_in_two_ways_is_one_kind_of_row(tmp_path: Path) -> None:
    """Labels are made of distinct values: what is no value at all is one of these."""
    world = World(tmp_path, policy())
    gifts: list[dict[str, Any]] = [
        *people(range(10)),
        *({**row, "zip": None} for row in people(range(10, 20))),
        *({**row, "zip": " 1 0 9"} for row in people(range(20, 30))),
    ]
    done = world.release(parquet_file(tmp_path / "source.parquet", gifts), form="parquet")
    assert isinstance(done, Release)
    rows = pq.read_table(done.folder / "part-000001.parquet").to_pylist()
    assert sorted((row["zip"], 1) for row in rows) == [("10*", 1)] * 20 + [("?", 1)] * 10


def test_a_persons_rows_stand_in_another_order_under_another_key(tmp_path: Path) -> None:
    """Else their order would tell of the keys of rows, to whoever has some to try."""
    gifts = [
        {**row, "event": f"ev_{row['person']}_{turn}", "currency": f"{row['person']} {turn}"}
        for turn in range(6)
        for row in people(range(10))
    ]
    orders = []
    for secret in (b"one", b"another"):
        (tmp_path / secret.decode()).mkdir()
        world = World(tmp_path / secret.decode(), policy(), keys=TestKeys(secret))
        of_person: defaultdict[str, list[str]] = defaultdict(list)
        for row in rows_of(world.released(world.source(gifts))):
            person, _, turn = row["currency"].partition(" ")
            of_person[person].append(turn)
        orders.append(of_person)
    assert orders[0].keys() == orders[1].keys()
    assert orders[0] != orders[1]
