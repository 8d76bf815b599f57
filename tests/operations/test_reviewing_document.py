"""The examples in docs/reviewing.md are what the program prints.

After a change on purpose: `AMPLY_WRITE_GOLDEN=1 pytest tests/operations/test_reviewing_document.py`, and read the diff.
"""

import os
import re
from decimal import Decimal

import pytest

from operations.assembly import Deployed
from operations.difference.comment import write
from operations.difference.review import review
from operations.difference.vendor import Library
from tests.infrastructure.assembly import ROOT
from tests.operations import states
from tests.operations.conftest import TODAY
from tests.operations.states import State, deployed, recorded

DOCUMENT = ROOT / "docs" / "reviewing.md"
EXAMPLES = {"dangerous": states.dangerous, "harmless": states.harmless}


def _monthly(environment: Deployed) -> Decimal:
    """A stand-in for the price list: the recorded state is a part of production, and has no cost of its own."""
    memory = sum(int(task.properties["Memory"]) for task in environment.resources("AWS::ECS::TaskDefinition"))
    return Decimal("290.40") + Decimal(memory) * Decimal("0.0031")


def _comment(state: State, library: Library) -> str:
    found = review(
        "production",
        deployed(recorded()),
        deployed(state),
        compare=library.compare,
        waivers=(),
        today=TODAY,
        monthly=_monthly,
    )
    return write(found)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_what_the_program_prints(name: str, library: Library) -> None:
    printed = f"<!-- example: {name} -->\n````markdown\n{_comment(EXAMPLES[name](), library)}````\n"
    shown = re.compile(rf"<!-- example: {name} -->\n````markdown\n.*?````\n", re.DOTALL)
    text = DOCUMENT.read_text()
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        text = shown.sub(lambda _: printed, text)
        DOCUMENT.write_text(text)
    assert shown.findall(text) == [printed]
