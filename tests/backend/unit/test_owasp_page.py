"""The page's table of OWASP's API risks: all ten of them, each with tests that exist; and one of those tests."""

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
AMPLY: Final = ROOT / "services" / "backend" / "src" / "amply"
HEADING: Final = "## OWASP API security top ten (2023)"
ASKS_OTHERS: Final = frozenset(
    {"boto3", "http.client", "httpx", "httpx2", "requests", "smtplib", "socket", "stripe", "urllib.request"}
)


def lines() -> dict[str, list[str]]:
    """Each risk with the tests that are named for it."""
    told = (ROOT / "docs" / "security.md").read_text().partition(HEADING)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (API\d+) .*\|([^|]*)\|$", told, re.MULTILINE)
    return {risk: re.findall(r"`([^`]+::test_\w+)`", shown) for risk, shown in rows}


def test_all_ten_have_tests() -> None:
    found = lines()
    assert list(found) == [f"API{number}" for number in range(1, 11)]
    assert [risk for risk, tests in found.items() if not tests] == []


def test_the_tests_exist() -> None:
    missing = []
    for test in (each for tests in lines().values() for each in tests):
        path, _, name = test.partition("::")
        file = ROOT / path
        if not file.exists() or f"\ndef {name}(" not in file.read_text():
            missing.append(test)
    assert missing == []


def imported(file: Path) -> set[str]:
    """What a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {node.module or "", *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_nothing_but_adapters_can_ask_other_hosts() -> None:
    """No module has what it would take to follow an address that somebody sent."""
    rooms = [file for room in ("kernel", "modules") for file in sorted((AMPLY / room).rglob("*.py"))]
    assert len(rooms) > 200
    asking = {str(file.relative_to(AMPLY)): imported(file) & ASKS_OTHERS for file in rooms}
    assert {file: names for file, names in asking.items() if names} == {}
