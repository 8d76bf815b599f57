"""Files that poison: each is refused with its reason, and nothing is released."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amply_lake import Limits, SourceError
from tests.lake.lake_world import World, csv_file, parquet_file, people, policy, rows_of

HEADER = b"event,person,email,age,zip,amount,currency\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, policy())


class Narrow(World):
    """A world with limits that a small file exceeds."""

    @property
    def limits(self) -> Limits:
        return Limits(
            spill=self.folder / "spill", memory_bytes=256 << 20, threads=1, rows=100, source_bytes=1 << 20,
            expansion=10, free_bytes=10_000, cell_bytes=200, files=2, tuples=5,
        )  # fmt: skip


def refused(world: World, path: Path, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        world.release(path)
    assert "person_" not in str(caught.value)  # what a file holds is not told on
    assert list(world.ledger.records()) == []
    assert world.made() == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "lacks"),
        (HEADER, "no rows"),
        (HEADER.replace(b"zip", b"postcode"), "lacks zip"),
        (
            HEADER.replace(b"\n", b",note\n") + b"1,person_1,c,4,5,6,7,8\n",
            "'note', of which the policy small says nothing",
        ),
        (HEADER.replace(b"\n", b",zip\n"), "twice"),
        (HEADER + b"1,person_\xff,c,4,5,6,7\n", "UTF-8"),
        (b"\xff" + HEADER, "UTF-8"),
        (HEADER + b"1,person_2,c\n", "rows of one length"),
        (HEADER + b"1,person_2,c,4,5,6,7,8\n", "rows of one length"),
        (HEADER + b'1,"person_2,c,4,5,6,7\n', "rows of one length"),
        (HEADER.replace(b"\n", b"\r\n") + b"1,person_2,c,4,5,6,7\r\n", "line feeds alone"),
    ],
)
def test_csv_that_is_not_what_the_policy_says(world: World, content: bytes, reason: str) -> None:
    path = world.folder / "poison.csv"
    path.write_bytes(content)
    refused(world, path, reason)


def test_parquet_that_is_none(world: World) -> None:
    path = world.folder / "poison.parquet"
    path.write_bytes(b"PAR1 and nothing else PAR1")
    refused(world, path, "not whole Parquet")


def test_parquet_that_was_cut_off(world: World) -> None:
    path = parquet_file(world.folder / "poison.parquet", people(range(20)))
    path.write_bytes(path.read_bytes()[:-20])
    refused(world, path, "not whole Parquet")


def test_parquet_with_a_column_of_lists(world: World) -> None:
    rows = [{**row, "zip": ["1", "2"]} for row in people(range(5))]
    refused(world, parquet_file(world.folder / "poison.parquet", rows), "write it as text")


def test_a_file_of_another_kind(world: World) -> None:
    path = world.folder / "poison.xlsx"
    path.write_bytes(b"PK")
    refused(world, path, "neither .parquet, .csv nor .csv.gz")


def test_a_file_that_is_not_there(world: World) -> None:
    refused(world, world.folder / "missing.csv", "cannot be read")


def test_a_huge_cell(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    rows = [*people(range(9)), {**people([9])[0], "email": "x" * 300}]
    refused(world, parquet_file(tmp_path / "poison.parquet", rows), "a cell of email has 300 bytes")


def test_a_line_without_an_end(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    path = tmp_path / "poison.csv"
    path.write_bytes(HEADER + b"1,person_1," + b"x" * 100_000)
    refused(world, path, "rows of one length")


def test_a_gzip_bomb(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    path = tmp_path / "poison.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(HEADER)
        for _ in range(64):
            file.write(b"\n" * 65_536)
    refused(world, path, "unpacks to more than 10 times")


def test_a_parquet_bomb(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    table = pa.Table.from_pylist([{**row, "email": "0" * 190} for row in people(range(90))])
    pq.write_table(table, tmp_path / "poison.parquet", compression="zstd", use_dictionary=False)
    size = (tmp_path / "poison.parquet").stat().st_size
    world.__class__ = type("Narrower", (Narrow,), {"limits": property(lambda _: _narrower(tmp_path, size))})
    refused(world, tmp_path / "poison.parquet", "unpacks to more than 2 times")


def _narrower(folder: Path, size: int) -> Limits:
    return Limits(spill=folder / "spill", expansion=2, free_bytes=size, memory_bytes=256 << 20, threads=1)


def test_more_rows_than_may_be(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    refused(world, parquet_file(tmp_path / "poison.parquet", people(range(101))), "100 may be read")
    refused(world, csv_file(tmp_path / "poison.csv", people(range(101))), "100 may be read")


def test_more_files_than_may_be(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    with pytest.raises(SourceError, match="give 1 to 2"):
        world.release(*(world.source(people([number])) for number in range(3)))


def test_levels_that_tell_too_many_apart(tmp_path: Path) -> None:
    world = Narrow(tmp_path, policy())
    rows = [row for age in range(0, 100, 10) for row in people(range(age, age + 5), age=age)]
    with pytest.raises(SourceError, match="begin with coarser ones"):
        world.release(world.source(rows))


def test_two_rows_that_differ_under_one_key(world: World) -> None:
    rows = people(range(20))
    refused(world, world.source([*rows, {**rows[0], "amount": 77}]), "two rows that differ have one event")


def test_what_is_no_number_is_unknown_and_counts_for_nothing(world: World) -> None:
    """NaN and infinity in a column of numbers are no values of it."""
    rows = [
        {**row, "amount": amount}
        for row, amount in zip(people(range(20)), [5.0, 50.0] * 9 + [float("nan"), float("inf")], strict=True)
    ]
    done = world.released(parquet_file(world.folder / "source.parquet", rows))
    assert sorted(row["amount"] for row in rows_of(done))[-2:] == ["?", "?"]


def test_a_gzipped_file_is_read(world: World) -> None:
    plain = csv_file(world.folder / "plain.csv", people(range(20)))
    packed = world.folder / "packed.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert world.released(packed).certificate.rows == 20
