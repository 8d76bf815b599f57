"""docs/recurring.md is complete and true: it names every state and reason; and with docs/giving.md, tests that exist."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from amply.modules.recurring.domain import ChargeState, PlanStatus, Reason

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "recurring.md").read_text()
_CODE: Final = re.compile(r"`([a-z_0-9]+)`")


def first_cells(heading: str) -> set[str]:
    """What stands in code in the first column of the table under a heading or of a table's first column name."""
    rows = PAGE.partition(heading)[2].split("\n\n")[0].splitlines()
    return {name for row in rows if row.startswith("| `") for name in _CODE.findall(row.split("|")[1])}


@pytest.mark.parametrize("page", ["recurring", "giving"])
def test_every_test_that_the_page_names_exists(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    named = {name for name in _CODE.findall(text) if name.startswith("test_")}
    assert named
    there = {
        name
        for room in ("backend", "browser")
        for path in (ROOT / "tests" / room).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert named - there == set()


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("## A plan's states\n\n", PlanStatus),
        ("| reason of a pause or an end", Reason),
        ("## A period's states\n\n", ChargeState),
    ],
)
def test_every_state_has_a_row(heading: str, states: type[StrEnum]) -> None:
    assert first_cells(heading) == {each.value for each in states}
