"""Where there are copies in a second region: nobody sees what is not there yet, and what takes over shows what was served."""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from amply_lake.history import History
from tests.releases.desk import Desk, facts
from tests.releases.test_making import lines

DONORS = range(200)
MINUTE = 1 / 1440
"""In days."""


def released(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)


@pytest.mark.parametrize("bucket", ["ledgers", "curated"])
def test_nobody_sees_a_release_that_the_second_region_does_not_have_yet(
    desk: Desk, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lost region would take along what was known of rows that buyers have."""
    getattr(desk, bucket).is_behind = True
    released(desk)
    assert (desk.released(), desk.catalogue.partitions) == ([], {})
    assert [line["dataset"] for line in lines(capsys, "release_waits")] == ["donations"]
    desk.work(days=1 / 1440)
    assert lines(capsys, "release_waits") == [], "it is not asked all the time"
    getattr(desk, bucket).is_behind = False
    desk.work(days=1 / 1440)
    assert [revision.number for revision in desk.released()] == [1]
    assert desk.states()["a"] == ("released", "")


def test_what_is_not_copied_within_half_an_hour_has_failed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.ledgers.is_behind = True
    released(desk)
    desk.work(days=20 / 1440)
    assert lines(capsys, "release_failed") == []
    desk.work(days=20 / 1440)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["NotCopiedError"]


def test_waiting_for_the_second_region_stops_no_withdrawal(desk: Desk) -> None:
    released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.curated.is_behind = True
    desk.work(days=0.3)
    assert desk.released() == []
    desk.curated.is_behind = False
    desk.work(days=0.1)
    assert [revision.number for revision in desk.released()] == [2]


def test_no_buyer_sees_a_release_of_their_own_that_the_second_region_does_not_have_yet(desk: Desk) -> None:
    released(desk)
    desk.buyers.grants["donations"] = ["acme"]
    desk.curated.is_behind = True
    desk.work()
    assert desk.given("acme") == []
    desk.curated.is_behind = False
    desk.work(days=3 / 1440)
    assert [(revision.number, revision.rows) for revision in desk.given("acme")] == [(1, 200)]


def test_a_catalogue_that_begins_empty_learns_of_what_is_served(desk: Desk) -> None:
    """As where another region took over; of earlier revisions it needs none, since the newest has all rows."""
    released(desk)
    was = dict(desk.catalogue.partitions)
    desk.catalogue.partitions.clear()
    desk.start()
    desk.work(days=MINUTE)
    assert desk.catalogue.partitions == was
    assert [revision.number for revision in desk.released()] == [1]


def test_a_catalogue_learns_of_nothing_that_was_taken_back(desk: Desk) -> None:
    released(desk)
    desk.datasets.taken_back.add(("donations", 1))
    desk.catalogue.partitions.clear()
    desk.start()
    desk.work(days=14)
    assert desk.catalogue.partitions == {}


def test_no_file_gets_there_before_the_record_of_its_release(desk: Desk, tmp_path: Path) -> None:
    """What takes over decides another release under the same number, and must not find files of the lost one there."""
    released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    lost = copytree(tmp_path / "ledgers", tmp_path / "arrived")
    desk.ledgers.is_behind = True
    desk.work(days=0.3)
    assert desk.released() == []
    rmtree(tmp_path / "ledgers")
    lost.rename(tmp_path / "ledgers")
    desk.ledgers.is_behind = False
    desk.consent([8, 9], "withdrawn", on=desk.now.date())
    desk.start()
    desk.work(days=0.3)
    (revision,) = desk.released()
    for file in revision.files:
        assert sha256(desk.curated.objects[file.key]).hexdigest() == file.sha256


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_withdrawal_that_a_buyers_wait_brought_forward_leaves_nobody_with_nothing(
    desk: Desk, *, is_killed: bool
) -> None:
    """What was released before is served no more at once; what takes its place was decided, and is shown as soon as it is there too."""
    released(desk)
    desk.work(days=0.3)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.buyers.grants["donations"] = ["acme"]
    desk.ledgers.is_behind = True
    desk.work(days=MINUTE)
    assert desk.released() == []
    desk.ledgers.is_behind = False
    if is_killed:
        desk.start()
    desk.work(days=2 * MINUTE)
    assert [revision.number for revision in desk.released()] == [2]
    assert [revision.number for revision in desk.given("acme")] == [1]


def test_what_comes_in_while_a_release_waits_is_no_batch_of_its_own(desk: Desk) -> None:
    """A certificate has room for so many batches, and what comes in is collected until the next day that is due."""
    desk.ledgers.is_behind = True
    released(desk)
    decided_at = desk.now
    for name, first in (("b", 200), ("c", 240)):
        desk.consent(range(first, first + 40))
        desk.give(name, facts(range(first, first + 40)))
        desk.work(days=2 * MINUTE)
    desk.ledgers.is_behind = False
    for _ in range(2):
        desk.work(days=2 * MINUTE)
    history = History.read(desk.ledgers.of("donations"), "donations")
    assert [len(batch.sources) for batch in history.batches] == [1]
    assert [(revision.number, revision.rows) for revision in desk.released()] == [(1, 200)]
    assert {name: state for name, (state, _) in desk.states().items()} == {
        "a": "released",
        "b": "waiting",
        "c": "waiting",
    }
    assert desk.datasets.standings["donations"].tried_at == decided_at
    desk.work(days=14)
    assert [revision.rows for revision in desk.released()] == [200, 280]


def test_a_release_that_is_asked_for_while_another_waits_is_made_too(desk: Desk) -> None:
    desk.ledgers.is_behind = True
    released(desk)
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.work(days=MINUTE)
    desk.datasets.asked_for = desk.now
    desk.ledgers.is_behind = False
    for _ in range(2):
        desk.work(days=2 * MINUTE)
    assert [revision.rows for revision in desk.released()] == [200, 240]


def test_a_release_that_is_asked_for_before_a_withdrawal_makes_another_is_made_too(desk: Desk) -> None:
    """What was waiting counts as tried when it was decided, and not when it was decided again without whoever has withdrawn."""
    desk.ledgers.is_behind = True
    released(desk)
    decided_at = desk.now
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.work(days=MINUTE)
    desk.datasets.asked_for = desk.now
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=2 * MINUTE)
    desk.ledgers.is_behind = False
    desk.work(days=2 * MINUTE)
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.datasets.standings["donations"].tried_at == decided_at
    desk.work(days=2 * MINUTE)
    assert desk.states()["b"] == ("released", "")


def test_who_asked_within_the_second_in_which_it_was_decided_has_it(desk: Desk) -> None:
    """Certificates have whole seconds: what came in meanwhile would be released for nobody who asked."""
    desk.consent(range(240))
    desk.give("a", facts(DONORS))
    desk.work()
    desk.ledgers.is_behind = True
    desk.datasets.asked_for = desk.now + timedelta(minutes=1, milliseconds=400)
    desk.now += timedelta(minutes=1, milliseconds=600)
    desk.work()
    desk.give("b", facts(range(200, 240)))
    desk.ledgers.is_behind = False
    for _ in range(2):
        desk.work(days=2 * MINUTE)
    assert {name: state for name, (state, _) in desk.states().items()} == {"a": "released", "b": "waiting"}


def test_what_comes_in_waits_for_its_day_though_a_look_failed_after_showing(desk: Desk) -> None:
    desk.ledgers.is_behind = True
    released(desk)
    decided_at = desk.now
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.work(days=MINUTE)
    desk.ledgers.is_behind = False
    desk.raw.unfetched = True
    desk.work(days=2 * MINUTE)
    assert [revision.number for revision in desk.released()] == [1]
    assert desk.states()["a"] == ("waiting", "")
    desk.raw.unfetched = False
    desk.work(days=11 * MINUTE)
    assert {name: state for name, (state, _) in desk.states().items()} == {"a": "released", "b": "waiting"}
    assert desk.datasets.standings["donations"].tried_at == decided_at


@pytest.mark.parametrize("is_described", [True, False])
def test_what_ended_ends_again_where_only_that_it_had_ended_has_arrived(
    desk: Desk, *, is_described: bool
) -> None:
    """Items of the table arrive in any order."""
    released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    desk.datasets.taken_back.clear()
    if not is_described:
        desk.datasets.unreadable["donations"] = "It cannot be read."
    desk.start()
    desk.work(days=MINUTE)
    assert [revision.number for revision in desk.released()] == [2]


def test_what_ended_and_was_never_decided_as_far_as_is_known_is_decided_again(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table arrived, and the ledger's last records did not: its next release has a number that nobody is to be refused."""
    released(desk)
    _ahead(desk, kept_from=4)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.start()
    desk.work(days=0.3)
    assert [revision.number for revision in desk.released()] == [2]
    assert desk.datasets.standings["donations"].kept_from == 2
    assert lines(capsys, "release_failed") == []


def _ahead(desk: Desk, *, kept_from: int) -> None:
    desk.datasets.taken_back |= {("donations", number) for number in range(1, kept_from)}
    desk.datasets.keep_from("donations", kept_from)


def test_what_ended_is_ended_again_once_a_process_whatever_fails_after_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are thousands of numbers, and each is a write."""
    released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    ended: list[int] = []
    take_back = desk.datasets.take_back

    def counted(dataset_id: str, *, since: int, before: int, now: datetime) -> None:
        ended.append(since)
        take_back(dataset_id, since=since, before=before, now=now)

    monkeypatch.setattr(desk.datasets, "take_back", counted)
    was = dict(desk.catalogue.partitions)
    desk.catalogue.partitions.clear()
    desk.catalogue.is_away = True
    monkeypatch.setattr(desk.catalogue, "remove", lambda *_: None)
    desk.start()
    desk.work(days=MINUTE)
    desk.catalogue.is_away = False
    desk.work(days=11 * MINUTE)
    assert (ended, desk.catalogue.partitions) == ([1], was)


def test_what_is_refused_though_nobody_withdrew_from_it_is_told_of(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would count as released, with nothing served and nobody told."""
    released(desk)
    desk.datasets.taken_back.add(("donations", 2))
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.wait(days=14)
    (line,) = lines(capsys, "release_failed")
    assert "was taken back before it was shown" in line["why"]
    assert desk.catalogue.partitions == {("donations", 1): "released/donations/000001/"}


def test_what_failed_is_told_whatever_else_waits(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    released(desk)
    desk.give("b", facts(range(200, 240)))
    desk.work()
    desk.raw.unfetched = True
    desk.buyers.grants["donations"] = ["acme"]
    desk.curated.is_behind = True
    desk.work(days=14)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["PermissionError"]


def test_what_failed_first_is_told_where_a_withdrawal_fails_after_it(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nobody is given anything before whoever has withdrawn is withheld."""
    released(desk)
    desk.give("b", facts(range(200, 240)))
    desk.work()
    desk.raw.unfetched = True
    desk.buyers.grants["donations"] = ["acme"]
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.curated.is_behind = True
    desk.work(days=14)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["PermissionError"]
    assert desk.datasets.given == {}
