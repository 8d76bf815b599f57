"""docs/payments.md is complete and true: it names every state and handled event, and tests that exist."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from amply.modules import webhooks
from amply.modules.donations import tasks
from amply.modules.donations.domain import Standing
from amply.modules.payments import AccountStatus, PaymentStatus, RefundStatus
from amply.modules.payouts import PayoutStatus
from amply.modules.payouts.matching import State

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "payments.md").read_text()
_CODE: Final = re.compile(r"`([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+|\[[a-z.]+\])*)`")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> set[str]:
    """What stands in code in the first column of a text's tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in rows for name in _CODE.findall(cell)}


def rows() -> list[str]:
    return [line for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_test_that_the_page_names_exists() -> None:
    named = {name for name in _CODE.findall(PAGE) if name.startswith("test_")}
    there = {
        name
        for room in ("backend", "browser")
        for path in (ROOT / "tests" / room).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert named - there == set()


def test_every_row_names_a_test() -> None:
    headings = [row for row in rows() if row.endswith("| proved by |")]
    assert headings
    assert [row for row in rows() if row not in headings and "`test_" not in row] == []


def test_every_event_that_is_handled_has_a_row() -> None:
    events = {name for name in first_cells(PAGE) if "." in name}
    assert events == webhooks.HANDLED_TYPES


def test_every_event_that_is_handled_has_a_handler() -> None:
    elsewhere = webhooks.PAYOUT_TYPES | webhooks.ACCOUNT_TYPES | webhooks.SETUP_TYPES
    assert set(tasks._HANDLERS) == webhooks.HANDLED_TYPES - elsewhere


@pytest.mark.parametrize(
    ("title", "states"),
    [
        ("A payment's states", PaymentStatus),
        ("A gift's standing", Standing),
        ("A refund's states", RefundStatus),
        ("A payout's states", PayoutStatus),
        ("An account's states", AccountStatus),
        ("A movement's states", State),
    ],
)
def test_every_state_has_a_row(title: str, states: type[StrEnum]) -> None:
    assert {name for name in first_cells(section(title)) if "." not in name} == {
        each.value for each in states
    }
