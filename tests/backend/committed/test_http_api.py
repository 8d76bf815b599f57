"""The API as its clients see it, over a real database."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from amply.entrypoints import deprecation
from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings
from amply.modules import payments
from tests.backend.api_world import Api, assert_problem
from tests.backend.unit.test_stripe_signatures import EVENT, signed
from tests.backend.world import ready_organization


def test_a_gift_is_taken_and_can_be_looked_up_without_anything_personal(api: Api) -> None:
    created = api.give()
    assert created.status_code == 201

    shown = api.client.get(f"/v1/donations/{created.json()['id']}")
    assert shown.json() == {
        "id": created.json()["id"],
        "status": "pending",
        "standing": "pending",
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "costs": {
            "fee_cover": {"minor_units": "0", "currency": "EUR"},
            "method": None,
            "processor_fee": None,
            "difference": None,
        },
        "refunded": {"minor_units": "0", "currency": "EUR"},
        "organization_id": api.organization_id,
        "channel": "online",
        "fund_id": None,
        "ledger": None,
        "waits_for_books": False,
        "created_at": "2026-11-21T09:00:30.000Z",
    }
    assert "ada" not in shown.text.lower()


def test_a_repeated_request_is_answered_the_same_and_says_so(api: Api) -> None:
    first, again = api.give(), api.give()

    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(api: Api) -> None:
    api.give()

    changed = api.give(amount={"minor_units": "2600", "currency": "EUR"})
    assert_problem(changed, status=422, code="idempotency_key_reused", param="Idempotency-Key")


@pytest.mark.parametrize("key", [None, "", "a b", "k" * 256, "\x7f"])
def test_a_gift_without_a_usable_key_is_refused(api: Api, key: str | None) -> None:
    assert_problem(api.give(key=key), status=422, code="idempotency_key_missing", param="Idempotency-Key")


@pytest.mark.parametrize("minor_units", ["0", "-2500", "99", "100000000", "25.00", "", "1e4"])
def test_an_amount_that_is_no_gift_is_refused(api: Api, minor_units: str) -> None:
    response = api.give(amount={"minor_units": minor_units, "currency": "EUR"})

    assert_problem(response, status=422, code="amount_not_acceptable", param="amount.minor_units")


def test_a_currency_we_do_not_take_is_refused(api: Api) -> None:
    response = api.give(amount={"minor_units": "2500", "currency": "SEK"})

    assert_problem(response, status=422, code="currency_not_supported", param="amount.currency")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"amount": {"minor_units": 2500, "currency": "EUR"}}, "amount.minor_units"),
        ({"amount": {"minor_units": "2500", "currency": "euro"}}, "amount.currency"),
        ({"amount": None}, "amount"),
        ({"donor": {"name": "Ada", "email": "not an address"}}, "donor.email"),
        ({"donor": {"name": "  ", "email": "ada@example.org"}}, "donor.name"),
        ({"donor": {"name": "a\x00b", "email": "ada@example.org"}}, "donor.name"),
        ({"tip": "100"}, "tip"),
        ({"message": "x" * 2001}, "message"),
        ({"organization_id": "'; DROP TABLE donation; --"}, "organization_id"),
    ],
)
def test_a_malformed_field_is_named(api: Api, changes: dict[str, Any], param: str) -> None:
    assert_problem(api.give(**changes), status=422, code="invalid_request", param=param)


def test_what_was_sent_is_not_repeated_in_the_error(api: Api) -> None:
    response = api.give(donor={"name": "Ada", "email": "secret-address"})

    assert "secret-address" not in response.text


@pytest.mark.parametrize("name", ["4242424242424242", "ada@example.org", "sk_test_123456789"])
def test_what_was_sent_as_a_name_is_not_repeated_either(name: str, api: Api) -> None:
    unknown: dict[str, Any] = {name: "x"}
    top, inner = api.give(**unknown), api.give(donor={"name": "Ada", "email": "a@example.org", **unknown})

    assert_problem(top, status=422, code="invalid_request", param="body")
    assert_problem(inner, status=422, code="invalid_request", param="donor")
    assert name not in top.text + inner.text
    assert_problem(api.give(tip="1"), status=422, code="invalid_request", param="tip")


def test_an_unknown_organisation_is_named(api: Api) -> None:
    response = api.give(organization_id="org_00000000000000000000000000")

    assert_problem(response, status=404, code="organization_not_found", param="organization_id")


def test_a_processor_without_answer_asks_for_the_same_request_again(api: Api) -> None:
    api.processor.fails = [payments.ProcessorUnavailable("The processor does not answer.")]

    assert_problem(api.give(), status=503, code="processor_unavailable")
    assert api.give().status_code == 201


def test_an_error_nobody_foresaw_is_a_problem_too(api: Api) -> None:
    api.processor.fails = [RuntimeError("sk_test_very_secret")]

    response = api.give()
    assert_problem(response, status=500, code="server_error")
    assert "secret" not in response.text


def test_a_database_that_is_away_asks_for_the_same_request_again(api: Api) -> None:
    api.app.state.database = connect(
        DatabaseSettings(host="127.0.0.1", port=9, name="x", user="x", auth="password", tls="disable"),
        application="t",
    )

    response = api.give()
    assert_problem(response, status=503, code="unavailable")
    assert response.headers["retry-after"] == "2"
    assert api.client.get("/health/ready").status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        "/v1/donations/%00",
        "/v1/public/organisations/%00",
        "/v1/public/organisations?cursor=%00",
        "/v1/public/entries/%00",
    ],
)
def test_what_cannot_be_an_id_never_reaches_the_database(api: Api, path: str) -> None:
    assert api.client.get(path).status_code == 422


def test_a_body_without_a_declared_length_is_bounded_too(api: Api) -> None:
    parts = (b"x" * 65_536 for _ in range(20))

    assert_problem(api.client.post("/v1/donations", content=parts), status=413, code="request_too_large")


def test_an_unknown_path_is_a_problem(api: Api) -> None:
    assert_problem(api.client.get("/v1/nothing"), status=404, code="not_found")


def test_a_path_with_one_slash_more_is_an_unknown_one(api: Api) -> None:
    """Redirected, a gift would be sent again without TLS: the application knows no other address of its own."""
    for method, path in (("POST", "/v1/donations/"), ("GET", "/health/live/")):
        answer = api.client.request(method, path, follow_redirects=False)
        assert_problem(answer, status=404, code="not_found")


def test_a_body_that_is_not_json_is_a_problem(api: Api) -> None:
    response = api.client.post("/v1/donations", content=b"{", headers={"Content-Type": "application/json"})

    assert_problem(response, status=422, code="invalid_request", param="body")


def test_a_body_over_a_mebibyte_is_refused(api: Api) -> None:
    response = api.give(message="x" * 1_100_000)

    assert_problem(response, status=413, code="request_too_large")


def test_a_signed_event_is_accepted_once_and_again(api: Api) -> None:
    payload = json.dumps(EVENT).encode()
    for _ in range(2):
        response = api.event(payload, signed(payload, at=api.clock()))
        assert (response.status_code, response.json()) == (202, {})


def test_a_wrong_signature_is_refused(api: Api) -> None:
    payload = json.dumps(EVENT).encode()

    assert_problem(api.event(payload, "t=1,v1=00"), status=400, code="signature_not_valid")


def test_a_malformed_event_is_refused(api: Api) -> None:
    assert_problem(api.event(b"{}", signed(b"{}", at=api.clock())), status=400, code="event_malformed")


def test_an_event_of_the_wrong_mode_is_refused(api: Api) -> None:
    payload = json.dumps({**EVENT, "livemode": True}).encode()

    assert_problem(api.event(payload, signed(payload, at=api.clock())), status=400, code="wrong_livemode")


def test_what_is_not_offered_is_not_to_be_asked_for_again(api: Api) -> None:
    api.app.state.verifier = None

    refused = api.event(b"{}", "")

    assert_problem(refused, status=503, code="webhooks_not_offered")
    assert "retry-after" not in refused.headers


def test_organisations_are_public_page_by_page(api: Api, database: Database) -> None:
    others = [ready_organization(database, api.processor, slug=f"other-{number}") for number in range(3)]
    expected = sorted([api.organization_id, *others])

    seen, cursor = [], None
    while True:
        page = api.client.get(
            "/v1/public/organisations", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        )
        seen += [organization["id"] for organization in page.json()["data"]]
        cursor = page.json()["next_cursor"]
        if not page.json()["has_more"]:
            break

    assert seen == expected


def test_an_organisation_shows_its_public_face(api: Api) -> None:
    shown = api.client.get(f"/v1/public/organisations/{api.organization_id}").json()

    assert shown == {
        "id": api.organization_id,
        "slug": "river-trust",
        "name": "River Trust",
        "country": "DE",
        "created_at": "2026-11-21T09:00:30.000Z",
        "state": "verified",
        "takes_anonymous_gifts": False,
        "return_origins": [],
        "funds": None,
        "website": None,
        "sdgs": [],
        "texts": {},
        "logo": None,
        "banner": None,
    }


def test_health_tells_a_live_process_from_a_ready_one(api: Api) -> None:
    assert api.client.get("/health/live").json() == {"status": "ok"}
    assert api.client.get("/health/ready").json() == {"status": "ok", "database": "ok"}
    deep = api.client.get("/health/deep")
    assert (deep.status_code, deep.json()["status"]) == (200, "ok")
    assert [part["name"] for part in deep.json()["parts"]] == ["database"]


def test_the_documentation_asks_nothing_of_other_hosts(api: Api) -> None:
    page = api.client.get("/docs").text

    assert "https://" not in page
    assert api.client.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_a_route_on_its_way_out_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = deprecation.Deprecation(since=datetime(2027, 1, 1, tzinfo=UTC), advice="/news/#list")
    monkeypatch.setattr(deprecation, "DEPRECATED", {"list_organisations": ends})
    told = api.client.get("/v1/public/organisations").headers
    assert (told["deprecation"], "sunset" in told) == ("@1798761600", False)
    assert "deprecation" not in api.client.get(f"/v1/public/organisations/{api.organization_id}").headers


def test_only_our_own_pages_may_call_from_a_browser(api: Api) -> None:
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Idempotency-Key"}
    ours = api.client.options("/v1/donations", headers={"Origin": "http://edge.example", **preflight})
    other = api.client.options("/v1/donations", headers={"Origin": "http://evil.example", **preflight})

    assert ours.headers["access-control-allow-origin"] == "http://edge.example"
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_our_own_pages_change_and_delete_with_peoples_cookies_and_others_do_not(
    api: Api, method: str
) -> None:
    preflight = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "If-Match"}
    path = f"/v1/organisations/{api.organization_id}"
    ours = api.client.options(path, headers={"Origin": "http://edge.example", **preflight})
    assert ours.status_code == 200
    assert method in ours.headers["access-control-allow-methods"].split(", ")
    assert ours.headers["access-control-allow-credentials"] == "true"
    # An origin by its name: with a star for it, no browser would send a cookie (Fetch, CORS protocol and credentials).
    assert ours.headers["access-control-allow-origin"] == "http://edge.example"
    for near in (
        "https://edge.example",
        "http://edge.example.evil.example",
        "http://edge.example:81",
        "null",
    ):
        theirs = api.client.options(path, headers={"Origin": near, **preflight})
        assert (theirs.status_code, theirs.headers.get("access-control-allow-origin")) == (400, None), near


def test_our_own_pages_read_what_answers_say_besides(api: Api) -> None:
    path = f"/v1/organisations/{api.organization_id}"
    answer = api.client.get(path, headers={"Origin": "http://edge.example"})
    assert answer.status_code == 401
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"X-Request-Id", "Retry-After", "ETag", "WWW-Authenticate", "RateLimit", "Sunset"} <= exposed


def test_a_gift_can_be_followed_from_its_request_to_its_payment(api: Api) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        created = api.give()

    told = {line["event"]: line for line in lines}
    assert set(told) == {"gift_opened", "answered"}
    assert {line["request_id"] for line in lines} == {created.headers["x-request-id"]}
    assert told["gift_opened"]["donation_id"] == created.json()["id"]
    assert told["gift_opened"]["payment_id"].startswith("pay_")


def test_an_answer_is_written_down_without_the_query(api: Api) -> None:
    with structlog.testing.capture_logs() as lines:
        api.client.get("/v1/donations/don_nobody?email=ada@example.org")

    (line,) = lines
    assert (line["event"], line["method"], line["status"]) == ("answered", "GET", 404)
    assert line["path"] == "/v1/donations/don_nobody"
    assert 0 < line["milliseconds"] < 60_000


def test_what_is_asked_every_few_seconds_is_not_written_down(api: Api) -> None:
    with structlog.testing.capture_logs() as lines:
        api.client.get("/health/live")

    assert lines == []
