"""The indexes of docs: decisions by number and title, and features by the files that prove them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ADR = REPOSITORY / "docs/adr"
LINE = re.compile(r"^\| \[(\d{4})\]\(([^)]+)\) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
TITLE = re.compile(r"^# \d{4}(?:\.| ·)? (.+)$", re.MULTILINE)


def test_every_decision_is_in_the_index_once_by_its_title() -> None:
    indexed = [
        (number, page, title) for number, page, _, title in LINE.findall((ADR / "README.md").read_text())
    ]
    written = [
        (page.name[:4], page.name, title)
        for page in sorted(ADR.glob("[0-9]*.md"))
        for title in TITLE.findall(page.read_text())[:1]
    ]
    assert sorted(indexed) == written


def test_every_test_that_the_features_name_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", (REPOSITORY / "docs/features.md").read_text())
    assert len(named) > 40
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
