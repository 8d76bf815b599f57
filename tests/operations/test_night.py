"""What is drawn more often by night is run by night: `make test-nightly` chooses by marks, and a mark is easily forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from tests import hypothesis_profiles

TESTS: Final = Path(__file__).parents[1]
DRAWS: Final = frozenset({"examples", "run_state_machine_as_test"})
"""Whoever calls one of them has examples drawn."""
CHOSEN: Final = frozenset({"given", "hypothesis", "nightly"})
"""Hypothesis marks what `given` decorates; the others are marks themselves."""
NAMES: Final = (ast.Name, ast.Attribute)


def _names(*nodes: ast.AST) -> set[str]:
    every = (each for node in nodes for each in ast.walk(node))
    return {each.id if isinstance(each, ast.Name) else each.attr for each in every if isinstance(each, NAMES)}


def _not_chosen(source: str) -> Iterator[str]:
    """Tests that draw, be it by another function or by settings with a name, and are left out at night."""
    drawing, before = set(DRAWS), set[str]()
    statements = ast.parse(source).body
    while drawing != before:
        before = set(drawing)
        for each in statements:
            if isinstance(each, ast.FunctionDef) and _names(each) & drawing:
                drawing.add(each.name)
            elif isinstance(each, ast.Assign) and _names(each.value) & drawing:
                drawing |= _names(*each.targets)
    tests = [each for each in statements if isinstance(each, ast.FunctionDef) and each.name in drawing]
    for test in tests:
        if test.name.startswith("test_") and not _names(*test.decorator_list) & CHOSEN:
            yield test.name


def test_every_property_is_tried_with_more_examples_by_night() -> None:
    fixed = [path.name for path in TESTS.rglob("*.py") if re.search(r"max_examples=\d", path.read_text())]
    assert fixed == [Path(hypothesis_profiles.__file__).name]
    assert (
        settings.get_profile(hypothesis_profiles.BY_NIGHT).max_examples
        > settings.get_profile(hypothesis_profiles.BY_DAY).max_examples
    )


def test_whatever_draws_more_examples_by_night_is_chosen_then() -> None:
    sources = {path: path.read_text() for path in TESTS.rglob("test_*.py")}
    drawing = {path: text for path, text in sources.items() if any(f"{name}(" in text for name in DRAWS)}
    assert len(drawing) > 10
    found = [f"{path.name}: {name}" for path, text in drawing.items() for name in _not_chosen(text)]
    assert found == []


@pytest.mark.parametrize(
    ("source", "left_out"),
    [
        ("def test_it():\n    run_state_machine_as_test(It, settings=few)", ["test_it"]),
        (
            "few = settings(max_examples=examples(day=1, night=2))\ndef test_it():\n    few(ask)()",
            ["test_it"],
        ),
        ("def _ask():\n    examples(day=1, night=2)\ndef test_it():\n    _ask()", ["test_it"]),
        ("@settings(max_examples=examples(day=1, night=2))\n@given(n=numbers)\ndef test_it(n): ...", []),
        ("@pytest.mark.hypothesis\ndef test_it():\n    examples(day=1, night=2)", []),
        ("def test_it():\n    assert True", []),
    ],
)
def test_a_test_that_draws_without_being_chosen_is_found(source: str, left_out: list[str]) -> None:
    assert list(_not_chosen(source)) == left_out
