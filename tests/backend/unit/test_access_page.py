"""docs/access.md shows the table of who may do what, as the code has it.

After a change on purpose: `AMPLY_WRITE_GOLDEN=1 pytest tests/backend/unit/test_access_page.py`, and read the diff.
"""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from amply.kernel.errors import InvariantViolation
from amply.modules.access import CONFIRMED_WITHIN, POLICY, Permission, Role, Rule, Scope

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "access.md"
_BEGIN, _END = "<!-- the table: made from the code -->\n", "<!-- the end of the table -->"


def table() -> str:
    """The policy as Markdown."""
    heading = ("permission", *(role.value for role in Role), "a key with", "confirmed", "what")
    lines = [_row(*heading), _row(*("---" for _ in heading))]
    for permission in Permission:
        rule = POLICY[permission]
        lines.append(
            _row(
                f"`{permission}`",
                *(_role(rule, role) for role in Role),
                ", ".join(f"`{scope}`" for scope in sorted(rule.scopes)),
                "yes" if rule.confirmed else "",
                rule.what,
            )
        )
    return "\n".join(lines) + "\n"


def _role(rule: Rule, role: Role) -> str:
    if rule.anybody:
        return "anybody"
    if rule.everybody_signed_in:
        return "signed in"
    return "yes" if role in rule.roles else ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def test_the_page_shows_the_table() -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    made = f"{before}{_BEGIN}{table()}{_END}{after}"
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        PAGE.write_text(made)
    assert PAGE.read_text() == made


def test_the_page_names_tests_that_exist_and_the_minutes_of_a_confirmation() -> None:
    text = PAGE.read_text()
    assert f"{CONFIRMED_WITHIN.total_seconds() / 60:.0f} minutes" in text
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", text))
    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_nothing_is_left_undecided() -> None:
    assert set(POLICY) == set(Permission)


def test_what_changes_who_may_is_confirmed_and_done_by_people() -> None:
    for permission in (
        Permission.MEMBERS_INVITE,
        Permission.MEMBERS_CHANGE,
        Permission.OWNERSHIP_OFFER,
        Permission.OWNERSHIP_ACCEPT,
        Permission.KEYS_CHANGE,
    ):
        assert POLICY[permission].confirmed
        assert not POLICY[permission].scopes


def test_who_may_see_donors_may_see_gifts() -> None:
    gifts, donors = POLICY[Permission.GIFTS_READ], POLICY[Permission.DONORS_READ]
    assert donors.roles < gifts.roles
    assert donors.scopes <= gifts.scopes


def test_a_rule_that_contradicts_itself_is_none() -> None:
    members = POLICY[Permission.MEMBERS_CHANGE]
    contradictions: tuple[dict[str, Any], ...] = (
        {"scopes": frozenset({Scope.ORGANISATION_WRITE})},
        {"anybody": True},
        {"roles": frozenset()},
    )
    for contradiction in contradictions:
        with pytest.raises(InvariantViolation):
            replace(members, **contradiction)
