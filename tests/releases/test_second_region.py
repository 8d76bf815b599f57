"""Where there are copies in a second region: nobody sees what is not there yet, and what takes over shows what was served."""

from hashlib import sha256
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from tests.releases.desk import Desk, facts
from tests.releases.test_making import lines

DONORS = range(200)


def _released(desk: Desk) -> None:
    desk.consent(DONORS)
    desk.give("a", facts(DONORS))
    desk.wait(days=14)


@pytest.mark.parametrize("bucket", ["ledgers", "curated"])
def test_nobody_sees_a_release_that_the_second_region_does_not_have_yet(
    desk: Desk, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lost region would take along what was known of rows that buyers have."""
    getattr(desk, bucket).is_behind = True
    _released(desk)
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
    _released(desk)
    desk.work(days=20 / 1440)
    assert lines(capsys, "release_failed") == []
    desk.work(days=20 / 1440)
    assert [line["error"] for line in lines(capsys, "release_failed")] == ["NotCopiedError"]


def test_waiting_for_the_second_region_stops_no_withdrawal(desk: Desk) -> None:
    _released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.curated.is_behind = True
    desk.work(days=0.3)
    assert desk.released() == []
    desk.curated.is_behind = False
    desk.work(days=0.1)
    assert [revision.number for revision in desk.released()] == [2]


def test_no_buyer_sees_a_release_of_their_own_that_the_second_region_does_not_have_yet(desk: Desk) -> None:
    _released(desk)
    desk.buyers.grants["donations"] = ["acme"]
    desk.curated.is_behind = True
    desk.work()
    assert desk.given("acme") == []
    desk.curated.is_behind = False
    desk.work(days=3 / 1440)
    assert [(revision.number, revision.rows) for revision in desk.given("acme")] == [(1, 200)]


def test_a_catalogue_that_begins_empty_learns_of_what_is_served(desk: Desk) -> None:
    """As where another region took over; of earlier revisions it needs none, since the newest has all rows."""
    _released(desk)
    was = dict(desk.catalogue.partitions)
    desk.catalogue.partitions.clear()
    desk.start()
    desk.work(days=14)
    assert desk.catalogue.partitions == was
    assert [revision.number for revision in desk.released()] == [1]


def test_a_catalogue_learns_of_nothing_that_was_taken_back(desk: Desk) -> None:
    _released(desk)
    desk.datasets.taken_back.add(("donations", 1))
    desk.catalogue.partitions.clear()
    desk.work(days=14)
    assert desk.catalogue.partitions == {}


def test_no_file_gets_there_before_the_record_of_its_release(desk: Desk, tmp_path: Path) -> None:
    """What takes over decides another release under the same number, and must not find files of the lost one there."""
    _released(desk)
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
