"""The same bytes mean the same to both verifiers: `golden/readings.json` holds what libraries of languages read differently."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from amply_verify.outcome import CheckFailure, from_format_error
from amply_verify.sources import decode_text
from ledger_format.entries import decode
from ledger_format.errors import FormatError, PolicyError
from ledger_format.log_keys import parse_key_list, parse_log_key
from ledger_format.notes import open_note
from ledger_format.policies import parse_policy
from tests.verify.javascript_runner import Answer, Ask, kind
from tests.verify.readings import FILE, Reading, text

READINGS = [Reading(**raw) for raw in json.loads(FILE.read_text(encoding="ascii"))]
EXPECTED = {each.name: (each.verdict, each.meaning) for each in READINGS}


def _note(reading: Reading) -> list[str]:
    keys = [parse_log_key(key) for key in reading.keys]
    return [str(len(open_note(decode_text(reading.raw, what="the note"), keys).signatures))]


MEANING: dict[str, Callable[[Reading], list[str]]] = {
    "key list": lambda reading: [
        str(key) for key in parse_key_list(decode_text(reading.raw, what="the key list"))
    ],
    "note": _note,
    "policy": lambda reading: [parse_policy(reading.raw).quorum],
    "leaf": lambda reading: [decode(reading.raw).id],
}


def _in_python(reading: Reading) -> tuple[str, list[str]]:
    try:
        return "verified", MEANING[reading.read](reading)
    except CheckFailure as failure:
        return failure.exit_code.name.lower(), []
    except PolicyError:
        return "malformed", []
    except FormatError as error:
        return from_format_error(error).exit_code.name.lower(), []


def _in_javascript(answer: Answer) -> tuple[str, list[str]]:
    meaning: Any = answer.get("result", [])
    return kind(answer), meaning


def test_the_golden_file_is_what_its_module_makes() -> None:
    assert FILE.read_text(encoding="ascii") == text()
    assert len(EXPECTED) == len(READINGS)


@pytest.mark.parametrize("read", MEANING)
def test_the_format_package_reads_them_so(read: str) -> None:
    told = {each.name: _in_python(each) for each in READINGS if each.read == read}
    assert told == {name: EXPECTED[name] for name in told}


def test_the_pages_read_them_so(ask: Ask) -> None:
    answers = ask(
        [
            {"do": "reading", "read": each.read, "content": each.content, "keys": each.keys}
            for each in READINGS
        ]
    )
    told = {each.name: _in_javascript(answer) for each, answer in zip(READINGS, answers, strict=True)}
    assert told == EXPECTED
