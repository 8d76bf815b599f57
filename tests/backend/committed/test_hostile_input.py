"""What no client of good will sends. Each gets one clear problem, which repeats nothing of it, and never a 5xx."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from amply.entrypoints.bodies import BYTES_MAX, DEPTH_MAX, Bodies
from amply.modules.mail import address_digest
from amply.modules.organizations.domain import OrganizationNotAcceptable, check
from tests.backend.api_world import Api, assert_problem
from tests.backend.event_loop import run_to_end
from tests.backend.ledger_world import LedgerWorld
from tests.backend.public_ledger import LEDGER, PublicLedger

JSON = {"Content-Type": "application/json", "Idempotency-Key": "hostile-1"}
LONE = "\\ud800"
"""Half of a pair of surrogates, as JSON writes it."""
UNSAID = "zebra"
"""Stands in everything that is sent, and in no answer."""


def _gift(api: Api, *, message: str = f'"{UNSAID}"') -> bytes:
    """A gift as JSON, with its message put in as it is."""
    return json.dumps(api.body(message="MESSAGE")).replace('"MESSAGE"', message).encode()


@pytest.mark.parametrize(
    ("message", "param", "advice"),
    [
        (
            "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1),
            "body",
            f"nest at most {DEPTH_MAX} objects and lists",
        ),
        ("[" * 200_000 + "]" * 200_000, "body", f"nest at most {DEPTH_MAX} objects and lists"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "body", f"nest at most {DEPTH_MAX} objects and lists"),
        (f'"{UNSAID}", "message": "again"', "body", "send each name once in an object"),
        ("NaN", "body", "send numbers only: NaN and Infinity are none"),
        ("-Infinity", "body", "send numbers only: NaN and Infinity are none"),
        ("1e999", "message", "send smaller numbers"),
        ("9" * 5_000, "body", "send shorter numbers"),
        (f'"{UNSAID}{LONE}"', "message", "send whole characters: a surrogate stands alone"),
        (f'"{UNSAID}", "{LONE}": 1', "body", "send whole characters: a surrogate stands alone"),
        (f'"{UNSAID}\\u0000"', "message", "send no null characters"),
        (f'"{UNSAID}", "\\u0000": 1', "body", "send no null characters"),
    ],
)
def test_json_that_parsers_do_not_agree_on_is_refused(
    api: Api,
    message: str,
    param: str,
    advice: str,
) -> None:
    response = api.client.post("/v1/donations", content=_gift(api, message=message), headers=JSON)
    assert_problem(response, status=422, code="invalid_request", param=param)
    assert response.json()["detail"] == f"Correct '{param}': {advice}."
    assert UNSAID not in response.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_json_is_utf_8(api: Api, encoding: str) -> None:
    body = json.dumps(api.body(message="für Ada"), ensure_ascii=False).encode(encoding)
    response = api.client.post("/v1/donations", content=body, headers=JSON)
    assert_problem(response, status=422, code="invalid_request", param="body")
    assert response.json()["detail"] == "Correct 'body': send it as UTF-8."


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/plain", 422), ("application/x-www-form-urlencoded", 422), ("application/xml", 422), ("?", 422)],
)
def test_another_content_type_is_told_which_one_to_send(
    api: Api,
    content_type: str,
    status: int,
) -> None:
    response = api.client.post(
        "/v1/donations", content=_gift(api), headers={**JSON, "Content-Type": content_type}
    )
    assert_problem(response, status=status, code="invalid_request", param="body")
    assert "Content-Type: application/json" in response.json()["detail"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"amount": {"minor_units": "9" * 19, "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": "9223372036854775808", "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": "-2500", "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": "٢٥٠٠", "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": "2_500", "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": "+2500", "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": "2500 ", "currency": "EUR"}}, "amount"),
        ({"amount": {"minor_units": 2**63, "currency": "EUR"}}, "amount.minor_units"),
        ({"amount": {"minor_units": "2500", "currency": "\N{CYRILLIC CAPITAL LETTER IE}UR"}}, "amount"),
        ({"donor": {"name": "Ada", "email": "ada@example.org\nBcc: eve@example.org"}}, "donor.email"),
        ({"donor": {"name": "Ada", "email": "ada@" + "x" * 300 + ".org"}}, "donor.email"),
        ({"donor": {"name": "x" * 100_000, "email": "ada@example.org"}}, "donor.name"),
        ({"organization_id": "org_' OR 1=1 --"}, "organization_id"),
        ({"organization_id": {"$ne": None}}, "organization_id"),
        ({UNSAID: True}, UNSAID),
    ],
)
def test_a_field_that_is_no_such_thing_is_named(api: Api, change: dict[str, Any], param: str) -> None:
    response = api.give(**change)
    assert response.status_code == 422, response.text
    assert response.json()["param"].startswith(param)


def test_addresses_that_look_alike_are_not_the_same_donor() -> None:
    """Each stands for itself: nobody is shown another's gifts for a letter that looks like theirs."""
    alike = [
        "ada@example.org",
        "\N{CYRILLIC SMALL LETTER A}da@example.org",
        "ada@ex\N{CYRILLIC SMALL LETTER A}mple.org",
        "\N{FULLWIDTH LATIN SMALL LETTER A}da@example.org",
        "ada@example.org\u200b",
    ]
    assert len({address_digest(address) for address in alike}) == len(alike)


