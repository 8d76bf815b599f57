"""What somebody withdrew from is taken back: whole cells, whatever fails meanwhile, and whether or not anything takes its place."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from amply_lake.history import History
from amply_releases import running
from amply_releases.datasets import Source
from amply_releases.ports import Revision
from tests.releases import memory
from tests.releases.desk import Desk, facts
from tests.releases.test_killed import SHOWN_AGAIN
from tests.releases.test_making import DONORS, lines


def test_a_withdrawal_takes_its_cell_and_ends_what_was_released_before(desk: Desk) -> None:
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)
    assert [revision.rows for revision in desk.released()] == [200]
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    (revision,) = desk.released()
    assert revision.number == 2, "without waiting for its day, and the first is served no more"
    assert 200 - 60 <= revision.rows <= 200 - 20
    desk.work(days=1)
    assert [revision.number for revision in desk.released()] == [2], "nothing has changed since"


def _released_and_withdrawn(desk: Desk, numbers: Sequence[int]) -> None:
    """Some facts are out, and so many of their donors do not want that any more."""
    desk.consent(range(200))
    desk.give("a", facts(DONORS if numbers is DONORS else range(200)))
    desk.wait(days=14)
    desk.consent(numbers, "withdrawn", on=desk.now.date())


def test_where_everybody_has_withdrawn_nothing_is_served(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    desk.consent(DONORS, "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    assert desk.released() == []


def test_where_everybody_has_withdrawn_it_is_said_and_nobody_is_called(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    _released_and_withdrawn(desk, DONORS)
    desk.work(days=0.3)
    assert "people in every cell have withdrawn" in desk.datasets.refused["donations"]
    assert lines(capsys, "k_anon_violation") == []


def test_no_earlier_revision_is_hidden_by_one_that_was_taken_back_by_hand(desk: Desk) -> None:
    desk.consent(range(200))
    for name, first in (("a", 0), ("b", 70), ("c", 140)):
        desk.give(name, facts(range(first, first + 60)))
        desk.wait(days=14)
    desk.datasets.taken_back.add(("donations", 2))
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    assert [revision.number for revision in desk.released()] == [4]
    assert list(desk.catalogue.partitions) == [("donations", 4)], "nor is it asked for by SQL"


def test_what_a_killed_release_left_half_shown_is_taken_back_too(desk: Desk) -> None:
    """Its number was decided and its item written, and buyers were not led there yet."""
    _released_and_withdrawn(desk, [7])
    desk.dying.left, desk.dying.after = SHOWN_AGAIN, True
    with pytest.raises(memory.Killed):
        desk.work(days=0.3)
    desk.dying.left = None
    assert [revision.number for revision in desk.released()] == [2]
    desk.consent(range(200), "withdrawn", on=desk.now.date())
    desk.start()
    desk.work(days=0.3)
    assert desk.released() == []


def test_a_revision_that_appears_after_cells_of_it_were_withheld_is_served_to_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process found nothing to take back, and need not look at its number again."""
    publish = desk.datasets.publish

    def late(source: Source, revision: Revision) -> None:
        History.read(desk.ledgers.of("donations"), "donations").append("withheld", cells={"1": [0]})
        desk.datasets.keep_from("donations", 2)
        publish(source, revision)

    monkeypatch.setattr(desk.datasets, "publish", late)
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)
    assert list(desk.datasets.revisions) == [("donations", 1)]
    assert desk.released() == []
    assert desk.catalogue.partitions == {}


def test_what_stops_a_release_stops_no_withdrawal(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    _released_and_withdrawn(desk, [7])
    desk.give("b", facts(range(200, 240)))
    desk.raw.unfetched = True
    desk.wait(days=14)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["PermissionError"]
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.states()["b"] == ("waiting", "")


def test_what_fails_once_a_release_is_published_stops_no_withdrawal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _released_and_withdrawn(desk, [7])
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))

    def away(*_: object, **__: object) -> None:
        raise ConnectionError

    desk.work()
    monkeypatch.setattr(desk.datasets, "decide", away)
    desk.work(days=14)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["ConnectionError"]
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.datasets.standings["donations"].withdrawals_at == desk.now


