"""A ledger grows for ever; what is kept of it in memory does not, and nothing of it is read twice."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from amply_lake import FileLedger, LedgerError
from amply_lake.history import _READ, RELEASED, History


def _release(history: History, number: int, buyer: str = "all", *, certificate: str = "c") -> None:
    history.append(
        RELEASED,
        buyer=buyer,
        number=number,
        state="s",
        form="parquet",
        folder=f"{number:06}",
        certificate=certificate,
        rows_by="pseudonym",
    )


class CountingLedger(FileLedger):
    """Counts what is read of it."""

    read = 0

    def records(self, first: int = 0) -> Iterator[bytes]:
        for record in super().records(first):
            self.read += 1
            yield record


def test_a_ledger_of_many_certificates_is_read_within_the_room_of_a_few(tmp_path: Path) -> None:
    written = History.read(FileLedger(tmp_path), "gifts")
    for number in range(1, 201):
        _release(written, number, f"buyer-{number % 2}", certificate="c" * 100_000)
    tracemalloc.start()
    history = History.read(FileLedger(tmp_path), "gifts")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    newest = [history.newest_to(f"buyer-{number}") for number in (0, 1)]
    assert [each.number for each in newest if each] == [200, 199]
    assert most < 20 * 100_000, "of two hundred"


def test_what_was_read_is_not_read_again_and_what_came_since_is(tmp_path: Path) -> None:
    ledger, another = CountingLedger(tmp_path), FileLedger(tmp_path)
    for number in (1, 2):
        _release(History.read(another, "gifts"), number)
    first = History.read(ledger, "gifts")
    _release(History.read(another, "gifts"), 3)
    second = History.read(ledger, "gifts")
    assert ledger.read == 3
    assert [each.number for history in (first, second) if (each := history.newest_to("all"))] == [2, 3]


def test_what_one_has_read_is_not_changed_by_what_another_appends(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path)
    first = History.read(ledger, "gifts")
    first.append("withheld", cells={"1": [0]})
    second = History.read(ledger, "gifts")
    second.append("withheld", cells={"1": [7], "2": [1]})
    assert (first.withheld, second.withheld) == ({1: {0}}, {1: {0, 7}, 2: {1}})
    assert History.read(ledger, "gifts").state() == second.state() != first.state()


def test_what_does_not_follow_on_what_was_read_before_is_refused_each_time(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path)
    _release(History.read(ledger, "gifts"), 1)
    History.read(ledger, "gifts")
    ledger.append(1, next(ledger.records()))
    for _ in range(2):
        with pytest.raises(LedgerError, match="record 1 "):
            History.read(ledger, "gifts")


def test_a_ledger_that_was_read_is_refused_as_another_datasets_all_the_same(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path)
    _release(History.read(ledger, "gifts"), 1)
    History.read(ledger, "gifts")
    with pytest.raises(LedgerError, match="record 0 "):
        History.read(ledger, "visits")


def test_of_a_ledger_that_nobody_has_any_more_nothing_is_kept(tmp_path: Path) -> None:
    gc.collect()
    before = len(_READ)
    ledger = FileLedger(tmp_path)
    _release(History.read(ledger, "gifts"), 1)
    History.read(ledger, "gifts")
    assert len(_READ) == before + 1
    del ledger
    gc.collect()
    assert len(_READ) == before
