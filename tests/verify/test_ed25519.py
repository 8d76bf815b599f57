"""One rule for Ed25519 (docs/ledger-format.md §5.1), kept alike by the package, the canary and the pages.

`golden/ed25519.json` holds signatures on which verifiers disagree. RFC 8032 allows two equations, and who holds a key can sign
so that only one of them holds: a checkpoint that is true for some and false for others.
"""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from amply_canary import ed25519 as canary
from ledger_format import ed25519
from tests.verify.ed25519_edge_cases import FILE, Case, text
from tests.verify.javascript_runner import Ask

CASES = [Case(**raw) for raw in json.loads(FILE.read_text(encoding="ascii"))]
EXPECTED = {case.name: case.is_true for case in CASES}


def _parts(case: Case) -> tuple[bytes, bytes, bytes]:
    return bytes.fromhex(case.key), bytes.fromhex(case.signature), bytes.fromhex(case.message)


def _library(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_the_golden_file_is_what_plain_arithmetic_makes() -> None:
    assert FILE.read_text(encoding="ascii") == text()
    assert (len(EXPECTED), sum(EXPECTED.values())) == (len(CASES), 5)


def test_the_format_package_keeps_the_rule() -> None:
    assert {case.name: ed25519.is_signature(*_parts(case)) for case in CASES} == EXPECTED


def test_the_canary_keeps_the_rule() -> None:
    assert {case.name: canary.is_signature(*_parts(case)) for case in CASES} == EXPECTED


def test_the_pages_keep_the_rule(ask: Ask) -> None:
    answers = ask(
        [
            {"do": "signature", "key": case.key, "message": case.message, "signature": case.signature}
            for case in CASES
        ]
    )
    judged = {case.name: answer["result"] for case, answer in zip(CASES, answers, strict=True)}
    assert judged == EXPECTED


def test_the_library_differs_on_keys_of_small_order_alone() -> None:
    """What the package has to sort out itself. A library that comes to differ elsewhere cannot be built upon."""
    differing = {case.name for case in CASES if _library(*_parts(case)) != case.is_true}
    assert {name for name in differing if not name.startswith("A is ")} == set()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_has_signed_nothing(length: int) -> None:
    assert not ed25519.is_signature(bytes(length), bytes(64), b"")
    assert not canary.is_signature(bytes(length), bytes(64), b"")
