"""What others published as right and wrong: transparency-dev/merkle, cyberphone's JCS data, C2SP's signed note."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from ledger_format.errors import FormatError, ProofError, SignatureError
from ledger_format.merkle import verify_consistency, verify_inclusion
from ledger_format.notes import VerifierKey, open_note

ROOT = Path(__file__).parents[2]


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
def published_note(vectors: Path) -> Mapping[str, str]:
    """Taken out of the specification already, or the specification itself as its repository has it."""
    folder = vectors / "c2sp-spec-examples"
    if (folder / "signed-note.json").is_file():
        note: Mapping[str, str] = json.loads((folder / "signed-note.json").read_text())
        return note
    return _example((folder / "signed-note.md").read_text())


def _example(specification: str) -> Mapping[str, str]:
    """The verifier key and the note of the section "Example"; how they are set off there is left open."""
    key = re.search(r"example\.com/foo\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}={0,2}", specification)
    signature = re.search(r"\u2014 example\.com/foo [A-Za-z0-9+/]{90,}={0,2}", specification)
    assert key, "the specification shows no verifier key of example.com/foo"
    assert signature, "the specification shows no signature of example.com/foo"
    return {"vkey": key[0], "note": f"This is an example message.\n\n{signature[0]}\n"}


def test_the_example_is_found_in_the_specification_s_own_words(published_note: Mapping[str, str]) -> None:
    indented = published_note["note"].replace("\n", "\n    ")
    page = f"# Note\n\n    \u2014 <key name> base64(32-bit key ID || signature)\n\n## Example\n\n`{published_note['vkey']}`\n\n    {indented}"
    assert _example(page) == {name: published_note[name] for name in ("vkey", "note")}


def test_a_folder_that_is_named_and_is_not_there_is_no_reason_to_skip(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "french", __file__]
    missing = os.environ | {"AMPLY_VECTORS": str(tmp_path / "nowhere")}
    done = subprocess.run(command, env=missing, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"outside vectors are not at {tmp_path / 'nowhere'}" in done.stdout


def test_the_specification_s_signed_note_verifies(published_note: Mapping[str, str]) -> None:
    key = VerifierKey.parse(published_note["vkey"])
    opened = open_note(published_note["note"], [key])
    assert opened.text == "This is an example message.\n"
    assert [signature.name for signature in opened.signatures] == ["example.com/foo"]
    assert str(key) == published_note["vkey"]


def test_the_specification_s_signed_note_is_refused_once_its_text_differs(
    published_note: Mapping[str, str],
) -> None:
    key = VerifierKey.parse(published_note["vkey"])
    with pytest.raises(SignatureError):
        open_note(published_note["note"].replace("example message", "Example message"), [key])


def test_the_specification_s_signed_note_is_refused_under_every_single_bit_flip(
    published_note: Mapping[str, str],
) -> None:
    key = VerifierKey.parse(published_note["vkey"])
    raw = published_note["note"].encode()
    for position in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises((FormatError, UnicodeDecodeError)):
            open_note(flipped.decode(), [key])
