"""Every rule holds in every environment, and notices each way in which it can be broken."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from types import GeneratorType, ModuleType

import pytest

from tests.infrastructure import (
    breaks_of_access,
    breaks_of_data,
    breaks_of_running,
    breaks_of_signing,
    breaks_of_topics,
    edge_invariants,
    invariants,
    signing_invariants,
    topic_invariants,
)
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.breaking import Broken, Rule, broken

RULES: tuple[Rule, ...] = (*invariants.RULES, *signing_invariants.RULES, *topic_invariants.RULES)
BREAKS: Mapping[str, Broken] = {
    **breaks_of_data.BREAKS,
    **breaks_of_access.BREAKS,
    **breaks_of_running.BREAKS,
    **breaks_of_signing.BREAKS,
    **breaks_of_topics.BREAKS,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Rule, deployed: Deployed) -> None:
    assert list(rule(deployed)) == []


@pytest.mark.parametrize("name", BREAKS)
def test_the_rule_notices(name: str, environments: Mapping[str, Deployed]) -> None:
    rule, stack, break_it = BREAKS[name]

    found = list(rule(broken(environments["production"], stack, break_it)))

    assert found
    assert all(place.startswith(("production/", "production-")) for place in found)


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in BREAKS.values()} == set(RULES)


def test_no_break_has_the_name_of_another() -> None:
    tables = (breaks_of_data, breaks_of_access, breaks_of_running, breaks_of_signing, breaks_of_topics)
    assert len(BREAKS) == sum(len(table.BREAKS) for table in tables)


def test_every_sentence_a_rule_can_say_is_said_of_something_broken(
    environments: Mapping[str, Deployed],
) -> None:
    """So that nobody adds a condition that nothing breaks."""
    production = environments["production"]
    said = {
        place
        for rule, stack, break_it in BREAKS.values()
        for place in _said(rule, broken(production, stack, break_it))
    }
    modules = (invariants, edge_invariants, signing_invariants, topic_invariants)
    can_be_said = {place for module in modules for place in _sentences(module)}
    assert sorted(can_be_said - said) == []
    assert len(can_be_said) > len(RULES)


def _said(rule: Rule, deployed: Deployed) -> Iterator[tuple[str, int]]:
    """The rule, and the line it stops at with each sentence."""
    generator = rule(deployed)
    assert isinstance(generator, GeneratorType)
    for _ in generator:
        assert generator.gi_frame is not None, "it waits at its sentence"
        yield rule.__name__, generator.gi_frame.f_lineno


def _sentences(module: ModuleType) -> Iterator[tuple[str, int]]:
    """Each `yield` of a module's rules, by the line it begins at."""
    names = {rule.__name__ for rule in module.RULES}
    for function in ast.parse(inspect.getsource(module)).body:
        if isinstance(function, ast.FunctionDef) and function.name in names:
            yields = [inner for inner in ast.walk(function) if isinstance(inner, ast.Yield)]
            yield from ((function.name, each.lineno) for each in yields)
