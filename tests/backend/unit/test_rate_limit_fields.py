"""The fields that tell of rate limits, and the library that writes them, held against httpwg's published vectors."""

from pathlib import Path
from typing import Any

import http_sf
import pytest
from http_sf.util import from_json

from amply.infra.gcra import Limit, Standing
from amply.infra.rate_limit_fields import fields_of
from amply.infra.rate_limits import LIMITS

PUBLISHED = Path(__file__).parent / "structured_fields"
"""Of httpwg/structured-field-tests, those of the kinds that we write; their licence stands beside them."""


def _cases() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.stem}: {case['name']}", case)
        for file in sorted(PUBLISHED.glob("*.json"))
        for case in from_json(file.read_text())
    ]


def _parsed(case: dict[str, Any]) -> Any:
    try:
        return http_sf.parse(", ".join(case["raw"]).encode(), tltype=case["header_type"])
    except (http_sf.StructuredFieldError, UnicodeEncodeError):
        return "refused"


def test_the_library_judges_and_writes_every_published_field_as_published() -> None:
    cases = _cases()
    assert len(cases) > 60
    for name, case in cases:
        found = _parsed(case)
        if case.get("must_fail"):
            assert found == "refused", name
        elif found != "refused":
            assert found == case["expected"], name
            canonical = case.get("canonical", case["raw"])
            assert (http_sf.ser(found) if found != [] else "") == ", ".join(canonical), name
        else:
            assert case.get("can_fail"), name


def test_each_limit_is_a_policy_with_what_is_left_of_it() -> None:
    looks = Limit(requests=300, seconds=60)
    letters = Limit(requests=5, seconds=3600)
    fields = fields_of(
        [
            Standing.of("looks", looks, is_allowed=True, used=looks.interval * 3, early=0),
            Standing.of("letters", letters, is_allowed=False, used=letters.window, early=1),
        ]
    )
    assert fields == {
        "RateLimit": '"looks";r=297;t=1, "letters";r=0;t=3600',
        "RateLimit-Policy": '"looks";q=300;w=60, "letters";q=5;w=3600',
    }
    assert fields_of([]) == {}


def test_every_limit_of_the_table_can_be_told() -> None:
    for name, limit in LIMITS.items():
        told = fields_of([Standing.of(name, limit, is_allowed=True, used=limit.interval, early=0)])
        for field in told.values():
            assert http_sf.ser(http_sf.parse(field.encode(), tltype="list")) == field
        assert limit.window >= limit.seconds * 1_000_000 * limit.at_once // limit.requests


@pytest.mark.parametrize(
    ("early", "said"), [(1, 1), (1_000_000, 1), (1_000_001, 2), (59_999_999, 60), (60_000_000, 60)]
)
def test_waiting_is_said_to_the_second_and_never_too_short(early: int, said: int) -> None:
    limit = Limit(requests=1, seconds=60)
    standing = Standing.of("one", limit, is_allowed=False, used=limit.window, early=early)
    assert standing.retry_after_seconds == said
