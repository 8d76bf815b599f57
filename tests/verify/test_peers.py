"""Verifiers that others wrote, installed from public registries, judge our roots and our proofs."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger_format.merkle import root_of
from ledger_format.tiles import Tile, inclusion_proof
from tests.verify.conftest import ROOT
from tests.verify.ledger_samples import SampleLog
from tests.verify.log_files import Pen

PEERS = Path(__file__).parent / "peers"
SIZES = (1, 2, 3, 7, 8, 70, 255, 256, 257, 300)


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    pen = Pen()
    pen.many(max(SIZES))
    return pen.leaves


def judge(leaves: list[bytes], proofs: list[dict[str, Any]]) -> dict[str, Any]:
    question = {"leaves": [leaf.hex() for leaf in leaves], "proofs": proofs}
    command = [str(ROOT / ".venv-peers" / "bin" / "python"), str(PEERS / "judge.py")]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def proofs_of(leaves: list[bytes], size: int) -> list[dict[str, Any]]:
    log = SampleLog(leaves[:size])

    def read(tile: Tile) -> bytes:
        return log.tiles[tile]

    return [
        {
            "index": index,
            "size": size,
            "proof": [value.hex() for value in inclusion_proof(index, size, read)],
            "root": root_of(log.hashes).hex(),
            "leaf": leaves[index].hex(),
        }
        for index in sorted({*range(0, size, 7), size - 1})
    ]


def test_pymerkle_finds_our_root_at_every_size(leaves: list[bytes]) -> None:
    hashes = SampleLog(leaves).hashes
    ours = [root_of(hashes[:size]).hex() for size in range(1, len(leaves) + 1)]
    assert judge(leaves, [])["roots"] == ours


def test_sigstore_accepts_our_inclusion_proofs(leaves: list[bytes]) -> None:
    proofs = [proof for size in SIZES for proof in proofs_of(leaves, size)]
    assert len(proofs) > 150
    assert all(judge([], proofs)["included"])


def test_sigstore_refuses_them_once_anything_is_changed(leaves: list[bytes]) -> None:
    changed = []
    for size in SIZES[2:]:
        for proof in proofs_of(leaves, size):
            other = proof["index"] ^ 1
            first = proof["proof"][0]
            changed += [
                {**proof, "leaf": proof["leaf"][:-2] + "00"},
                {**proof, "root": "00" * 32},
                {**proof, "proof": ["00" * 32, *proof["proof"][1:]]},
                {**proof, "proof": [*proof["proof"], first]},
                *([{**proof, "index": other}] if other < size else []),
            ]
    assert not any(judge([], changed)["included"])


def test_what_is_under_the_gpl_is_nowhere_else() -> None:
    """The lists that something ships or is built from do not name it."""
    named = re.compile(r"^(pymerkle|sigstore)\b", re.MULTILINE)
    assert len(named.findall((PEERS / "requirements.txt").read_text())) >= 2
    lists = [path for path in ROOT.rglob("requirements*") if path.is_file() and not _is_installed(path)]
    assert ROOT / "requirements.txt" in lists
    for path in [*lists, *(ROOT / "services").glob("*/pyproject.toml")]:
        if path.parent != PEERS:
            assert not named.search(path.read_text()), path


def _is_installed(path: Path) -> bool:
    return any(part.startswith(".venv") or part == "node_modules" for part in path.parts)
