"""Who is left out of what, by what the table of consents says of them: that they gave, that they withdrew, or nothing at all."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from amply_lake.history import History
from amply_releases import file_selection
from tests.lake.lake_world import people
from tests.releases.desk import NOW, Desk, facts


def _withheld(desk: Desk) -> Mapping[int, set[int]]:
    return History.read(desk.ledgers.of("donations"), "donations").withheld


def _released(desk: Desk) -> None:
    """Two hundred people's gifts are out."""
    desk.consent(range(200))
    desk.give("a", facts(range(200)))
    desk.wait(days=14)


def test_a_table_that_was_made_anew_withholds_nobody_who_never_withdrew(desk: Desk) -> None:
    _released(desk)
    desk.consents.decided.clear()
    desk.consent(range(200, 240))
    desk.give("b", facts(range(240), kind="change"))
    desk.wait(days=14)
    assert _withheld(desk) == {}
    assert [(revision.number, revision.rows) for revision in desk.released()] == [(1, 200), (2, 240)]
    desk.consent([7], "withdrawn", on=desk.now.date())
    desk.work(days=0.3)
    (revision,) = desk.released()
    assert 240 - 60 <= revision.rows <= 240 - 20, "and whoever withdraws then is released no more"


def test_who_is_found_to_have_withdrawn_in_what_comes_in_is_released_no_more(desk: Desk) -> None:
    """However long ago the table was told: by the day it would not be found again."""
    _released(desk)
    desk.consent([7], "withdrawn", on=(NOW - timedelta(days=100)).date())
    desk.consent(range(200, 240))
    desk.give("b", facts([7, *range(200, 240)], kind="change"))
    desk.wait(days=14)
    (revision,) = desk.released()
    assert 240 - 60 <= revision.rows <= 240 - 20
    assert list(_withheld(desk)) == [1]


def test_files_of_people_whom_the_table_does_not_know_wait_until_it_does(desk: Desk) -> None:
    """Each is told there before their facts leave: a table that knows nobody has lost them, and the files are not to be lost too."""
    desk.give("a", facts(range(40)))
    desk.wait(days=14)
    assert desk.states() == {"a": ("waiting", "")}
    assert "knows nobody in the files that wait" in desk.datasets.refused["donations"]
    desk.consent(range(40))
    desk.work(days=14)
    assert [revision.rows for revision in desk.released()] == [40]
    assert desk.datasets.refused == {}


def test_what_was_withheld_by_whoever_died_then_is_taken_the_place_of(desk: Desk) -> None:
    """The one who withdrew is found by the day no more; what was shown ends, and something else has to be shown."""
    _released(desk)
    History.read(desk.ledgers.of("donations"), "donations").append("withheld", cells={"1": [0]})
    desk.work(days=0.3)
    (revision,) = desk.released()
    assert (revision.number, revision.rows < 200) == (2, True)


def test_donors_who_withdraw_wait_for_no_sellers_files(desk: Desk) -> None:
    desk.sell("a_first_by_name")
    desk.give("a", people(range(20)), dataset="a_first_by_name")
    desk.consent(range(40))
    desk.give("a", facts(range(40)))
    desk.wait(days=14)
    assert desk.ledgers.dropped[:2] == ["donations", "a_first_by_name"]


def test_one_datasets_contradictions_hold_up_the_others_for_a_turn_of_a_few_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_selection, "ODD_MAX", 1)
    desk.sell("visits")
    desk.give("a", people(range(20)), dataset="visits")
    for name, amount in (("b", 7), ("c", 9)):
        desk.give(name, [{**people([3])[0], "amount": amount}], dataset="visits")
    desk.give("d", people(range(20), first=100), dataset="visits")
    desk.wait(days=1)
    states = {name: state for name, (state, _) in desk.states("visits").items()}
    assert states == {"a": "released", "b": "set_aside", "c": "waiting", "d": "waiting"}
    desk.work(days=1)
    desk.work(days=1)
    states = {name: state for name, (state, _) in desk.states("visits").items()}
    assert states == {"a": "released", "b": "set_aside", "c": "released", "d": "released"}
