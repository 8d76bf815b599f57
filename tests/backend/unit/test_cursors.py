"""Cursors say where a page begins, in the order of one list; all others are refused in one sentence."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.pagination import CursorNotAcceptable, cursor_of, place_in

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)


@given(place=st.lists(TEXT, min_size=1, max_size=3))
def test_a_cursor_leads_back_to_its_place(place: list[str]) -> None:
    assert place_in("gifts:-created_at", cursor_of("gifts:-created_at", place), parts=len(place)) == tuple(
        place
    )


def forged(told: Any) -> str:
    """As somebody writes one who has read how."""
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:6] + raw).rstrip(b"=").decode()


FORGED: list[Any] = [
    *({}, [], ["gifts:-created_at", 1, 2], ["gifts:-created_at", "a\0", "b"]),
    *(b"[", b"[" * 700, b'["gifts:-created_at","\\ud800","b"]', b"\xff"),
]


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "don_01k9z3v8x4e5t6y7m8n9p0q1r2", "%", "é", "A" * 10_000),
        cursor_of("gifts:created_at", ["2026", "don_1"]),
        cursor_of("gifts:-created_at", ["2026"]),
        cursor_of("gifts:-created_at", ["2026", "don_1", "x"]),
        cursor_of("gifts:-created_at", ["2026", "don_1"])[:-2],
        "A" + cursor_of("gifts:-created_at", ["2026", "don_1"]),
        *(forged(told) for told in FORGED),
    ],
)
def test_what_is_no_cursor_of_this_order_is_refused(cursor: str) -> None:
    with pytest.raises(CursorNotAcceptable, match="next_cursor"):
        place_in("gifts:-created_at", cursor, parts=2)