@pytest.mark.parametrize(
    "slug",
    [
        "river-trust\u200b",
        "r\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}ver-trust",
        "RIVER",
        "river_trust",
        "\N{FULLWIDTH LATIN SMALL LETTER R}iver",
        "river--é",
    ],
)
def test_slugs_that_look_alike_cannot_be_taken(slug: str) -> None:
    with pytest.raises(OrganizationNotAcceptable):
        check(name="River Trust", slug=slug, country="DE")


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=9223372036854775808", "limit=1e2", "limit=%D9%A2", "limit=NaN"),
        *("cursor=-1", "cursor=9999999999999999999", "cursor=%D9%A2", "cursor=1.5", "cursor=%00"),
        *("from=2026-11-01T00:00:00", "from=2026-11-01", "from=yesterday", "from=2026-02-30T00:00:00Z"),
        *("from=2026-11-01T00:00:00%2B25:00", "from=1e300", "from=NaN", "until=%00"),
        *("kind=a'b", "kind=donation.succeeded%00", "kind=" + "a." * 60 + "a"),
        "from=2026-11-02T00:00:00Z&until=2026-11-01T23:59:59%2B00:00",
    ],
)
def test_a_query_that_is_no_such_thing_is_refused(ledger: PublicLedger, query: str) -> None:
    assert_one_problem(ledger.client.get(f"{LEDGER}?{query}"))


@pytest.mark.parametrize(
    "query",
    [
        *("until=0001-01-01", "from=9999-12-31", "from=0001-01-01&until=9999-12-31", "until=9999-12-31"),
        *("from=2026-11-02&until=2026-11-01", "from=2026-11-01T00:00:01Z", "from=2026-13-01"),
    ],
)
def test_days_that_are_no_period_are_refused(ledger: PublicLedger, query: str) -> None:
    assert_one_problem(ledger.client.get(f"{LEDGER}/days?{query}"))


@pytest.mark.parametrize(
    "query",
    [
        "from=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:59-14:00",
        "from=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-14:00",
    ],
)
def test_the_ends_of_time_are_a_period_in_every_zone(ledger: PublicLedger, query: str) -> None:
    for page in (LEDGER, f"{LEDGER}/export"):
        assert ledger.client.get(f"{page}?{query}").status_code in (200, 422)


def test_a_period_is_the_same_whatever_zone_it_is_said_in(ledger: PublicLedger) -> None:
    said = ("2026-11-01T00:00:00Z", "2026-11-01T05:45:00%2B05:45", "2026-10-31T12:00:00-12:00")
    pages = {ledger.client.get(f"{LEDGER}?from={moment}").text for moment in said}
    assert len(pages) == 1


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    app = FastAPI()
    app.state.site_url = ""
    assert _asked(Bodies(app, seconds_max=0.01), [b"{"]) == (408, "request_timeout")


def test_a_body_that_is_said_to_be_large_is_not_read() -> None:
    app = FastAPI()
    app.state.site_url = ""
    for length in (str(BYTES_MAX + 1), "9" * 40, "-1", "1e3", "٢"):
        assert _asked(Bodies(app), [], length=length) == (413, "request_too_large")


def test_whoever_leaves_while_sending_is_not_answered() -> None:
    app = FastAPI()
    sent = _sent(Bodies(app), [b"{"], ends="http.disconnect")
    assert sent == []


def test_what_stripe_signs_is_not_judged(api: Api) -> None:
    refused = api.client.post("/v1/webhooks/stripe", content=b'{"a": 1, "a": 2}', headers=JSON)
    assert_problem(refused, status=400, code="signature_not_valid")


def test_what_is_refused_can_be_read_by_our_pages(api: Api) -> None:
    sent = {**JSON, "Origin": "http://edge.example"}
    refused = api.client.post("/v1/donations", content=b"x" * (BYTES_MAX + 1), headers=sent)
    assert refused.headers["access-control-allow-origin"] == "http://edge.example"
    assert refused.json()["request_id"] == refused.headers["x-request-id"]


def test_a_problem_of_http_says_what_to_do(api: Api) -> None:
    response = api.client.request("DELETE", "/v1/donations")
    assert_problem(response, status=405, code="method_not_allowed")
    assert response.headers["allow"]


@pytest.fixture
def ledger(books: LedgerWorld, databases: Any) -> Iterator[PublicLedger]:
    made = PublicLedger(books, databases)
    made.post()
    made.publish()
    with made.client:
        yield made
    made.own.close()


def assert_one_problem(response: Any) -> None:
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].endswith(".")


def _asked(app: Bodies, parts: list[bytes], *, length: str | None = None) -> tuple[int, str]:
    start, body = _sent(app, parts, length=length)
    return start["status"], json.loads(body["body"])["code"]


def _sent(
    app: Bodies, parts: list[bytes], *, length: str | None = None, ends: str | None = None
) -> list[dict[str, Any]]:
    """What is answered to a body that comes in parts, and then does not end."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [] if length is None else [(b"content-length", length.encode("latin-1", "replace"))],
        "app": app._app,
    }
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop(0)
        if ends:
            return {"type": ends}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    run_to_end(app(scope, receive, send))
    return sent
