"""Killed before any of the things it writes, a process is followed by one that goes on: the same release, once and whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.releases.desk import Desk, facts
from tests.releases.memory import Killed

SET_ASIDE, BATCH_KEPT, BATCH, RELEASE, PART, CERTIFICATE, CATALOGUE, SHOWN, LED, FILE, LOOKED, TRIED = range(
    12
)
"""What a first release writes, in this order."""
(
    WITHHELD,
    AGAIN,
    ITS_PART,
    ITS_CERTIFICATE,
    ITS_PARTITION,
    TAKEN_BACK,
    HIDDEN,
    KEPT_FROM,
    SHOWN_AGAIN,
    LED_AGAIN,
    LOOKED_AGAIN,
) = range(11)
"""What a withdrawal makes it write."""
LOOKED_FIRST, GIVEN, BUYERS_PART, BUYERS_CERTIFICATE, BUYERS_SHOWN, BUYERS_LED = range(6)
"""What a grant makes it write."""


def _due(folder: Path) -> Desk:
    """Somebody with a file that is due, and one that is poison."""
    desk = Desk(folder)
    desk.consent(range(80))
    desk.give("a", facts(range(80)))
    desk.raw.objects[desk.give("poison", [])] = b"PAR1"
    desk.work()
    return desk


def _withdrawn(folder: Path) -> Desk:
    """Somebody who has released, and of whose people one has withdrawn."""
    desk = _due(folder)
    desk.work(days=14)
    desk.consent([7], "withdrawn", on=desk.now.date())
    return desk


def _bought(folder: Path) -> Desk:
    """Somebody who has released, and has a buyer since."""
    desk = _due(folder)
    desk.work(days=14)
    desk.buyers.grants["donations"] = ["acme"]
    return desk


def _bought_and_withdrawn(folder: Path) -> Desk:
    """Somebody whose buyer has a release, of whose people one has withdrawn."""
    desk = _bought(folder)
    desk.work(days=0.01)
    desk.consent([7], "withdrawn", on=desk.now.date())
    return desk


def _ended(desk: Desk) -> object:
    served = [(revision.number, revision.rows) for revision in desk.released()]
    parts = {key: body for key, body in desk.curated.objects.items() if key.endswith(".parquet")}
    given = [(revision.number, revision.rows) for revision in desk.given("acme")]
    return served, given, parts, desk.curated.objects.keys(), desk.catalogue.partitions, desk.states()


def _killed_at(step: int, desk: Desk, *, days: float) -> object:
    """What stands in the end, once the next process has had its turn."""
    desk.dying.left = step
    with pytest.raises(Killed):
        desk.work(days=days)
    desk.dying.left = None
    desk.start()
    desk.work(days=0.01)
    return _ended(desk)


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[[Path], Desk], float, int], object]:
    """What stands in the end where nobody is killed, and that so many things were written."""
    known: dict[str, object] = {}

    def ended(make: Callable[[Path], Desk], days: float, steps: int) -> object:
        if make.__name__ not in known:
            desk = make(tmp_path_factory.mktemp("undisturbed"))
            before = desk.dying.written
            desk.work(days=days)
            assert desk.dying.written - before == steps
            known[make.__name__] = _ended(desk)
        return known[make.__name__]

    return ended


Undisturbed = Callable[[Callable[[Path], Desk], float, int], object]


def _each(steps: int, *, with_every_change: tuple[int, ...] = ()) -> list[object]:
    """Every step; most of them every night (docs/adr/0127-what-a-change-waits-for.md)."""
    nightly = pytest.mark.nightly
    return [pytest.param(step, marks=() if step in with_every_change else nightly) for step in range(steps)]


@pytest.mark.parametrize("step", _each(TRIED + 1, with_every_change=(BATCH, RELEASE, CATALOGUE, FILE)))
def test_killed_while_a_first_release_is_made(tmp_path: Path, undisturbed: Undisturbed, step: int) -> None:
    assert _killed_at(step, _due(tmp_path), days=14) == undisturbed(_due, 14, TRIED + 1)


@pytest.mark.parametrize("step", _each(LOOKED_AGAIN + 1))
def test_killed_while_a_withdrawal_is_honoured(tmp_path: Path, undisturbed: Undisturbed, step: int) -> None:
    assert _killed_at(step, _withdrawn(tmp_path), days=0.3) == undisturbed(_withdrawn, 0.3, LOOKED_AGAIN + 1)


def _pairs() -> list[object]:
    """Before what another process withdraws, and before what this one dies then."""
    pairs = [(step, death) for step in range(PART, LED + 1) for death in range(step + 1, FILE + 1)]
    with_every_change = {(CATALOGUE, SHOWN), (SHOWN, FILE)}
    return [
        pytest.param(*pair, marks=() if pair in with_every_change else pytest.mark.nightly) for pair in pairs
    ]


@pytest.mark.parametrize(("step", "death"), _pairs())
def test_killed_while_another_process_withholds_what_it_shows_it_leaves_nothing_to_be_seen(
    tmp_path: Path, step: int, death: int
) -> None:
    """The other one finds nothing to take back yet, or takes back what is there; and need not look at its number again."""
    desk = _due(tmp_path)
    beside = desk.beside()

    def withdraw() -> None:
        desk.consent([7], "withdrawn", on=desk.now.date())
        beside.once()

    desk.dying.meanwhile = (step, withdraw)
    desk.dying.left = death
    with pytest.raises(Killed):
        desk.work(days=14)
    desk.dying.left = None
    desk.start()
    desk.work(days=0.01)
    (revision,) = desk.released()
    assert (revision.number, revision.rows <= 80 - 20) == (2, True)
    assert desk.catalogue.partitions == {("donations", 2): "released/donations/000002/"}
    assert desk.datasets.standings["donations"].latest == 2


@pytest.mark.parametrize("step", _each(BUYERS_LED + 1, with_every_change=(GIVEN, BUYERS_SHOWN)))
def test_killed_while_a_buyers_release_is_made(tmp_path: Path, undisturbed: Undisturbed, step: int) -> None:
    assert _killed_at(step, _bought(tmp_path), days=0.01) == undisturbed(_bought, 0.01, BUYERS_LED + 1)


@pytest.mark.parametrize("step", _each(LOOKED_AGAIN + 1 + BUYERS_LED, with_every_change=(SHOWN_AGAIN,)))
def test_killed_while_a_withdrawal_from_a_buyers_release_is_honoured(
    tmp_path: Path, undisturbed: Undisturbed, step: int
) -> None:
    whole = undisturbed(_bought_and_withdrawn, 0.3, LOOKED_AGAIN + 1 + BUYERS_LED)
    assert _killed_at(step, _bought_and_withdrawn(tmp_path), days=0.3) == whole
