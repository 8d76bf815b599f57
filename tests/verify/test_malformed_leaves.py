"""Bytes that are no leaf: every key, value and spelling that reading an entry refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785

from ledger_format.entries import decode, encode
from ledger_format.errors import EntryError, UnknownVersionError
from tests.verify.ledger_samples import sample_entry


def leaf() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encode(sample_entry()))
    return parsed


def refused(value: Any, match: str = ".") -> None:
    with pytest.raises(EntryError, match=match):
        decode(rfc8785.dumps(value))


@pytest.mark.parametrize("key", ["v", "log", "id", "kind", "ts", "org", "org_seq", "transfers"])
def test_a_leaf_without_a_required_key_is_refused(key: str) -> None:
    value = leaf()
    del value[key]
    refused(value)


@pytest.mark.parametrize("key", ["d", "c", "cur", "amt"])
def test_a_transfer_without_a_required_key_is_refused(key: str) -> None:
    value = leaf()
    del value["transfers"][0][key]
    refused(value, key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("note", "x"),
        ("org_prev", None),
        ("ref", None),
        ("ref", ["stripe:a"]),
        ("commitments", {}),
        ("commitments", None),
        ("commitments", {"donor_name": "A" * 64}),
        ("commitments", {"donor_name": "00" * 31}),
        ("commitments", {"donor_name": 1}),
        ("org_seq", 0),
        ("org_seq", "00"),
        ("org_seq", "-0"),
        ("org_seq", "\u0660"),
        ("org_seq", "9223372036854775808"),
        ("ts", "2026-11-21T07:44:00Z"),
        ("ts", "2026-11-21T07:44+00:00"),
        ("ts", "2026-02-29T07:44Z"),
        ("ts", "2026-11-21T24:00Z"),
        ("ts", "0000-01-01T00:00Z"),
        ("transfers", {}),
        ("transfers", ["x"]),
        ("v", "1"),
        ("v", True),
        ("v", 1.5),
        ("v", None),
    ],
)
def test_a_leaf_with_a_wrong_value_is_refused(key: str, value: object) -> None:
    refused({**leaf(), key: value})


@pytest.mark.parametrize(
    "amount", [2500, "0", "-1", "02500", "+1", "25.00", "1e3", "", " 1", "9223372036854775808", None]
)
def test_an_amount_that_is_not_a_positive_decimal_string_is_refused(amount: object) -> None:
    value = leaf()
    value["transfers"][0]["amt"] = amount
    refused(value)


def test_an_unknown_key_in_a_transfer_is_refused() -> None:
    value = leaf()
    value["transfers"][0]["memo"] = "x"
    refused(value, "memo")


@pytest.mark.parametrize(
    "raw",
    [
        rfc8785.dumps({**leaf(), "v": 2, "new": "key"}),
        b'{"v":2}',
        b'{"v":9999,"x":1.5}',
        b'{"v":2,"x":12345678901234567890}',
        b'{"v":2,"x":[null,true,{"v":1}]}',
        b'{ "x" : "\\u00fc" , "v" : 2 }',
        '{"v":2,"x":"ü"}'.encode(),
    ],
)
def test_a_leaf_of_a_later_version_says_so_whatever_else_it_says(raw: bytes) -> None:
    with pytest.raises(UnknownVersionError, match=r"version (2|9999)"):
        decode(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"v":0}',
        b'{"v":-2}',
        b'{"v":2.0}',
        b'{"v":2e0}',
        b'{"v":"2"}',
        b'{"v":[2]}',
        b'{"v":10000}',
        b'{"v":02}',
        b'{"v":2,"v":2}',
        b'{"v":2,"x":{"y":1,"y":1}}',
        b'{"v":2,"x":NaN}',
        b'{"v":2,"x":-Infinity}',
        b'{"v":2,"x":"\n"}',
        b'{"v":2,"x":"\xfc"}',
        b'{"v":2}{"v":2}',
        b'[{"v":2}]',
        b'{"x":{"v":2}}',
        b'{"v":2,"x":"' + b"x" * 65_535 + b'"}',
    ],
)
def test_what_does_not_say_a_later_version_is_malformed(raw: bytes) -> None:
    with pytest.raises(EntryError) as refusal:
        decode(raw)
    assert not isinstance(refusal.value, UnknownVersionError)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + b"\n",
        lambda raw: b" " + raw,
        lambda raw: raw.replace(b'","', b'", "', 1),
        lambda raw: raw.replace(b'"EUR"', b'"E\\u0055R"'),
        lambda raw: raw.replace(b'"v":1', b'"v":1,"v":1'),
        lambda raw: raw.replace(b'"v":1', b'"v":1.0'),
        lambda raw: raw.replace(b'"v":1', b'"v":1e0'),
        lambda raw: raw.replace(b'"v":1', b'"v":-0'),
        lambda raw: raw.replace(b'"v":1', b'"v":NaN'),
        lambda raw: raw.replace(b'"v":1', b'"v":' + b"9" * 5000),
        lambda raw: raw.replace(b'"amt":"2500",', b"").replace(b'"d":', b'"amt":"2500","d":'),
        lambda raw: raw.replace(b"donation", b"d\xc3\xb6nation"),
        lambda raw: raw.replace(b"donation", b"d\xffnation"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.decode().encode("utf-16"),
        lambda raw: raw[:-1],
        lambda _: b"",
        lambda _: b"null",
        lambda _: b"[]",
        lambda _: b"[" * 65_535,
        lambda _: b'{"v":' * 10_000,
    ],
)
def test_a_leaf_in_any_other_spelling_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    raw = spoil(encode(sample_entry()))
    with pytest.raises(EntryError):
        decode(raw)
