"""Commitments and receipts: what opens, and everything that does not."""

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger_format.commitments import commit, verify_opening
from ledger_format.entries import encode
from ledger_format.errors import (
    CommitmentError,
    EntryError,
    FormatError,
    MismatchError,
    ProofError,
    ReceiptError,
    UntrustedNoteError,
)
from ledger_format.receipts import Opening, Receipt, decode_receipt, encode_receipt, verify_receipt
from tests.verify.flips import ALL_BY_NIGHT, positions
from tests.verify.ledger_samples import ORIGIN, STRANGERS_KEY, SampleLog, sample_entry, verifier_key
from tests.verify.worked_example import DONOR_EMAIL, DONOR_NAME, example_log, example_receipt

KEYS = [verifier_key()]
SALT = bytes(range(32))


def test_a_commitment_is_the_hmac_that_the_document_defines() -> None:
    message = b"amply/commitment/v1\0donor_name\0\0\0\0\x04Zo\xc3\xab"
    expected = hmac.new(SALT, message, hashlib.sha256).digest()
    assert commit(field="donor_name", value="Zoë", salt=SALT) == expected


def test_field_value_and_salt_all_bind() -> None:
    commitment = commit(field="donor_name", value="Zoë", salt=SALT)
    verify_opening(field="donor_name", value="Zoë", salt=SALT, commitment=commitment)
    for other in (
        {"field": "donor_email", "value": "Zoë", "salt": SALT},
        {"field": "donor_name", "value": "Zoe", "salt": SALT},
        {"field": "donor_name", "value": "Zoe\u0308", "salt": SALT},
        {"field": "donor_name", "value": "Zoë", "salt": bytes(32)},
    ):
        with pytest.raises(CommitmentError):
            verify_opening(**other, commitment=commitment)  # type: ignore[arg-type]  # a table of arguments


@pytest.mark.parametrize(
    ("field", "value", "salt"),
    [
        ("Donor", "x", SALT),
        ("", "x", SALT),
        ("a\0b", "x", SALT),
        ("donor_name", "x" * 4097, SALT),
        ("donor_name", "é" * 2049, SALT),
        ("donor_name", "\ud800", SALT),
        ("donor_name", "x", bytes(31)),
        ("donor_name", "x", b""),
    ],
)
def test_what_cannot_be_committed_to_is_refused(field: str, value: str, salt: bytes) -> None:
    with pytest.raises(CommitmentError):
        commit(field=field, value=value, salt=salt)


def test_a_receipt_proves_its_entry_its_place_and_its_openings() -> None:
    verified = verify_receipt(decode_receipt(encode_receipt(example_receipt())), KEYS)
    assert verified.entry.id == "ent_5q0x7m3gk9r2v8cdt4h6wzb1ne"
    assert verified.entry.transfers[0].amount_minor == 2500
    assert (verified.index, verified.checkpoint) == (0, example_log().checkpoint())
    assert verified.opened == {"donor_name": "Zoë Ångström"}
    assert verified.signers == (ORIGIN,)


def test_a_receipt_needs_no_openings() -> None:
    assert verify_receipt(decode_receipt(encode_receipt(example_log().receipt(2))), KEYS).opened == {}


@given(st.integers(1, 300), st.data())
def test_every_entry_of_a_log_has_a_receipt(size: int, data: st.DataObject) -> None:
    log = SampleLog([encode(sample_entry(id=f"ent_{number}")) for number in range(size)])
    index = data.draw(st.integers(0, size - 1))
    verified = verify_receipt(decode_receipt(encode_receipt(log.receipt(index))), KEYS)
    assert verified.entry.id == f"ent_{index}"


@ALL_BY_NIGHT
def test_a_flipped_bit_of_a_receipt_is_refused(bits: int) -> None:
    raw = encode_receipt(example_receipt())
    accepted = []
    for position in positions(raw, bits=bits):
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        try:
            verify_receipt(decode_receipt(bytes(flipped)), KEYS)
        except FormatError:
            continue
        accepted.append(position)
    assert accepted == []


def test_a_receipt_cut_anywhere_is_refused() -> None:
    raw = encode_receipt(example_receipt())
    for end in range(len(raw)):
        with pytest.raises(FormatError):
            verify_receipt(decode_receipt(raw[:end]), KEYS)


def test_without_a_trusted_key_no_receipt_verifies() -> None:
    for keys in ([], [verifier_key(STRANGERS_KEY)]):
        with pytest.raises(UntrustedNoteError):
            verify_receipt(example_receipt(), keys)


def changed(**changes: Any) -> Receipt:
    return dataclasses.replace(example_receipt(), **changes)


@pytest.mark.parametrize(
    ("receipt", "error"),
    [
        (changed(leaf=example_log().leaves[1]), ProofError),
        (changed(index=1), ProofError),
        (changed(index=3), ProofError),
        (changed(proof=()), ProofError),
        (changed(proof=example_receipt().proof[::-1]), ProofError),
        (changed(proof=(*example_receipt().proof, bytes(32))), ProofError),
        (changed(openings={"donor_name": DONOR_EMAIL}), CommitmentError),
        (changed(openings={"donor_name": Opening("Zoe", DONOR_NAME.salt)}), CommitmentError),
        (changed(openings={"donor_phone": DONOR_NAME}), MismatchError),
        (SampleLog([encode(sample_entry(log="log.amply.example/other"))]).receipt(0), MismatchError),
        (SampleLog([b"not an entry"]).receipt(0), EntryError),
    ],
)
def test_a_receipt_whose_parts_do_not_fit_is_refused(receipt: Receipt, error: type[FormatError]) -> None:
    with pytest.raises(error):
        verify_receipt(receipt, KEYS)


