"""The same bytes mean the same to both verifiers: `golden/readings.json` holds what libraries of languages read differently."""

import base64
import dataclasses
import json
import random

import pytest

from ledger_format.receipts import encode_receipt
from tests.verify.javascript_runner import LOG_KEY, Ask
from tests.verify.judging import judged_in_javascript, judged_in_python, question
from tests.verify.readings import FILE, LINE_ENDS, SPACES, Reading, text
from tests.verify.worked_example import example_receipt

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


PIECES = [
    *(character.encode() for character in LINE_ENDS + SPACES + '\n +#=0139Aaz/_-.\t\0\x7f"\\{}[],:'),
    *(
        piece.encode()
        for piece in (
            "\n\n",
            "\n— ",
            "# ",
            "\u0663",
            "\U0001f511",
            "null",
            "\\u0041",
            "\\ud800",
            '"v":2',
            "1e5",
        )
    ),
    *(b"\xff", b"\xed\xa0\x80", b"\xc0\x80"),
]


def spoilt(raw: bytes, chance: random.Random) -> bytes:
    """The bytes with one to three small changes, of the kind that readers disagree on."""
    for _ in range(chance.randint(1, 3)):
        place, gone = chance.randrange(len(raw) + 1), chance.choice((0, 0, 1, 1, 2, 4))
        raw = raw[:place] + chance.choice(PIECES) + raw[place + gone :]
    return raw


def _spoilt_receipt(chance: random.Random) -> bytes:
    whole = encode_receipt(example_receipt())
    if chance.random() < 0.5:
        return spoilt(whole, chance)
    magic, extra, *rest = whole.split(b"\n")
    told = spoilt(base64.b64decode(extra.removeprefix(b"extra ")), chance)
    return b"\n".join([magic, b"extra " + base64.b64encode(told), *rest])


def test_what_is_changed_at_random_is_read_alike_by_both(ask: Ask) -> None:
    chance = random.Random(20261127)  # noqa: S311 -- the same bytes each time
    # The pages never have a policy's bytes, only its text: test_javascript_policies.py.
    seeds = [
        each
        for each in READINGS
        if each.verdict != "malformed" and each.read != "policy" and len(each.raw) < 2_500
    ]
    receipt = Reading(name="receipt", read="receipt", content="", keys=[LOG_KEY])
    tried = []
    for _ in range(3_000):
        seed = chance.choice([*seeds, *[receipt] * 10])
        raw = spoilt(seed.raw, chance) if seed.raw else _spoilt_receipt(chance)
        tried.append(dataclasses.replace(seed, content=base64.b64encode(raw).decode()))
    answers = ask([question(each) for each in tried])
    judged = [
        (each, judged_in_python(each), judged_in_javascript(answer))
        for each, answer in zip(tried, answers, strict=True)
    ]
    assert [told for told in judged if told[1] != told[2]] == []
    assert sum(verdict == "verified" for _, (verdict, _), _ in judged) > 200
