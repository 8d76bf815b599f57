"""docs/ledger-format.md: its worked example is what the code makes, and enough to verify a receipt without the code."""

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from amply_verify.outcome import Exit
from ledger_format.checkpoints import open_checkpoint
from ledger_format.notes import VerifierKey
from ledger_format.policies import parse_policy
from tests.verify.conftest import ROOT
from tests.verify.worked_example import example_texts

DOCUMENT = (ROOT / "docs" / "ledger-format.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"<!-- example: ([a-z0-9-]+) -->\n```text\n(.*?)\n```\n", DOCUMENT, re.DOTALL))


def test_the_worked_example_is_what_the_code_makes() -> None:
    assert example_texts() == BLOCKS


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_from_the_document_alone(receipt: str, verifier_key: str) -> dict[str, str]:
    """A second verifier, after sections 3.2, 5 and 6; returns the opened values or fails an assertion."""
    head, _, note = receipt.partition("\n\n")
    magic, extra_line, index_line, *proof_lines = head.split("\n")
    assert magic == "c2sp.org/tlog-proof@v1"
    extra = json.loads(base64.b64decode(extra_line.removeprefix("extra ")))

    text, _, signature_line = note.rpartition("\n\n")
    text += "\n"
    name, key_id, encoded_key = verifier_key.split("+", 2)
    public_key = base64.b64decode(encoded_key)
    assert hashlib.sha256(name.encode() + b"\n" + public_key).hexdigest()[:8] == key_id
    dash, signer, encoded = signature_line.rstrip("\n").split(" ")
    signature = base64.b64decode(encoded)
    assert (dash, signer, signature[:4].hex()) == ("—", name, key_id)
    Ed25519PublicKey.from_public_bytes(public_key[1:]).verify(signature[4:], text.encode())
    origin, size, root = text.splitlines()
    assert origin == name

    fn, sn = int(index_line.removeprefix("index ")), int(size) - 1
    r = hashlib.sha256(b"\0" + extra["leaf"].encode()).digest()
    for p in map(base64.b64decode, proof_lines):
        assert sn != 0
        if fn % 2 or fn == sn:
            r = node_hash(p, r)
            while fn and fn % 2 == 0:
                fn, sn = fn // 2, sn // 2
        else:
            r = node_hash(r, p)
        fn, sn = fn // 2, sn // 2
    assert (sn, r) == (0, base64.b64decode(root))

    leaf = json.loads(extra["leaf"])
    assert leaf["log"] == origin
    for field, opening in extra["openings"].items():
        value = opening["value"].encode()
        message = b"amply/commitment/v1\0" + field.encode() + b"\0" + len(value).to_bytes(4, "big") + value
        computed = hmac.new(base64.b64decode(opening["salt"]), message, hashlib.sha256).hexdigest()
        assert computed == leaf["commitments"][field]
    return {field: opening["value"] for field, opening in extra["openings"].items()}


def test_a_verifier_written_from_the_document_accepts_its_receipt() -> None:
    opened = verify_from_the_document_alone(BLOCKS["receipt"] + "\n", BLOCKS["verifier-key"])
    assert opened == {"donor_name": "Zoë Ångström"}


def witnesses_from_the_document_alone(note: str, policy: str) -> set[str]:
    """A second reading of 5.4 and 5.5, for a policy with one group; the names that count, or an assertion."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    keys: dict[str, str] = {}
    members: set[str] = set()
    threshold, group = 0, ""
    for line in policy.splitlines():
        match line.split():
            case ["witness", name, key]:
                keys[name] = key
            case ["group", name, count, *rest]:
                group, threshold, members = name, int(count), set(rest)
            case ["quorum", name]:
                assert name == group
    found = set()
    for name, key in keys.items():
        key_name, key_id, encoded = key.split("+", 2)
        public_key = base64.b64decode(encoded)
        assert public_key[0] == 4
        assert hashlib.sha256(key_name.encode() + b"\n" + public_key).hexdigest()[:8] == key_id
        for line in lines.splitlines():
            dash, signer, coded = line.split(" ")
            signature = base64.b64decode(coded)
            if (dash, signer, signature[:4].hex()) != ("—", key_name, key_id):
                continue
            seconds = int.from_bytes(signature[4:12], "big")
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            Ed25519PublicKey.from_public_bytes(public_key[1:]).verify(signature[12:], message)
            found.add(name)
    assert len(found & members) >= threshold
    return found


def test_a_verifier_written_from_the_document_counts_its_witnesses() -> None:
    note, policy = BLOCKS["cosigned-checkpoint"] + "\n", BLOCKS["policy"]
    assert witnesses_from_the_document_alone(note, policy) == {"harbour", "lantern"}
    assert BLOCKS["witness-verifier-key"] in policy
    with pytest.raises(AssertionError):
        witnesses_from_the_document_alone(note.rpartition("— ")[0], policy)
    with pytest.raises(InvalidSignature):
        witnesses_from_the_document_alone(note.replace("\n3\n", "\n4\n"), policy)


def test_the_examples_of_witnesses_and_keys_open_with_what_stands_beside_them() -> None:
    log, following = (VerifierKey.parse(BLOCKS[name]) for name in ("verifier-key", "next-verifier-key"))
    policy = parse_policy(BLOCKS["policy"].encode() + b"\n")
    assert len(open_checkpoint(BLOCKS["cosigned-checkpoint"] + "\n", [log], policy=policy).witnessed) == 2
    overlapping = BLOCKS["overlapping-checkpoint"] + "\n"
    for keys in ([log], [following], [log, following]):
        assert open_checkpoint(overlapping, keys).checkpoint.size == 3


@pytest.mark.parametrize("name", ["amount_changed", "checkpoint_size_raised", "opening_of_another_name"])
def test_a_verifier_written_from_the_document_refuses_golden_faults(golden: Path, name: str) -> None:
    receipt = (golden / f"{name}.tlog-proof").read_text(encoding="utf-8")
    with pytest.raises((AssertionError, InvalidSignature)):
        verify_from_the_document_alone(receipt, BLOCKS["verifier-key"])


def test_the_verifier_s_own_page_names_every_exit_code() -> None:
    page = (ROOT / "services" / "verify" / "README.md").read_text(encoding="utf-8")
    named = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert named == {int(code) for code in Exit}
