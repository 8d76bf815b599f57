"""A region was lost between two uploads: what of a release ledger came over is refused, and goes on once it is cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.release_ledger import ShownError, cut, look
from tests.releases.desk import Desk, facts
from tests.releases.test_making import lines

FIRST, LATER = range(200), range(200, 400)


@dataclass
class Folder:
    """A dataset's ledger as `FileLedger` has it, by the names that S3 has."""

    path: Path

    def names(self) -> Sequence[str]:
        return sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*.*"))

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def delete(self, name: str) -> None:
        (self.path / name).unlink()


@pytest.fixture
def ledger(desk: Desk) -> Folder:
    """One release is served, the next was decided and not shown yet when the region was lost."""
    desk.consent([*FIRST, *LATER])
    desk.give("a", facts(FIRST))
    desk.wait(days=14)
    desk.give("b", facts(LATER))
    desk.ledgers.is_behind = True
    desk.wait(days=14)
    assert [revision.number for revision in desk.released()] == [1]
    desk.ledgers.is_behind = False
    return Folder(desk.folder / "ledgers" / "donations")


@pytest.mark.parametrize("lost", ["records/00000002.json", "the second batch's file"])
def test_half_a_ledger_is_refused_and_once_it_is_cut_the_same_rows_are_released(
    desk: Desk, ledger: Folder, lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = sorted(
        (name for name in ledger.names() if name.startswith("files/")),
        key=lambda name: (ledger.path / name).stat().st_mtime_ns,
    )
    ledger.delete(lost if lost.startswith("records/") else second)
    desk.start()
    desk.work(days=1)
    assert "LedgerError" in [line["error"] for line in lines(capsys, "release_failed")]
    assert desk.states()["b"] == ("waiting", "")

    half = look(ledger, shown=1)
    assert half.whole == 2
    assert set(half.left_over) == set(ledger.names()) - {
        "records/00000000.json",
        "records/00000001.json",
        first,
    }
    cut(ledger, half)
    assert look(ledger, shown=1).left_over == []

    desk.start()
    desk.work(days=1)
    assert [(revision.number, revision.rows) for revision in desk.released()] == [(1, 200), (2, 400)]
    assert desk.states()["b"] == ("released", "")


def test_of_a_whole_ledger_nothing_is_left_over(ledger: Folder) -> None:
    assert look(ledger, shown=1).left_over == []


def test_what_was_shown_is_never_cut(ledger: Folder) -> None:
    """Rows that buyers have would be released a second time in other cells."""
    ledger.delete("records/00000001.json")
    before = ledger.names()
    with pytest.raises(ShownError, match="cut nothing"):
        look(ledger, shown=1)
    assert ledger.names() == before


def test_records_go_from_the_last_one_on_so_that_an_interrupted_cut_may_be_repeated(ledger: Folder) -> None:
    ledger.delete("records/00000002.json")
    half = look(ledger, shown=1)
    records = [name for name in half.left_over if name.startswith("records/")]
    assert records == sorted(records, reverse=True)
    for name in half.left_over[:1]:
        ledger.delete(name)
    cut(ledger, look(ledger, shown=1))
    assert look(ledger, shown=1).left_over == []
