"""Post, sequence, publish, prove: the whole way of an entry, judged by the tool that people run against us."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backend.ledger_world import LedgerWorld


def amply_verify(receipt: Path, *, key: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "amply_verify", "receipt", str(receipt), "--key", key]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"}
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


@pytest.fixture
def receipt(books: LedgerWorld, tmp_path: Path) -> Path:
    """The receipt of one entry among others, as its donor gets it."""
    books.post_many(3)
    posted = books.post(personal={"donor_name": "Zoë Ångström", "donor_email": "zoe@example.org"})
    assert books.receipt(posted.id) is None, "not sequenced yet"
    books.sequence()
    assert books.receipt(posted.id) is None, "not published yet"
    books.publish()
    text = books.receipt(posted.id)
    assert text is not None
    file = tmp_path / "donation.tlog-proof"
    file.write_text(text)
    return file


def test_a_receipt_convinces_the_verifier(receipt: Path, books: LedgerWorld) -> None:
    judged = amply_verify(receipt, key=str(books.verifier))

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "Zoë Ångström" in judged.stdout


def test_a_receipt_with_one_changed_byte_convinces_nobody(receipt: Path, books: LedgerWorld) -> None:
    raw = bytearray(receipt.read_bytes())
    for at in range(100, len(raw), len(raw) // 4):
        changed = bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1 :])
        receipt.write_bytes(changed)
        assert amply_verify(receipt, key=str(books.verifier)).returncode != 0
