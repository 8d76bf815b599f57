"""How long a look waits for the second region, and what it makes meanwhile: neither buyers nor withdrawals wait for each other."""

from datetime import timedelta

import pytest

from amply_releases import buyer_releases, making, running
from tests.lake.lake_world import people
from tests.releases.desk import Desk, facts
from tests.releases.test_making import lines
from tests.releases.test_second_region import MINUTE, released


def _copied(desk: Desk) -> None:
    """All that was written up to now has arrived."""
    desk.ledgers.pending.clear()
    desk.curated.pending.clear()


def test_what_waits_is_not_kept_on_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six releases, the dataset's own and five buyers', would be on it at once."""
    released(desk)
    desk.buyers.grants["donations"] = ["acme", "zenith"]
    desk.curated.is_behind = True
    monkeypatch.setattr(type(desk.loop), "_leave_nothing_of", lambda *_: None)
    desk.work(days=MINUTE)
    assert [path.name for path in desk.loop.parts.scratch.rglob("*.parquet")] == []
    desk.curated.is_behind = False
    desk.work(days=2 * MINUTE)
    assert len(desk.given("acme")) == len(desk.given("zenith")) == 1


def test_many_buyers_are_served_one_after_another_and_nothing_is_told_as_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each one's release is made at one look, stored at the next, and shown at the third: those that were begun come first."""
    monkeypatch.setattr(buyer_releases, "MOST_A_TURN", 2)
    monkeypatch.setattr(running, "COPIED_WITHIN", timedelta(minutes=12))
    desk.sell("visits", release_every=timedelta(days=1))
    desk.give("a", people(range(20)), dataset="visits")
    desk.wait(days=1)
    buyers = [f"buyer-{number}" for number in range(20)]
    desk.buyers.grants["visits"] = buyers
    desk.ledgers.is_slow = desk.curated.is_slow = True
    looks = 0
    while not all(desk.given(buyer, "visits") for buyer in buyers):
        desk.work(days=2 * MINUTE)
        _copied(desk)
        looks += 1
        assert looks <= 2 * len(buyers)
    assert looks * running.COPIED_AFTER > running.COPIED_WITHIN, "longer than one release may wait"
    assert lines(capsys, "release_failed") == []


def test_what_is_copied_within_seconds_is_made_stored_and_shown_at_one_look(desk: Desk) -> None:
    """Or withdrawals, which come every six hours, would end buyers' releases before the last of them has one."""
    desk.pause = lambda _: _copied(desk)
    desk.ledgers.is_slow = desk.curated.is_slow = True
    released(desk)
    assert [revision.number for revision in desk.released()] == [1]
    buyers = [f"buyer-{number}" for number in range(buyer_releases.MOST_A_TURN + 1)]
    desk.buyers.grants["donations"] = buyers
    for expected in (buyer_releases.MOST_A_TURN, len(buyers)):
        desk.work(days=MINUTE / 3)
        assert sum(bool(desk.given(buyer)) for buyer in buyers) == expected


def test_the_second_region_is_waited_for_only_seconds_of_a_look(desk: Desk) -> None:
    """However many buyers wait for it: meanwhile nobody's withdrawal is honoured."""
    released(desk)
    desk.buyers.grants["donations"] = ["acme", "zenith"]
    waited: list[float] = []
    desk.pause = waited.append
    desk.curated.is_behind = True
    desk.work(days=MINUTE / 3)
    assert 10 <= sum(waited) <= 20


def test_what_waits_is_not_made_again_at_each_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    released(desk)
    desk.ledgers.is_behind = True
    desk.buyers.grants["donations"] = ["acme"]
    desk.work(days=MINUTE)
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.wait(days=14)

    def again(*_: object, **__: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patched:
        for module in (making, buyer_releases):
            patched.setattr(module, "release", again)
        for _ in range(3):
            desk.work(days=2 * MINUTE)
    desk.ledgers.is_behind = False
    for _ in range(2):
        desk.work(days=2 * MINUTE)
    assert [revision.rows for revision in desk.released()] == [200, 240]
    assert [revision.rows for revision in desk.given("acme")] == [240]


def test_a_pause_begins_when_a_look_has_ended(desk: Desk) -> None:
    released(desk)
    desk.buyers.grants["donations"] = ["acme"]
    desk.curated.is_behind = True
    waited: list[float] = []

    def pause(seconds: float) -> None:
        desk.now += timedelta(minutes=1)
        waited.append(seconds)

    desk.pause = pause
    desk.work(days=MINUTE)
    looked = len(waited)
    desk.work(days=MINUTE)
    assert len(waited) == looked
