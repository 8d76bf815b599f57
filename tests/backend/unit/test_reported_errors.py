"""What leaves for Sentry when something unanticipated happens, seen by a transport that keeps it here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[3]
SECRET: Final = {
    "address": "ada.lovelace@example.org",
    "query": 'userName eq "grace.hopper@example.org"',
    "body": "Katherine Johnson",
    "local": "Dorothy Vaughan",
    "token": "Bearer amply_live_0123456789abcdef",
    "client": "203.0.113.77",
    "cookie": "5e55104c0ffee",
    "key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "row": "Mary Jackson, 12 Hidden Street",
}
MESSAGE: Final = (
    f"ada.lovelace@example.org was refused with {SECRET['key']}: (psycopg.errors.UniqueViolation) duplicate key\n"
    f"DETAIL:  Failing row contains (don_1, {SECRET['row']}).\n[SQL: INSERT INTO donation]"
)


@pytest.fixture(scope="module")
def sent() -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.backend.unit.reporting_program"],
        input=json.dumps({**SECRET, "message": MESSAGE}),
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_errors_that_nobody_anticipated_are_sent_and_others_are_not(sent: list[dict[str, Any]]) -> None:
    raised, written = sent
    (error,) = raised["exception"]["values"]
    assert error["type"] == "RuntimeError"
    assert "was refused with [redacted]: (psycopg.errors.UniqueViolation)" in error["value"]
    assert raised["request"] == {"method": "POST", "url": "http://testserver/breaks"}
    assert "'event': 'gift not booked'" in written["logentry"]["message"]
    assert {(event["environment"], event["server_name"]) for event in sent} == {("tests", "api")}


def test_no_address_row_key_or_anything_a_request_holds_leaves(sent: list[dict[str, Any]]) -> None:
    looked_at = json.dumps(sent)
    assert "asked for [redacted]" in looked_at, "what was logged before is a part of it"
    words = [*SECRET.values(), "grace.hopper", "Mary Jackson"]
    assert [each for each in words if each in looked_at] == []
