"""Policy documents: read strictly, named by their hash, and refused with what to do."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply_lake import HierarchyError, PolicyError, default_policy, read_policy
from amply_lake.policy import Direct, Person, Sensitive
from tests.lake.lake_world import DOCUMENT


def read(document: Any, **hierarchies: bytes) -> Any:
    return read_policy(json.dumps(document).encode(), hierarchies)


def with_column(name: str, column: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["columns"][name] = column
    return document


def quasi(**generalise: Any) -> dict[str, Any]:
    return {"role": "quasi", "generalise": generalise}


def test_default_v2_answers_what_the_former_one_got_wrong() -> None:
    policy = default_policy()
    assert (policy.id, policy.k, policy.l) == ("default-v2", 20, 2)
    assert 0 < policy.suppression_limit < 1
    assert (policy.raw_days, policy.anonymised_days) == (90, 730)
    assert isinstance(policy.columns["email"], Direct)  # no hash with a salt that everybody knows
    assert "phone" in policy.quasi  # what is left of a number counts in the class, as a postal code does
    assert policy.columns["donor_id"] == Person("donor")
    assert all(isinstance(policy.columns[name], Sensitive) for name in ("amount_minor", "cause"))
    assert b"salt" not in policy.canonical


def test_the_hash_names_what_the_document_says_however_it_is_spelled() -> None:
    spaced = json.dumps(DOCUMENT, indent=3).encode()
    turned = json.dumps({key: DOCUMENT[key] for key in reversed(DOCUMENT)}).encode()
    assert read_policy(spaced).sha256 == read_policy(turned).sha256
    assert read_policy(spaced).sha256 != read({**DOCUMENT, "k": 4}).sha256


@given(k=st.integers(2, 10**6), l=st.integers(1, 99), share=st.integers(0, 10**6))
def test_a_policy_survives_its_canonical_bytes(k: int, l: int, share: int) -> None:  # noqa: E741 -- its own letter
    first = read({**DOCUMENT, "k": k, "l": l, "suppression_limit": f"{share / 10**6:.6f}"})
    document = json.loads(first.canonical)
    del document["hierarchies"]
    again = read(document)
    assert again == first
    assert again.sha256 == first.sha256


def test_a_hierarchy_is_part_of_the_hash() -> None:
    document = with_column("zip", quasi(kind="hierarchy", file="zip.csv"))
    one = read(document, **{"zip.csv": b"1;A;*\n2;B;*\n"})
    other = read(document, **{"zip.csv": b"1;A;*\n2;A;*\n"})
    assert one.sha256 != other.sha256
    assert one.hierarchies[0].steps == 2


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({**DOCUMENT, "format": 2}, "format 1"),
        ({**DOCUMENT, "salt": "x"}, "salt, which nobody knows"),
        ({key: DOCUMENT[key] for key in DOCUMENT if key != "k"}, "lacks k"),
        ({**DOCUMENT, "k": 1}, "from 2 on"),
        ({**DOCUMENT, "k": True}, "whole number"),
        ({**DOCUMENT, "l": 0}, "from 1 on"),
        ({**DOCUMENT, "suppression_limit": "1.1"}, "suppression_limit"),
        ({**DOCUMENT, "suppression_limit": "NaN"}, "suppression_limit"),
        ({**DOCUMENT, "suppression_limit": "0.1234567890123"}, "12 decimals at most"),
        ({**DOCUMENT, "suppression_limit": "1e-13"}, "12 decimals at most"),
        ({**DOCUMENT, "suppression_limit": 0.3}, "write shares as text"),
        ({**DOCUMENT, "columns": {}}, "columns"),
        (with_column("email", {"role": "hash", "salt": "public"}), "the roles are"),
        (with_column("email", {"role": "direct", "publish": "last4"}), "publish, which nobody knows"),
        (with_column('age" --', {"role": "insensitive"}), "look like"),
        (
            with_column("other", {"role": "person", "publish_as": None}),
            "exactly one column with the role person",
        ),
        (with_column("person", {"role": "person", "publish_as": "zip"}), "name of another column"),
        (
            with_column("age", quasi(kind="ranges", widths=[10, 15], **{"from": 0, "to": 90})),
            "multiple of the one before",
        ),
        (with_column("age", quasi(kind="ranges", widths=[10], **{"from": 0, "to": 95})), "widest range"),
        (with_column("zip", quasi(kind="truncate", keep=[2, 3])), "descend"),
        (with_column("zip", quasi(kind="dates", periods=["year", "month"])), "in this order"),
        (with_column("zip", quasi(kind="networks", version_4=[24], version_6=[40])), "paired"),
        (with_column("zip", quasi(kind="places", tenths_of_degree=[2, 3])), "multiple of the one before"),
        (with_column("zip", quasi(kind="guess")), "the kinds are"),
        (with_column("zip", quasi(kind="hierarchy", file="zip.csv")), "was not given"),
        (with_column("amount", {"role": "sensitive", "bands": [9, 3]}), "ascend"),
        ([], "JSON object"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_reason(document: Any, word: str) -> None:
    with pytest.raises(PolicyError, match=word):
        read(document)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"{", b'{"k": 1, "k": 2}', b"[" * 100_000, b" " * 2_000_000, b'{"k": NaN}']
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(PolicyError):
        read_policy(raw)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "1 to"),
        (b"1;A\n2\n", "one length"),
        (b"1;A;*\n1;A;*\n", "twice"),
        (b"1;A;x;*\n2;A;y;*\n", "splits"),
        (b"1;?;*\n", "below the last level"),
        (b"\xff;A\n", "UTF-8"),
    ],
)
def test_a_hierarchy_that_does_not_nest_is_refused(content: bytes, word: str) -> None:
    with pytest.raises(HierarchyError, match=word):
        read(with_column("zip", quasi(kind="hierarchy", file="zip.csv")), **{"zip.csv": content})
