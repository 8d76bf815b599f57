"""The examples in docs/reviewing.md are what the program prints, its costs too.

After a change on purpose: `AMPLY_WRITE_GOLDEN=1 pytest tests/operations/test_reviewing_document.py`, and read the diff.
"""

import os
import re
from pathlib import Path

import pytest

from operations.difference.cli import main
from tests.infrastructure.assembly import ROOT
from tests.operations import states
from tests.operations.conftest import TODAY
from tests.operations.states import assembly, recorded

DOCUMENT = ROOT / "docs" / "reviewing.md"
EXAMPLES = {"dangerous": states.dangerous, "harmless": states.harmless}
STOPS = {"dangerous": 1, "harmless": 0}


def _printed(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `make diff-comment` prints for the recorded production and the example's change of it."""
    before = assembly(folder / "before", recorded())
    after = assembly(folder / "after", EXAMPLES[name]())
    with pytest.raises(SystemExit) as ended:
        main([str(before), str(after), "--today", TODAY.isoformat()])
    assert ended.value.code == STOPS[name]
    return capsys.readouterr().out


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_what_the_program_prints(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = f"<!-- example: {name} -->\n````markdown\n{_printed(name, tmp_path, capsys)}````\n"
    shown = re.compile(rf"<!-- example: {name} -->\n````markdown\n.*?````\n", re.DOTALL)
    text = DOCUMENT.read_text()
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        text = shown.sub(lambda _: printed, text)
        DOCUMENT.write_text(text)
    assert shown.findall(text) == [printed]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_show_what_the_change_costs(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither change is free: a gigabyte of memory more, and an alarm less."""
    found = re.search(
        r"^Monthly cost: ([\d,.]+) → ([\d,.]+) USD \((.*)\)\.$",
        _printed(name, tmp_path, capsys),
        re.MULTILINE,
    )
    assert found
    assert found[1] != found[2]
    assert found[3].startswith({"dangerous": "-", "harmless": "+"}[name])
