"""How long a look waits for the second region, and what it makes meanwhile: neither buyers nor withdrawals wait for each other."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from amply_lake import Order, Release, Violation, release
from amply_releases import buyer_releases, making, publishing, running
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


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """To whom a release is made, each time that one is."""
    told: list[str] = []

    def telling(files: Sequence[Path], order: Order, **parts: Any) -> Release | Violation:
        told.append(order.buyer)
        return release(files, order, **parts)

    for module in (making, buyer_releases):
        monkeypatch.setattr(module, "release", telling)
    return told


@pytest.mark.parametrize("bucket", ["ledgers", "curated"])
def test_what_waits_is_not_made_again_at_each_look(desk: Desk, made: list[str], bucket: str) -> None:
    """Batches are as large as all that was ever released, and the second region has the ledger long before the files."""
    released(desk)
    getattr(desk, bucket).is_behind = True
    desk.buyers.grants["donations"] = ["acme"]
    for _ in range(3):
        desk.work(days=2 * MINUTE)
    assert made == ["all", "acme"]
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.wait(days=14)
    for _ in range(3):
        desk.work(days=2 * MINUTE)
    assert made == ["all", "acme", "all"]
    getattr(desk, bucket).is_behind = False
    for _ in range(2):
        desk.work(days=2 * MINUTE)
    assert [revision.rows for revision in desk.released()] == [200, 240]
    assert [revision.rows for revision in desk.given("acme")] == [240]


def test_who_was_withheld_before_has_nothing_made_again_while_a_release_waits(
    desk: Desk, made: list[str]
) -> None:
    """The table of consents names them for two days more, and whoever withdraws meanwhile is withheld at once."""
    released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    desk.ledgers.is_behind = True
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.wait(days=14)
    made.clear()
    for _ in range(2):
        desk.work(days=2 * MINUTE)
    assert made == []
    assert [revision.number for revision in desk.released()] == [2]
    desk.consent([8], "withdrawn", on=desk.now.date())
    desk.work(days=2 * MINUTE)
    assert made == ["all"]
    assert desk.released() == []


def test_a_look_that_waits_for_the_second_region_makes_what_is_due_once(
    desk: Desk, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though somebody has withdrawn, who was withheld before the release was made; and though all arrives once it has waited."""
    released(desk)
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.consent(range(200, 240))
    desk.give("b", facts(range(200, 240)))
    desk.work()
    late = iter([False] * publishing._TRIES)
    monkeypatch.setattr(desk.ledgers, "is_copied", lambda _: next(late, True))
    made.clear()
    desk.work(days=14)
    assert made == ["all"]
    assert desk.released() == []
    desk.work(days=2 * MINUTE)
    assert [revision.number for revision in desk.released()] == [2]


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
