"""What is kept of what terminals say: each message once, under the name that IoT Core knows, and nothing that may not be said."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amply_terminals.errors import NoMessageError, Reason
from amply_terminals.handed import Handed
from amply_terminals.handlers import handle
from amply_terminals.keeping import keep
from amply_terminals.told import LONGEST_BYTES, Kind
from tests.hypothesis_profiles import examples
from tests.terminals.terminal_world import (
    LOBBY,
    NOW,
    ORGANIZATION,
    PRINCIPAL,
    Shelf,
    body,
    count,
    gift,
    handed,
)

PLACE = f"dt=2026-11-27/{ORGANIZATION}/lobby/0000000000000017.json"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def _refused(shelf: Shelf, said: Mapping[str, object] | bytes, **otherwise: Any) -> Reason | None:
    return keep(handed(said, **otherwise), store=shelf).refused


def test_a_gift_is_kept_under_who_is_connected_and_the_day_it_came(shelf: Shelf) -> None:
    assert keep(handed(gift()), store=shelf).is_new
    (place, kept), *others = shelf.kept().items()
    assert (place, others) == (PLACE, [])
    assert kept == gift(at="2026-11-27T23:59:50.000Z") | {
        "terminal": LOBBY,
        "organization": ORGANIZATION,
        "received_at": "2026-11-27T23:59:58.000Z",
        "principal": PRINCIPAL,
        "sha256": handed(gift()).sha256,
    }


def test_gifts_and_counters_are_numbered_apart(shelf: Shelf) -> None:
    keep(handed(gift(4)), store=shelf)
    assert keep(handed(count(4), kind="counters"), store=shelf).is_new
    assert [kept["count"] for kept in shelf.kept("counters").values()] == [12]


def test_a_repetition_changes_nothing_also_on_another_day_and_by_another_certificate(shelf: Shelf) -> None:
    keep(handed(gift()), store=shelf)
    before = dict(shelf.objects)
    again = keep(handed(gift(), at=NOW + timedelta(days=2), principal="d" * 64), store=shelf)
    assert (again.is_new, again.refused) == (False, None)
    assert shelf.objects == before


def test_a_repetition_after_months_changes_nothing_either(shelf: Shelf) -> None:
    """While its number is remembered it is the same message; afterwards it is too old."""
    keep(handed(gift()), store=shelf)
    late = NOW + timedelta(days=80)
    assert _refused(shelf, gift(), at=late) is None
    assert _refused(Shelf(), gift(), at=late) is Reason.TOO_OLD


def test_another_gift_under_the_same_number_never_replaces_the_first(shelf: Shelf) -> None:
    keep(handed(gift()), store=shelf)
    assert _refused(shelf, gift(amount_minor=50_000)) is Reason.CONTRADICTS
    assert [kept["amount_minor"] for kept in shelf.kept().values()] == [500]
    (record,) = shelf.set_aside()
    assert (record["reason"], record["terminal"]) == ("contradicts", LOBBY)


def test_of_two_at_once_one_is_kept(shelf: Shelf) -> None:
    """Both saw no number; the bucket decides."""

    class Late(Shelf):
        def get(self, key: str) -> bytes | None:
            if not self.objects:
                keep(handed(gift(amount_minor=700)), store=shelf)
                self.objects = shelf.objects
                return None
            return super().get(key)

    assert _refused(Late(), gift()) is Reason.CONTRADICTS
    assert [kept["amount_minor"] for kept in shelf.kept().values()] == [700]


@pytest.mark.parametrize("calls", range(4))
def test_ended_at_any_moment_the_next_attempt_goes_on(shelf: Shelf, calls: int) -> None:
    shelf.fails_after = calls
    first = handle({"Records": [{"messageId": "m1", "body": body(gift())}]}, store=shelf)
    shelf.fails_after = None
    keep(handed(gift(), at=NOW + timedelta(hours=1)), store=shelf)
    (place,) = shelf.kept()
    same_day = PLACE if calls > 1 else PLACE.replace("11-27", "11-28")
    assert place == same_day
    assert (first["batchItemFailures"] == []) is (calls == 3)


def test_what_the_documentation_shows_is_what_is_kept(shelf: Shelf) -> None:
    page = (Path(__file__).parents[2] / "docs" / "data-terminals.md").read_text()
    shown = re.findall(r"\| `amply-ENV/terminals/TERMINAL/(\w+)` \| `(\{.*\})` \|", page)
    assert [kind for kind, _ in shown] == list(Kind)
    for kind, said in shown:
        assert _refused(shelf, json.loads(said), kind=kind) is None


@pytest.mark.parametrize(
    ("otherwise", "reason"),
    [
        ({"client": f"{ORGANIZATION}:till"}, Reason.OTHER_CLIENT),
        ({"client": "n/a"}, Reason.OTHER_CLIENT),
        ({"terminal": "lobby"}, Reason.NO_TERMINAL),
        ({"terminal": f"{ORGANIZATION}:../../released"}, Reason.NO_TERMINAL),
        ({"terminal": f"{LOBBY}\n"}, Reason.NO_TERMINAL),
        ({"terminal": f"{ORGANIZATION}:Lobby"}, Reason.NO_TERMINAL),
        ({"terminal": "org_01k9z3v8x4e5t6y7m8n9p0q1ru:lobby"}, Reason.NO_TERMINAL),
        ({"kind": "settings"}, Reason.NO_TERMINAL),
        ({"kind": "counters"}, Reason.NOT_READABLE),
    ],
)
def test_whose_it_is_says_the_connection_and_not_the_payload(
    shelf: Shelf, otherwise: Mapping[str, str], reason: Reason
) -> None:
    assert _refused(shelf, gift(), **otherwise) is reason
    assert not any("/numbers/" in key or "/dt=" not in key for key in shelf.objects)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[" * 1000,
        b'{"number": 1, "number": 2}',
        json.dumps(gift(terminal=LOBBY)).encode(),
        json.dumps({key: value for key, value in gift().items() if key != "method"}).encode(),
        json.dumps(gift(note="for Ada")).encode(),
        json.dumps(gift(number=0)).encode(),
        json.dumps(gift(number=True)).encode(),
        json.dumps(gift() | {"number": 1.0}).encode(),
        json.dumps(gift(number=2**53)).encode(),
        json.dumps(gift(amount_minor=0)).encode(),
        json.dumps(gift(amount_minor=-500)).encode(),
        json.dumps(gift(amount_minor=100_000_001)).encode(),
        json.dumps(gift(amount_minor="500")).encode(),
        json.dumps(gift(amount_minor=float("nan"))).encode(),
        json.dumps(gift(currency="eur")).encode(),
        json.dumps(gift(currency=["EUR"])).encode(),
        json.dumps(gift(method="4242 4242 4242 4242")).encode(),
        json.dumps(gift(at="2026-11-27T23:59:50+01:00")).encode(),
        json.dumps(gift(at="2026-02-30T00:00:00Z")).encode(),
        json.dumps(gift(at=1764287990)).encode(),
    ],
)
def test_what_is_not_told_is_set_aside_and_kept_nowhere_else(shelf: Shelf, said: bytes) -> None:
    assert _refused(shelf, said) is Reason.NOT_READABLE
    assert shelf.kept() == {}
    (record,) = shelf.set_aside()
    assert record["bytes"] == len(said)


def test_something_huge_is_not_read_and_kept_only_in_its_beginning(shelf: Shelf) -> None:
    huge = json.dumps(gift(note="x" * 130_000)).encode()
    assert _refused(shelf, huge) is Reason.TOO_LARGE
    assert max(map(len, shelf.objects.values())) < 5_000
    longest = json.dumps(gift()).encode().ljust(LONGEST_BYTES)
    assert _refused(shelf, longest) is None
    assert _refused(shelf, longest + b" ") is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("ahead", "reason"),
    [
        (timedelta(minutes=5), None),
        (timedelta(minutes=5, seconds=1), Reason.FUTURE),
        (timedelta(days=-30), None),
        (timedelta(days=-30, seconds=-1), Reason.TOO_OLD),
    ],
)
def test_a_clock_is_judged_by_when_the_rule_saw_the_message(
    shelf: Shelf, ahead: timedelta, reason: Reason | None
) -> None:
    at = (NOW + ahead).isoformat().replace("+00:00", "Z")
    assert _refused(shelf, gift(at=at)) is reason
    assert bool(shelf.kept()) is (reason is None)


def test_what_is_refused_again_is_set_aside_once_and_told_once(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"Records": [{"messageId": "m1", "body": body(b"{}")}]}
    assert handle(event, store=shelf) == handle(event, store=shelf) == {"batchItemFailures": []}
    assert len(shelf.set_aside()) == 1
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == [
        "terminal_message_refused",
        "terminal_message_repeated",
    ]


def test_a_message_that_fails_takes_no_other_along(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    records = [
        {"messageId": "m1", "body": body(gift(1))},
        {"messageId": "m2", "body": "nothing of the rule: secret"},
        {"messageId": "m3", "body": body(gift(1, amount_minor=9))},
    ]
    assert handle({"Records": records}, store=shelf) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    said = capsys.readouterr().out
    assert [json.loads(line)["event"] for line in said.splitlines()] == [
        "terminal_message_kept",
        "terminal_message_failed",
        "terminal_message_contradicts",
    ]
    assert "secret" not in said


@pytest.mark.parametrize(
    "change",
    [{"payload": "§"}, {"payload": 1}, {"received_ms": "soon"}, {"received_ms": 10**20}, {"client": None}],
)
def test_what_the_rule_does_not_make_is_no_message(change: Mapping[str, object]) -> None:
    with pytest.raises(NoMessageError):
        Handed.of(json.dumps({**json.loads(body(gift())), **change}))


@settings(deadline=None, max_examples=examples(day=50, night=1_000))
@given(st.binary(max_size=200), st.text(max_size=40), st.text(max_size=12))
def test_whatever_comes_is_kept_or_set_aside_and_written_below_terminals(
    payload: bytes, terminal: str, kind: str
) -> None:
    shelf = Shelf()
    keep(
        Handed(
            topic_terminal=terminal,
            topic_kind=kind,
            client=terminal,
            principal="",
            received_at=NOW,
            payload=payload,
        ),
        store=shelf,
    )
    assert len(shelf.set_aside()) == len(shelf.objects) == 1
    assert all(key.startswith("terminals/set-aside/dt=2026-11-27/") for key in shelf.objects)
