"""The pages' verifier, in Node: held to the same golden receipts, worked example and outside vectors as `amply-verify`."""

import base64
import json
import random
from pathlib import Path

import pytest

from amply_verify.outcome import Exit, from_format_error
from ledger_format.entries import MAX_TRANSFERS, decode, encode
from ledger_format.errors import FormatError
from ledger_format.receipts import encode_receipt
from tests.verify.flips import ALL_BY_NIGHT, positions
from tests.verify.javascript_runner import LOG_KEY, Ask, b64, kind, receipt_call
from tests.verify.ledger_samples import ORIGIN, STRANGERS_KEY, sample_entry, sample_transfer, verifier_key
from tests.verify.test_document import BLOCKS
from tests.verify.test_golden_receipts import EXIT_CODES
from tests.verify.test_outside_vectors import _merkle_cases
from tests.verify.worked_example import example_log, example_receipt, example_two_phases


def test_every_golden_receipt_is_judged_as_amply_verify_judges_it(ask: Ask, golden: Path) -> None:
    calls = [receipt_call((golden / f"{name}.tlog-proof").read_bytes()) for name in EXIT_CODES]
    judged = dict(zip(EXIT_CODES, map(kind, ask(calls)), strict=True))
    assert judged == {name: expected.name.lower() for name, expected in EXIT_CODES.items()}


def test_the_worked_example_proves_what_the_document_says(ask: Ask) -> None:
    (answer,) = ask([receipt_call((BLOCKS["receipt"] + "\n").encode(), keys=[BLOCKS["verifier-key"]])])
    assert answer["result"] == {
        "entry": "ent_5q0x7m3gk9r2v8cdt4h6wzb1ne",
        "amounts": ["2500"],
        "index": "0",
        "size": "3",
        "leaf_hash": BLOCKS["leaf-hashes"].split("\n")[0],
        "opened": {"donor_name": "Zoë Ångström"},
        "signers": [[ORIGIN, None]],
    }


def test_the_worked_examples_leaves_are_read(ask: Ask) -> None:
    leaves = [*example_log().leaves, *example_two_phases()]
    answers = ask([{"do": "entry", "leaf": b64(leaf)} for leaf in leaves])
    assert [answer["result"]["id"] for answer in answers] == [decode(leaf).id for leaf in leaves]


@ALL_BY_NIGHT
def test_a_flipped_bit_of_a_receipt_is_refused(ask: Ask, bits: int) -> None:
    raw = encode_receipt(example_receipt())
    flipped = positions(raw, bits=bits)
    (answer,) = ask([{"do": "flips", "file": b64(raw), "positions": flipped, "keys": [LOG_KEY]}])
    assert answer["result"] == []


def test_a_receipt_cut_anywhere_is_refused(ask: Ask) -> None:
    raw = encode_receipt(example_receipt())
    (answer,) = ask([{"do": "cuts", "file": b64(raw), "keys": [LOG_KEY]}])
    assert answer["result"] == []


def test_without_a_key_nothing_was_checked_and_a_strangers_key_refuses(ask: Ask) -> None:
    raw = encode_receipt(example_receipt())
    stranger = str(verifier_key(STRANGERS_KEY))
    answers = ask([receipt_call(raw, keys=[]), receipt_call(raw, keys=[stranger])])
    assert [kind(answer) for answer in answers] == ["no_key", "signature"]


HOSTILE_EXTRAS = [
    b"{}",
    b"[]",
    b'"leaf"',
    b"",
    b"\xff",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"9" * 100_000,
    b'"' + b"\\u0041" * 100_000 + b'"',
    b'{"leaf":"x","openings":{}} ',
    b'{"leaf":"x","leaf":"x","openings":{}}',
    b'{"openings":{},"leaf":"x"}',
    b'{"leaf":"\\u0078","openings":{}}',
    b'{"leaf":"x","openings":{"__proto__":{"salt":"AAAA","value":"x"}}}',
    b'{"leaf":"x","openings":{"a":{"salt":"AAAA","value":"\\ud800"}}}',
    b'{"leaf":"\\ud800","openings":{}}',
    b'{"leaf":1,"openings":{}}',
    b'{"leaf":"x","openings":[]}',
    b'{"leaf":"x","openings":{"constructor":"x"}}',
]


def test_hostile_extra_lines_are_refused_as_malformed(ask: Ask) -> None:
    lines = encode_receipt(example_receipt()).split(b"\n")
    calls = [
        receipt_call(b"\n".join([lines[0], b"extra " + base64.b64encode(extra), *lines[2:]]))
        for extra in HOSTILE_EXTRAS
    ]
    assert [kind(answer) for answer in ask(calls)] == ["malformed"] * len(calls)


def python_verdict(raw: bytes) -> str:
    try:
        decode(raw)
    except FormatError as error:
        return from_format_error(error).exit_code.name.lower()
    return Exit.VERIFIED.name.lower()


def mutated(leaf: bytes, chance: random.Random) -> bytes:
    """A leaf with one to three small changes, of the kind that parsers disagree on."""
    pieces = [
        b'"',
        b"\\",
        b"0",
        b"1",
        b"-",
        b".",
        b"e",
        b"{",
        b"}",
        b",",
        b" ",
        b"\n",
        b"\t",
        b"\\u0031",
        b"null",
    ]
    pieces += [
        b"\x00",
        b"\x7f",
        b"\xc2\xa0",
        b"\xff",
        b'"v":1,',
        b'"v":2,',
        b'"v":1.0,',
        b"+",
        b"00",
        b"A",
        b"/",
        b"#",
    ]
    raw = leaf
    for _ in range(chance.randint(1, 3)):
        place, gone = chance.randrange(len(raw)), chance.choice((0, 1, 1, 2, 5))
        raw = raw[:place] + chance.choice([*pieces, b""]) + raw[place + gone :]
    return raw


