"""Where another region took over, all files are told of again, and S3 does not promise that a replica has its source's ETag."""

from tests.releases.desk import Desk, facts
from tests.releases.memory import Raw


def _told_again(desk: Desk, *, region: str) -> None:
    raw: Raw = desk.raw
    raw.region = region
    desk.start()
    for key in sorted(raw.objects):
        desk.tell(key)
    desk.work()


def _released(desk: Desk) -> None:
    desk.consent(range(240))
    desk.give("a", facts(range(200)))
    desk.give("b", facts(range(5), amount_minor=7))
    desk.give("c", facts(range(300, 310)))
    desk.wait(days=14)
    assert {name: state for name, (state, _) in desk.states().items()} == {
        "a": "released",
        "b": "set_aside",
        "c": "released",
    }


def test_told_again_of_files_that_are_as_they_were_nothing_waits(desk: Desk) -> None:
    _released(desk)
    was = desk.states()
    _told_again(desk, region="")
    assert desk.states() == was


def test_told_again_of_files_with_other_etags_they_wait_once_more_and_nothing_is_released_twice(
    desk: Desk,
) -> None:
    _released(desk)
    was, (first,) = desk.states(), desk.released()
    _told_again(desk, region="eu-central-1")
    assert {state for state, _ in desk.states().values()} == {"waiting"}
    desk.work(days=14)
    assert desk.states() == was
    assert desk.released() == [first], "the same release, which is there already"
    assert "donations" not in desk.datasets.refused


def test_what_is_new_among_files_that_wait_once_more_is_released_and_nothing_else(desk: Desk) -> None:
    """Rows that are out already are so by the file's hash, and in another file by their key."""
    _released(desk)
    desk.give("d", facts(range(160, 240)))
    _told_again(desk, region="eu-central-1")
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=14)
    assert [revision.number for revision in desk.released()] == [2]
    (first, second) = desk.released()[0].files
    assert second.rows == 40
    assert 200 - 60 <= first.rows <= 200 - 20, "and who has withdrawn is gone with their cell"
