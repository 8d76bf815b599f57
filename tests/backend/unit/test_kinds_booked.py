"""docs/books.md says which kinds of entries are booked today and which wait: as many as there are, and truly."""

import re
from pathlib import Path
from typing import Final

from amply.modules import webhooks
from amply.modules.ledger import Kind

ROOT: Final = Path(__file__).parents[3]
SOURCE: Final = ROOT / "services" / "backend" / "src" / "amply"
_CODE: Final = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)`")


def section(title: str) -> str:
    text = (ROOT / "docs" / "books.md").read_text()
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows() -> dict[str, str]:
    """What waits: each line of the table, its kinds to the event types that bring them."""
    lines = [
        line.split("|") for line in section("What is booked today").splitlines() if line.startswith("| `")
    ]
    return {line[1]: line[2] for line in lines}


def posted() -> set[Kind]:
    """The kinds that some code names: not the list itself, nor what only looks for entries of them."""
    named = set[Kind]()
    for path in SOURCE.rglob("*.py"):
        if path.name not in ("postings.py", "matching.py"):
            named |= {Kind[name] for name in re.findall(r"\bKind\.([A-Z_]+)", path.read_text())}
    return named


def test_the_kinds_that_are_booked_are_those_that_the_code_posts() -> None:
    before_the_table = section("What is booked today").partition("| kind")[0]
    assert set(_CODE.findall(before_the_table)) & set(Kind) == posted()


def test_every_other_kind_is_said_to_wait() -> None:
    waiting = [kind for kinds in rows() for kind in _CODE.findall(kinds)]
    assert len(waiting) == len(set(waiting))
    assert set(waiting) == set(Kind) - posted()


def test_what_brings_them_is_stored_and_not_handled() -> None:
    types = {name for brings in rows().values() for name in _CODE.findall(brings)}
    assert types == webhooks.AWAITED_TYPES
    assert not types & webhooks.HANDLED_TYPES


def test_no_kind_is_written_as_a_literal() -> None:
    """But for the processor's event types, the audit log's actions and public events, some of which are the same words."""
    literals = re.compile("|".join(re.escape(f'"{kind}"') for kind in Kind))
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if path.name != "postings.py"
        and path.parent.name not in {"audit", "public_events", "webhooks"}
        and literals.search(path.read_text())
    }
    assert found == set()
