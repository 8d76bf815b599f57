"""What others published as right and wrong: transparency-dev/merkle, cyberphone's JCS data, C2SP's signed note."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from ledger_format.errors import FormatError, ProofError, SignatureError
from ledger_format.merkle import verify_consistency, verify_inclusion
from ledger_format.notes import VerifierKey, open_note


def _merkle_cases(vectors: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((vectors / "transparency-dev-merkle" / "testdata" / kind).rglob("*.json")):
        yield str(file.relative_to(vectors)), json.loads(file.read_text())


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _proof(case: dict[str, Any]) -> list[bytes]:
    return [_bytes(text) for text in case["proof"] or []]


def _accepts_inclusion(case: dict[str, Any]) -> bool:
    try:
        verify_inclusion(
            leaf=_bytes(case["leafHash"]),
            index=case["leafIdx"],
            size=case["treeSize"],
            proof=_proof(case),
            root=_bytes(case["root"]),
        )
    except ProofError:
        return False
    return True


def _accepts_consistency(case: dict[str, Any]) -> bool:
    try:
        verify_consistency(
            old_size=case["size1"],
            old_root=_bytes(case["root1"]),
            new_size=case["size2"],
            new_root=_bytes(case["root2"]),
            proof=_proof(case),
        )
    except ProofError:
        return False
    return True


def test_every_published_inclusion_proof_is_judged_as_published(vectors: Path) -> None:
    cases = list(_merkle_cases(vectors, "inclusion"))
    wrong = [name for name, case in cases if _accepts_inclusion(case) == case["wantErr"]]
    assert len(cases) == 98
    assert sum(case["wantErr"] for _, case in cases) == 92
    assert wrong == []


def test_every_published_consistency_proof_is_judged_as_published(vectors: Path) -> None:
    cases = list(_merkle_cases(vectors, "consistency"))
    wrong = [name for name, case in cases if _accepts_consistency(case) == case["wantErr"]]
    assert len(cases) == 98
    assert sum(case["wantErr"] for _, case in cases) == 92
    assert wrong == []


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_canonical_json_of_receipts_is_the_published_one(vectors: Path, name: str) -> None:
    folder = vectors / "jcs-cyberphone" / "testdata"
    value = json.loads((folder / "input" / f"{name}.json").read_bytes())
    assert rfc8785.dumps(value) == (folder / "output" / f"{name}.json").read_bytes()
    assert rfc8785.dumps(value) == bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())


@pytest.fixture
def published_note(vectors: Path) -> dict[str, str]:
    note: dict[str, str] = json.loads((vectors / "c2sp-spec-examples" / "signed-note.json").read_text())
    return note


def test_the_specification_s_signed_note_verifies(published_note: dict[str, str]) -> None:
    key = VerifierKey.parse(published_note["vkey"])
    opened = open_note(published_note["note"], [key])
    assert opened.text == "This is an example message.\n"
    assert [signature.name for signature in opened.signatures] == ["example.com/foo"]
    assert str(key) == published_note["vkey"]


def test_the_specification_s_signed_note_is_refused_once_its_text_differs(
    published_note: dict[str, str],
) -> None:
    key = VerifierKey.parse(published_note["vkey"])
    with pytest.raises(SignatureError):
        open_note(published_note["note"].replace("example message", "Example message"), [key])


def test_the_specification_s_signed_note_is_refused_under_every_single_bit_flip(
    published_note: dict[str, str],
) -> None:
    key = VerifierKey.parse(published_note["vkey"])
    raw = published_note["note"].encode()
    for position in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises((FormatError, UnicodeDecodeError)):
            open_note(flipped.decode(), [key])