def test_where_no_release_can_take_its_place_what_people_withdrew_from_is_served_no_more(desk: Desk) -> None:
    _released_and_withdrawn(desk, [7])
    desk.catalogue.is_away = True
    desk.work(days=0.3)
    assert desk.released() == []
    desk.catalogue.is_away = False
    desk.work(days=0.1)
    assert [revision.number for revision in desk.released()] == [2]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_batch_that_cannot_be_read_holds_up_no_withdrawal_from_another(
    desk: Desk, lost: int, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.consent(range(200))
    for name, first in (("a", 0), ("b", 100)):
        desk.give(name, facts(range(first, first + 100)))
        desk.wait(days=14)
    history = History.read(desk.ledgers.of("donations"), "donations")
    kept = desk.folder / "ledgers" / "donations" / "files" / history.batches[lost].file
    away = kept.rename(desk.folder / "away")
    in_the_other = 7 if lost else 107
    desk.consent([in_the_other], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["LedgerError"]
    assert desk.released() == []
    away.rename(kept)
    desk.work(days=0.1)
    (revision,) = desk.released()
    assert 200 - 60 <= revision.rows <= 200 - 20


def test_a_description_that_cannot_be_read_closes_to_what_is_new_and_stops_no_withdrawal(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    _released_and_withdrawn(desk, [7])
    desk.give("b", facts(range(200, 240)))
    desk.consent(range(200, 240))
    desk.datasets.unreadable["donations"] = "It cannot be read."
    tried_at = desk.datasets.standings["donations"].tried_at
    desk.wait(days=15)
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.states()["b"] == ("waiting", "")
    assert desk.datasets.refused["donations"] == "It cannot be read."
    assert len(lines(capsys, "release_refused")) == 1, "once, and not each minute"
    assert desk.datasets.standings["donations"].tried_at == tried_at, "its day comes no later"
    desk.datasets.unreadable.clear()
    desk.work(days=0.1)
    assert desk.states()["b"] == ("released", "")


def test_a_refused_batch_holds_no_withdrawal_up(desk: Desk) -> None:
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)
    desk.give("b", facts(range(200, 205)))
    desk.consent(range(200, 205))
    desk.consent([7], "withdrawn", on=(desk.now + timedelta(days=14)).date())
    desk.wait(days=14)
    assert "would have to be left out" in desk.datasets.refused["donations"]
    assert [revision.number for revision in desk.released()] == [2]


def test_a_queue_that_does_not_answer_stops_no_withdrawal(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _released_and_withdrawn(desk, [7])
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0)
    desk.queue.is_away = True
    desk.work(days=0.3)
    assert [revision.number for revision in desk.released()] == [2]
    assert [line["why"] for line in lines(capsys, "arrivals_not_taken")] == ["ConnectionError"]


def test_while_nobody_says_what_datasets_there_are_messages_are_taken(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the look is made as soon as somebody does."""
    _released_and_withdrawn(desk, [7])
    monkeypatch.setattr(running, "_PAUSE_SECONDS", 0)
    desk.give("b", facts(range(200, 240)))

    def away() -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(desk.datasets, "known", away)
        desk.work(days=0.3)
    assert (desk.queue.messages, desk.states()["b"][0]) == ([], "waiting")
    (line,) = lines(capsys, "release_failed")
    assert (line["dataset"], line["error"], line["why"]) == ("", "ConnectionError", ""), (
        "no withdrawal is honoured"
    )
    desk.work()
    assert [revision.number for revision in desk.released()] == [2]


def test_of_two_failures_the_one_that_says_what_to_do_is_told(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bucket that does not answer does so again; a dataset that nobody is told of waits for ever."""
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)
    desk.give("b", facts(range(200, 240)))
    desk.work()
    desk.raw.unfetched = True
    desk.buyers.grants["donations"] = ["no name"]
    desk.work(days=14)
    (line,) = lines(capsys, "release_failed")
    assert (line["error"], "no buyer" in line["why"]) == ("LakeError", True)
