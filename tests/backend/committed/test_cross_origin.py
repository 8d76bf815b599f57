"""What pages of other sites may read with their visitors' browsers: what is public, without credentials, and nothing else."""

import re
from typing import Any, Final

from tests.backend.api_world import Api
from tests.backend.caller_matrix import ANYBODY, MATRIX

CHARITY: Final = "https://charity.example"
OWN: Final = "http://edge.example"
READ_BY_ALL: Final = frozenset(
    {
        "GET /v1/public/organisations",
        "GET /v1/public/organisations/{organization_id}",
        "GET /v1/public/organisations/{organization_id}/funds",
        "GET /v1/public/organisations/{organization_id}/funds/{fund_id}",
        "GET /v1/public/organisations/{organization_id}/takes-gifts",
        "GET /v1/public/organisations/{organization_id}/projects",
        "GET /v1/public/organisations/{organization_id}/projects/{project_id}",
        "GET /v1/public/data-sharing",
        "GET /v1/public/webhook-endpoints/{endpoint_id}/keys",
        "GET /v1/donations/quote",
        "GET /v1/donations/{donation_id}",
        "GET /v1/public/entries/{entry_id}",
        "GET /v1/public/log/freshness",
        "GET /v1/public/log/search",
        "POST /v1/public/log/search",
        "GET /v1/public/organisations/{organization_id}/ledger",
        "GET /v1/public/organisations/{organization_id}/ledger/days",
        "GET /v1/public/organisations/{organization_id}/ledger/totals",
        "GET /v1/public/organisations/{organization_id}/ledger/export",
        "GET /v1/public/organisations/{organization_id}/payouts",
        "GET /v1/public/organisations/{organization_id}/payouts/{payout_id}",
    }
)
"""Written by hand, so that it says what is meant. None of them needs to know who asks."""


def preflight(api: Api, route: str, *, origin: str, headers: str = "Content-Type") -> Any:
    method, path = route.split(" ")
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return api.client.options(re.sub(r"{\w+}", "x_1", path), headers=asked)


def test_another_sites_page_may_ask_for_what_is_public_alone(api: Api) -> None:
    for route in MATRIX:
        allowed = preflight(api, route, origin=CHARITY).headers.get("access-control-allow-origin")
        assert allowed == ("*" if route in READ_BY_ALL else None), route


def test_what_everybody_reads_asks_nobody_who_they_are() -> None:
    assert {MATRIX[route] for route in READ_BY_ALL} == {ANYBODY}


def test_what_is_public_is_answered_for_every_site_alike_and_without_credentials(api: Api) -> None:
    for origin in (CHARITY, OWN, "null"):
        answer = api.client.get("/v1/public/organisations", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "RateLimit" in answer.headers["access-control-expose-headers"]


def test_no_credential_and_no_cookie_comes_along_from_elsewhere(api: Api) -> None:
    refused = preflight(api, "GET /v1/public/organisations", origin=CHARITY, headers="Authorization")
    assert refused.status_code == 400
    answer = api.client.get(
        "/v1/public/organisations", headers={"Origin": CHARITY, "Cookie": "amply-session=x"}
    )
    assert answer.headers["access-control-allow-origin"] == "*", (
        "which no browser lets a page read with cookies"
    )
