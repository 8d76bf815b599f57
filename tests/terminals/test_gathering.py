"""From messages to files of datasets: nothing lost, nothing written twice for nothing, and the anonymiser takes them."""

import csv
import gzip
import io
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from amply_lake.policy_document import read_policy
from amply_terminals import gathering
from amply_terminals.datasets import DATASETS, Dataset
from amply_terminals.gathering import gather
from amply_terminals.keeping import keep
from amply_terminals.told import Kind
from stacks.lake.terminal_contract import DATASETS as IN_THE_STACK
from tests.lake.lake_world import World, rows_of
from tests.terminals.terminal_world import LOBBY, NOW, ORGANIZATION, Shelf, count, gift, handed

NEXT_DAY = NOW + timedelta(hours=2)


class Named:
    """The table, as a list of what was said to it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def name(self, dataset: Dataset) -> None:
        self.said.append(dataset.id)


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    for number in (1, 2, 3):
        keep(handed(gift(number)), store=shelf)
    keep(handed(count(), kind="counters"), store=shelf)
    return shelf


def _gather(shelf: Shelf, *, later: timedelta = timedelta(0)) -> list[tuple[str, int]]:
    return [(file.dataset, file.rows) for file in gather(store=shelf, sources=Named(), now=NEXT_DAY + later)]


def _rows(shelf: Shelf, dataset: str) -> list[Mapping[str, str]]:
    found = [
        body for key, body in shelf.objects.items() if key.startswith(f"datasets/{dataset}/dt=2026-11-27/")
    ]
    return [row for body in found for row in csv.DictReader(io.StringIO(gzip.decompress(body).decode()))]


def test_a_day_that_is_over_becomes_a_file_of_each_dataset(shelf: Shelf) -> None:
    assert list(gather(store=shelf, sources=Named(), now=NOW)) == [], "the day is not over"
    assert _gather(shelf) == [("terminal_gifts", 3), ("terminal_counters", 1)]
    assert _rows(shelf, "terminal_gifts")[0] == {
        "event_id": f"{LOBBY}:1",
        "terminal": LOBBY,
        "organization": ORGANIZATION,
        "given_on": "2026-11-27",
        "method": "card",
        "amount_minor": "500",
        "currency": "EUR",
    }


def test_where_nothing_is_new_nothing_is_read_or_written(shelf: Shelf) -> None:
    _gather(shelf)
    before, shelf.reads = dict(shelf.objects), 0
    assert _gather(shelf, later=timedelta(days=14)) == []
    assert (shelf.objects, shelf.reads) == (before, 0)


def test_what_came_late_is_in_a_second_file_under_the_same_event_ids(shelf: Shelf) -> None:
    _gather(shelf)
    keep(handed(gift(4)), store=shelf)
    assert _gather(shelf, later=timedelta(days=14)) == [("terminal_gifts", 4)]
    rows = _rows(shelf, "terminal_gifts")
    assert len(rows) == 7
    assert {row["event_id"] for row in rows} == {f"{LOBBY}:{number}" for number in (1, 2, 3, 4)}


def test_a_long_day_becomes_several_files(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "ROWS_OF_A_FILE", 2)
    assert _gather(shelf) == [("terminal_gifts", 2), ("terminal_gifts", 1), ("terminal_counters", 1)]
    assert len(_rows(shelf, "terminal_gifts")) == 3


@pytest.mark.parametrize("calls", range(5))
def test_ended_at_any_moment_the_next_turn_goes_on(shelf: Shelf, calls: int) -> None:
    shelf.fails_after = calls
    with pytest.raises(ConnectionError):
        _gather(shelf)
    shelf.fails_after = None
    _gather(shelf)
    assert len(_rows(shelf, "terminal_gifts")) == 3
    assert len(_rows(shelf, "terminal_counters")) == 1


def test_a_dataset_is_named_before_a_file_of_it_is_there(shelf: Shelf) -> None:
    class Away(Named):
        def name(self, dataset: Dataset) -> None:
            raise ConnectionError(dataset.id)

    with pytest.raises(ConnectionError, match="terminal_gifts"):
        list(gather(store=shelf, sources=Away(), now=NEXT_DAY))
    assert not any(key.startswith("datasets/") for key in shelf.objects)


@pytest.mark.parametrize("kind", Kind)
def test_a_policy_names_the_columns_of_its_files_and_counts_terminals(kind: Kind) -> None:
    dataset = DATASETS[kind]
    policy = read_policy(dataset.document.encode())
    assert policy.id == dataset.policy
    assert set(policy.columns) == set(dataset.columns.values())
    assert policy.person[0] == "terminal"
    assert "organization" not in policy.released
    assert (policy.k, policy.l) == (20, 2)


def test_the_stack_lets_write_what_is_gathered() -> None:
    assert {kind.value: dataset.id for kind, dataset in DATASETS.items()} == IN_THE_STACK


def test_the_anonymiser_releases_each_gift_once_and_no_terminal(tmp_path: Path) -> None:
    """Of twenty-four terminals, though what came late made a second file with all rows again."""
    shelf, dataset = Shelf(), DATASETS[Kind.GIFTS]
    terminals = [f"{ORGANIZATION}:till-{number}" for number in range(24)]
    for number, terminal in enumerate(terminals):
        keep(handed(gift(1, amount_minor=50 if number % 2 else 500), terminal=terminal), store=shelf)
    _gather(shelf)
    keep(handed(gift(2, amount_minor=2500), terminal=terminals[0]), store=shelf)
    _gather(shelf)
    files = []
    for key, body in shelf.objects.items():
        if key.startswith("datasets/"):
            files.append(tmp_path / key.replace("/", "-"))
            files[-1].write_bytes(body)

    world = World(tmp_path, read_policy(dataset.document.encode()))
    done = world.released(*files)
    assert len(files) == 2
    assert len(rows_of(done)) == 25
    released = b"".join(path.read_bytes() for path in done.folder.iterdir())
    assert ORGANIZATION.encode() not in released
    assert b"till-" not in released
