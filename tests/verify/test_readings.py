"""The same bytes mean the same to both verifiers: `golden/readings.json` holds what libraries of languages read differently."""

import json

import pytest

from tests.verify.javascript_runner import Ask
from tests.verify.judging import judged_in_javascript, judged_in_python, question
from tests.verify.readings import FILE, Reading, text

READINGS = [Reading(**raw) for raw in json.loads(FILE.read_text(encoding="ascii"))]
EXPECTED = {each.name: (each.verdict, each.meaning) for each in READINGS}


def test_the_golden_file_is_what_its_module_makes() -> None:
    assert FILE.read_text(encoding="ascii") == text()
    assert len(EXPECTED) == len(READINGS)


@pytest.mark.parametrize("read", sorted({each.read for each in READINGS}))
def test_the_format_package_reads_them_so(read: str) -> None:
    told = {each.name: judged_in_python(each) for each in READINGS if each.read == read}
    assert told == {name: EXPECTED[name] for name in told}


def test_the_pages_read_them_so(ask: Ask) -> None:
    answers = ask([question(each) for each in READINGS])
    told = {each.name: judged_in_javascript(answer) for each, answer in zip(READINGS, answers, strict=True)}
    assert told == EXPECTED
