"""Columns that are taken make a policy that the anonymiser takes, and the others are refused with what to change."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from amply.modules.ingestion.columns import Column, check, in_clear, policy_of
from amply.modules.ingestion.domain import DatasetNotAcceptable
from amply_lake import default_policy, read_policy
from tests.backend.intake_world import COLUMNS

PERSON: Final = {"name": "who", "type": "text", "role": "person", "required": True}
SENSITIVE: Final = {"name": "what", "type": "text", "role": "sensitive", "one_of": ["a", "b"]}
NUMBER: Final = {"name": "what", "type": "integer", "role": "sensitive", "least": 0, "most": 9_999}
AGE: Final = {
    "name": "age",
    "type": "integer",
    "role": "quasi",
    "generalise": {"kind": "ranges", "widths": [5], "from": 0, "to": 100},
}


def columns(*said: Mapping[str, Any]) -> list[Column]:
    return [Column.of(each) for each in said]


def policy(said: Sequence[Column]) -> Any:
    document = policy_of(said, policy_id="default-v2", retention_days=365)
    return read_policy(json.dumps(document).encode())


def quasi(kind: str, *, of: Any = "text", **more: Any) -> dict[str, Any]:
    return {"name": "known", "type": of, "role": "quasi", "generalise": {"kind": kind, **more}}


def plain(of: str, **more: Any) -> dict[str, Any]:
    return {"name": "told", "type": of, "role": "insensitive", **more}


TAKEN: Final = (
    AGE,
    quasi("ranges", of="integer", widths=[1, 5, 10], **{"from": 0, "to": 100}),
    quasi("truncate", keep=[3, 2, 1]),
    quasi("mask", keep=[3]),
    quasi("dates", of="date", periods=["day", "month", "quarter", "year"]),
    quasi("dates", of="timestamp", periods=["year"]),
    quasi("networks", version_4=[24, 8], version_6=[48, 16]),
    quasi("user_agents"),
    quasi("places", tenths_of_degree=[1, 10]),
)


@pytest.mark.parametrize("said", TAKEN)
def test_what_is_taken_the_anonymiser_takes(said: Mapping[str, Any]) -> None:
    found = columns(PERSON, SENSITIVE, said)
    check(found)
    made = policy(found)
    default = default_policy()
    assert (made.k, made.l, made.suppression_limit) == (default.k, default.l, default.suppression_limit)
    assert (made.raw_days, made.anonymised_days) == (90, 365)
    assert set(made.columns) == {column.name for column in found}
    assert list(made.quasi) == [said["name"]]


def test_every_role_is_told_to_the_anonymiser() -> None:
    found = columns(*COLUMNS)
    check(found)
    made = policy(found)
    assert made.row_key == "visit"
    assert made.released == ("visitor", "age", "came_on", "spent", "is_new", "tier")
    assert made.sensitive["spent"].bands == (10, 100)


def test_columns_are_kept_as_they_were_said() -> None:
    found = columns(*COLUMNS)
    kept = json.loads(json.dumps([column.as_kept() for column in found]))
    assert [Column.of(each) for each in kept] == found
    assert kept[3]["least"] == 0


MANY: Final = [
    {
        **AGE,
        "name": f"age{number}",
        "generalise": {"kind": "ranges", "widths": [1, 2, 4, 8], "from": 0, "to": 80},
    }
    for number in range(9)
]
REFUSED: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "nobody": (SENSITIVE, AGE),
    "two people": (PERSON, {**PERSON, "name": "other"}, SENSITIVE, AGE),
    "two row keys": (*(PERSON, SENSITIVE, AGE), *({**PERSON, "name": n, "role": "row_key"} for n in "ab")),
    "nothing that others know": (PERSON, SENSITIVE),
    "nothing that is hidden": (PERSON, AGE),
    "a name twice": (PERSON, SENSITIVE, AGE, AGE),
    "a name of capitals": (PERSON, SENSITIVE, {**AGE, "name": "Age"}),
    "a person who may be missing": ({**PERSON, "required": False}, SENSITIVE, AGE),
    "a pseudonym that is a column": ({**PERSON, "publish_as": "age"}, SENSITIVE, AGE),
    "a pseudonym of nobody": (PERSON, {**SENSITIVE, "publish_as": "x"}, AGE),
    "no way to become coarser": (PERSON, SENSITIVE, {**AGE, "generalise": None}),
    "a way where none is asked for": (PERSON, {**SENSITIVE, "generalise": AGE["generalise"]}, AGE),
    "bands of a text": (PERSON, {**SENSITIVE, "bands": [1]}, AGE),
    "bands that fall": (PERSON, {**NUMBER, "bands": [2, 1]}, AGE),
    "bands from zero": (PERSON, {**NUMBER, "bands": [0, 1]}, AGE),
    "a least of a text": (PERSON, {**SENSITIVE, "least": 1}, AGE),
    "a least above the most": (PERSON, SENSITIVE, {**AGE, "least": 2, "most": 1}),
    "one of several numbers": (PERSON, SENSITIVE, {**AGE, "one_of": ["1"]}),
    "one of the same": (PERSON, {**SENSITIVE, "one_of": ["a", "a"]}, AGE),
    "a hidden text that may be anything": (PERSON, {**SENSITIVE, "one_of": []}, AGE),
    "a plain text that may be anything": (
        *(PERSON, SENSITIVE, AGE),
        {"name": "note", "type": "text", "role": "insensitive"},
    ),
    "a plain number that may be anything": (PERSON, SENSITIVE, AGE, plain("integer")),
    "a plain number without a least": (PERSON, SENSITIVE, AGE, plain("integer", most=10)),
    "a plain number without a most": (PERSON, SENSITIVE, AGE, plain("integer", least=0)),
    "a plain number that may be somebody's": (PERSON, SENSITIVE, AGE, plain("integer", least=0, most=10_000)),
    "a plain number below zero that may be": (
        *(PERSON, SENSITIVE, AGE),
        plain("integer", least=-1, most=9_999),
    ),
    "a plain number of few that are all somebody's": (
        *(PERSON, SENSITIVE, AGE),
        plain("integer", least=4_930_123_450_000, most=4_930_123_459_999),
    ),
    "a plain number of few with five digits": (
        *(PERSON, SENSITIVE, AGE),
        plain("integer", least=9_990, most=10_000),
    ),
    "a plain number of few far below zero": (
        *(PERSON, SENSITIVE, AGE),
        plain("integer", least=-10_000, most=-9_990),
    ),
    "a plain number with a point": (PERSON, SENSITIVE, AGE, plain("number", least=-90, most=90)),
    "a hidden number with a point and limits": (
        PERSON,
        {"name": "x", "type": "number", "role": "sensitive", "least": 0, "most": 1},
        AGE,
    ),
    "a hidden number that may be anything": (PERSON, {**NUMBER, "most": None}, AGE),
    "a hidden number with a point": (PERSON, {"name": "x", "type": "number", "role": "sensitive"}, AGE),
    "a plain day": (PERSON, SENSITIVE, AGE, plain("date")),
    "a plain moment": (PERSON, SENSITIVE, AGE, plain("timestamp")),
    "a hidden day": (PERSON, {"name": "x", "type": "date", "role": "sensitive"}, AGE),
    "too many levels together": (PERSON, SENSITIVE, *MANY),
    **{
        f"{number}": (PERSON, SENSITIVE, said)
        for number, said in enumerate(
            (
                quasi("hierarchy", file="x.csv"),
                quasi("coarser"),
                {**AGE, "generalise": {}},
                {**AGE, "generalise": {"kind": ["ranges"]}},
                quasi("ranges", widths=[5], **{"from": 0, "to": 100}),
                quasi("truncate", of="integer", keep=[1]),
                quasi("dates", periods=["month"]),
                quasi("ranges", of="integer", widths=[5, 7], **{"from": 0, "to": 70}),
                quasi("ranges", of="integer", widths=[5], **{"from": 0, "to": 101}),
                quasi("ranges", of="integer", widths=[5], **{"from": 10, "to": 10}),
                quasi("ranges", of="integer", widths=[5], **{"from": "0", "to": 10}),
                quasi("ranges", of="integer", widths=[True], **{"from": 0, "to": 10}),
                quasi("ranges", of="integer", widths=[0], **{"from": 0, "to": 10}),
                quasi("ranges", of="integer", widths=[5], to=10),
                quasi("truncate", keep=[]),
                quasi("truncate", keep=[1, 2]),
                quasi("truncate", keep=3),
                quasi("truncate", keep=[3], more=1),
                quasi("dates", of="date", periods=["year", "month"]),
                quasi("dates", of="date", periods=[]),
                quasi("dates", of="date", periods="month"),
                quasi("dates", of="date", periods=["week"]),
                quasi("networks", version_4=[24], version_6=[48, 32]),
                quasi("networks", version_4=[25], version_6=[48]),
                quasi("user_agents", keep=[1]),
                quasi("places", tenths_of_degree=[2, 3]),
            )
        )
    },
}


@pytest.mark.parametrize(
    "said",
    [
        plain("integer", least=0, most=9_999),
        plain("integer", least=-9_999, most=0),
        plain("integer", least=-5_000, most=4_999),
        plain("boolean"),
        plain("text", one_of=["a"]),
        {**NUMBER, "name": "told"},
        {"name": "told", "type": "integer", "role": "sensitive", "bands": [10, 1_000_000]},
        {"name": "told", "type": "integer", "role": "direct"},
        {"name": "told", "type": "number", "role": "direct"},
        {"name": "told", "type": "timestamp", "role": "direct"},
    ],
)
def test_what_can_name_nobody_is_released_as_it_is(said: Mapping[str, Any]) -> None:
    check(columns(PERSON, SENSITIVE, AGE, said))


def test_what_was_taken_under_fewer_limits_than_today_is_not_in_clear() -> None:
    loose = columns(
        plain("integer"),
        plain("integer", least=10**9, most=10**9 + 1) | {"name": "phone"},
        plain("number", least=0, most=1) | {"name": "share"},
        plain("text") | {"name": "note"},
        plain("date") | {"name": "day"},
    )
    assert in_clear(loose) == set()
    assert in_clear(columns(NUMBER, SENSITIVE | {"name": "tier"}, plain("boolean"), AGE, PERSON)) == {
        "what",
        "tier",
        "told",
    }


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_anonymiser_could_make_nothing_of_is_refused(name: str) -> None:
    with pytest.raises(DatasetNotAcceptable) as caught:
        check(columns(*REFUSED[name]))
    assert caught.value.param is not None
    assert caught.value.param.startswith("columns")


def test_there_are_as_many_columns_as_a_policy_has() -> None:
    many = [plain("boolean") | {"name": f"c{number}"} for number in range(62)]
    check(columns(PERSON, SENSITIVE, AGE, *many[:61]))
    with pytest.raises(DatasetNotAcceptable, match="64"):
        check(columns(PERSON, SENSITIVE, AGE, *many))
    with pytest.raises(DatasetNotAcceptable, match="64"):
        check([])