def test_leaves_changed_at_random_are_judged_as_the_format_package_judges_them(ask: Ask) -> None:
    chance = random.Random(20261126)  # noqa: S311 -- the same leaves each time
    seeds = [*example_log().leaves, *example_two_phases(), encode(sample_entry(ref="stripe:payout:po_1"))]
    leaves = [mutated(chance.choice(seeds), chance) for _ in range(6_000)]
    leaves += [raw.replace(b'"v":1', b'"v":' + version) for raw in seeds for version in VERSIONS]
    answers = ask([{"do": "entry", "leaf": b64(leaf)} for leaf in leaves])
    disagreed = [
        (leaf, kind(answer), python_verdict(leaf))
        for leaf, answer in zip(leaves, answers, strict=True)
        if kind(answer) != python_verdict(leaf)
    ]
    assert disagreed == []


VERSIONS = (
    b"2",
    b"9999",
    b"10000",
    b"-2",
    b"0",
    b"2.0",
    b"2e0",
    b"02",
    b"true",
    b'"2"',
    b"null",
    b"NaN",
    b"1.0",
)


TIMES_THAT_EXIST = (
    *("2024-02-29T00:00Z", "1900-02-28T23:59Z", "2000-02-29T12:00Z"),
    *("0001-01-01T00:00Z", "9999-12-31T23:59Z"),
)
TIMES_THAT_DO_NOT = (
    *("2023-02-29T00:00Z", "1900-02-29T00:00Z", "0000-01-01T00:00Z", "2026-04-31T00:00Z"),
    *("2026-13-01T00:00Z", "2026-00-01T00:00Z", "2026-01-00T00:00Z", "2026-01-01T24:00Z"),
    *("2026-01-01T00:60Z", "2026-01-01T00:00z"),
)


def test_times_exist_in_both_verifiers_or_in_neither(ask: Ask) -> None:
    times = (*TIMES_THAT_EXIST, *TIMES_THAT_DO_NOT)
    leaves = [encode(sample_entry()).replace(b"2026-11-21T07:44Z", ts.encode()) for ts in times]
    answers = [kind(answer) for answer in ask([{"do": "entry", "leaf": b64(leaf)} for leaf in leaves])]
    assert answers == ["verified"] * len(TIMES_THAT_EXIST) + ["malformed"] * len(TIMES_THAT_DO_NOT)
    assert answers == [python_verdict(leaf) for leaf in leaves]


def test_an_entry_of_the_largest_kind_is_read(ask: Ask) -> None:
    transfers = tuple(sample_transfer(amount_minor=2**63 - 1 - line) for line in range(MAX_TRANSFERS))
    leaf = encode(sample_entry(transfers=transfers))
    (answer,) = ask([{"do": "entry", "leaf": b64(leaf)}])
    assert kind(answer) == "verified"


# ---- outside vectors -------------------------------------------------------------------------------------------


def test_every_published_inclusion_proof_is_judged_as_published(ask: Ask, vectors: Path) -> None:
    cases = list(_merkle_cases(vectors, "inclusion"))
    answers = ask(
        [
            {
                "do": "inclusion",
                "leaf": case["leafHash"],
                "index": str(case["leafIdx"]),
                "size": str(case["treeSize"]),
                "proof": case["proof"],
                "root": case["root"],
            }
            for _, case in cases
        ]
    )
    judged = [(name, kind(answer) != "verified") for (name, _), answer in zip(cases, answers, strict=True)]
    assert judged == [(name, case["wantErr"]) for name, case in cases]
    assert len(cases) == 98


def test_every_published_consistency_proof_is_judged_as_published(ask: Ask, vectors: Path) -> None:
    cases = list(_merkle_cases(vectors, "consistency"))
    answers = ask(
        [
            {
                "do": "consistency",
                "old_size": str(case["size1"]),
                "old_root": case["root1"],
                "new_size": str(case["size2"]),
                "new_root": case["root2"],
                "proof": case["proof"],
            }
            for _, case in cases
        ]
    )
    judged = [(name, kind(answer) != "verified") for (name, _), answer in zip(cases, answers, strict=True)]
    assert judged == [(name, case["wantErr"]) for name, case in cases]
    assert len(cases) == 98


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_canonical_json_is_the_published_one(ask: Ask, vectors: Path, name: str) -> None:
    folder = vectors / "jcs-cyberphone" / "testdata"
    (answer,) = ask([{"do": "canonical", "json": b64((folder / "input" / f"{name}.json").read_bytes())}])
    assert base64.b64decode(answer["result"]) == (folder / "output" / f"{name}.json").read_bytes()


def test_the_specifications_signed_note_verifies_and_none_of_its_flips(ask: Ask, vectors: Path) -> None:
    note = json.loads((vectors / "c2sp-spec-examples" / "signed-note.json").read_text())
    asked = {"note": note["note"], "keys": [note["vkey"]]}
    every = positions(note["note"].encode(), bits=8)
    opened, flips = ask([{"do": "note", **asked}, {"do": "note_flips", "positions": every, **asked}])
    assert opened["result"] == {"text": "This is an example message.\n", "signers": ["example.com/foo"]}
    assert flips["result"] == []