def with_extra(raw: bytes, extra: Any) -> bytes:
    encoded = extra if isinstance(extra, bytes) else rfc8785.dumps(extra)
    lines = raw.split(b"\n")
    lines[1] = b"extra " + base64.b64encode(encoded)
    return b"\n".join(lines)


OPENING = {"salt": base64.b64encode(SALT).decode(), "value": "x"}


@pytest.mark.parametrize(
    "extra",
    [
        {},
        [],
        "leaf",
        {"leaf": "x"},
        {"leaf": "x", "openings": {}, "more": "x"},
        {"leaf": 1, "openings": {}},
        {"leaf": {}, "openings": {}},
        {"leaf": "x", "openings": "x"},
        {"leaf": "x", "openings": []},
        {"leaf": "x", "openings": {"donor_name": "x"}},
        {"leaf": "x", "openings": {"donor_name": {"salt": OPENING["salt"]}}},
        {"leaf": "x", "openings": {"donor_name": {**OPENING, "more": "x"}}},
        {"leaf": "x", "openings": {"donor_name": {**OPENING, "salt": "AAAA"}}},
        {"leaf": "x", "openings": {"donor_name": {**OPENING, "salt": "not base64"}}},
        {"leaf": "x", "openings": {"donor_name": {**OPENING, "salt": {}}}},
        {"leaf": "x", "openings": {"donor_name": {**OPENING, "value": 1}}},
        {"leaf": "x", "openings": {"donor_name": {**OPENING, "value": {}}}},
        {"leaf": "x", "openings": {f"field_{number}": OPENING for number in range(33)}},
        b"",
        b"\xff",
        b'{"leaf":"x","openings":{}} ',
        b'{"leaf":"x","leaf":"x","openings":{}}',
        b'{"openings":{},"leaf":"x"}',
        b'{"leaf":"\\u0078","openings":{}}',
        b'{"leaf":"x","openings":{"donor_name":{"salt":"AAAA","value":"\\ud800"}}}',
        b"[" * 100_000,
        b"9" * 10_000,
    ],
)
def test_a_receipt_with_any_other_extra_line_is_refused(extra: Any) -> None:
    with pytest.raises(ReceiptError):
        decode_receipt(with_extra(encode_receipt(example_receipt()), extra))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda raw: raw.replace(b"@v1", b"@v2"),
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"index 0", b"index 00"),
        lambda raw: raw.replace(b"index 0", b"index -1"),
        lambda raw: raw.replace(b"index 0\n", b""),
        lambda raw: raw.replace(b"index 0", b"index"),
        lambda raw: raw.replace(b"extra ", b"extra  "),
        lambda raw: raw.replace(b"extra ", b"Extra "),
        lambda raw: raw.split(b"\n\n")[0],
        lambda raw: raw.split(b"\n\n")[0] + b"\n\n",
        lambda raw: raw.replace(b"index 0\n", b"index 0\n" + base64.b64encode(bytes(31)) + b"\n"),
        lambda raw: raw.replace(b"index 0\n", b"index 0\n" + (base64.b64encode(bytes(32)) + b"\n") * 62),
        lambda raw: raw + b"x" * 1_048_576,
        lambda raw: raw + b"\xff",
    ],
)
def test_a_malformed_receipt_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ReceiptError):
        decode_receipt(spoil(encode_receipt(example_receipt())))


@pytest.mark.parametrize(
    "receipt",
    [
        changed(leaf=b"\xff"),
        changed(index=-1),
        changed(proof=(bytes(31),)),
        changed(proof=(bytes(32),) * 64),
        changed(checkpoint_note=""),
        changed(openings={"donor_name": Opening("x", bytes(31))}),
        changed(openings={"donor_name": Opening("\ud800", bytes(32))}),
    ],
)
def test_a_receipt_that_could_not_be_read_again_is_not_written(receipt: Receipt) -> None:
    with pytest.raises(ReceiptError):
        encode_receipt(receipt)


@given(st.text(max_size=50))
def test_any_name_survives_the_receipt(name: str) -> None:
    entry = sample_entry(commitments={"donor_name": commit(field="donor_name", value=name, salt=SALT)})
    raw = encode_receipt(SampleLog([encode(entry)]).receipt(0, {"donor_name": Opening(name, SALT)}))
    assert verify_receipt(decode_receipt(raw), KEYS).opened == {"donor_name": name}


def test_the_extra_line_is_canonical_json_of_leaf_and_openings() -> None:
    line = encode_receipt(example_receipt()).split(b"\n")[1]
    extra = base64.b64decode(line.removeprefix(b"extra "))
    value = json.loads(extra)
    assert rfc8785.dumps(value) == extra
    assert value["leaf"].encode() == example_log().leaves[0]
    assert value["openings"]["donor_name"]["value"] == "Zoë Ångström"
