"""What is read costs few statements, and no more for a long list than for a short one. A new route to read is counted here too."""

import re
from collections.abc import Mapping
from typing import Final

import pytest

from amply.modules.access import Role
from tests.backend.caller_matrix import DONOR, INVITED, MATRIX, OWN, Line, Open
from tests.backend.committed.test_caller_matrix import IDS, Callers, callers  # noqa: F401 -- a fixture
from tests.backend.member_world import House
from tests.backend.onboarding_world import KEY as INVITATIONS
from tests.backend.people_world import people_cache  # noqa: F401 -- the same
from tests.backend.statements import heard
from tests.backend.world import NOW, ready_organization

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

STATEMENTS_MAX: Final = 12
"""Of one request: who asks, what they may, the rows, and what is shown beside them. The most is a gift with all of its."""

NOT_THERE: Final = {
    "GET /v1/donations/quote": "asked without its parameters, it is refused",
    "GET /v1/split-gifts/{split_id}": "no gift to several",
    "GET /v1/donor/documents/{document_id}": "no document",
    "GET /v1/donor/documents/{document_id}/content": "no document",
    "GET /v1/public/entries/{entry_id}": "no entry: tests of the ledger's pages have some",
    "GET /v1/public/log/search": "asked without its parameters, it is refused",
    "GET /v1/public/organisations/{organization_id}/ledger": "no entry",
    "GET /v1/public/organisations/{organization_id}/ledger/days": "no entry",
    "GET /v1/public/organisations/{organization_id}/ledger/totals": "no entry",
    "GET /v1/public/organisations/{organization_id}/ledger/export": "no entry",
    "GET /v1/public/organisations/{organization_id}/payouts/{payout_id}": "no payout",
    f"GET {OWN}/payouts/{{payout_id}}/report": "no payout",
    f"GET {OWN}/images/{{image_id}}": "no image: tests of images have some",
    f"GET {OWN}/gifts/{{donation_id}}/refunds/{{refund_id}}": "no refund: tests of refunds have some",
    f"GET {OWN}/exports/{{export_id}}": "no file: tests of exports have some",
    f"GET {OWN}/webhook-endpoints/{{endpoint_id}}": "no endpoint: tests of webhook endpoints have some",
    f"GET {OWN}/webhook-endpoints/{{endpoint_id}}/deliveries": "the same",
    f"GET {OWN}/webhook-endpoints/{{endpoint_id}}/deliveries/{{delivery_id}}": "the same",
    "GET /v1/public/webhook-endpoints/{endpoint_id}/keys": "the same",
    f"GET {OWN}/data/datasets/{{dataset_id}}/releases": "no dataset: tests of selling have some",
    f"GET {OWN}/data/datasets/{{dataset_id}}/releases/{{number}}/certificate": "no dataset",
    f"GET {OWN}/data/datasets/{{dataset_id}}/usage": "no dataset",
    "GET /v1/datasets/{dataset_id}": "no dataset: tests of what is handed in have some",
    "GET /v1/jobs/{job_id}": "the same",
    f"GET {OWN}/application": "staff made the organisation, and nobody applied",
    f"GET {OWN}/sign-in": "none of its own",
    "GET /v1/invitation": "asked without the letter's token, it is refused",
    "GET /scim/v2": "asked without a directory's token, it is refused",
    "GET /scim/v2/{path:path}": "as before",
}
"""Routes that have nothing to show here, and why: their statements are counted all the same."""


class Counted:
    """The API's statements, as its engine sends them."""

    def __init__(self, house: House) -> None:
        self.house = house

    def ask(self, path: str, headers: Mapping[str, str], ids: Mapping[str, str]) -> tuple[int, int]:
        """The status, and how many statements it took."""
        self.house.client.cookies.clear()
        sent: list[str] = []
        line = MATRIX.get(f"GET {path}")
        is_beside = isinstance(line, Line) and "{organization_id}" not in path
        with heard(self.house.own, lambda statement, _: sent.append(statement)):
            answer = self.house.client.get(
                re.sub(r"{(\w+)}", lambda found: ids[found[1]], path),
                headers=dict(headers),
                params={"organization_id": self.house.organization_id} if is_beside else None,
            )
        return answer.status_code, len(sent)


def happen(house: House, number: int) -> dict[str, str]:
    """One more of everything that is listed; the ids of what was made."""
    fund = house.ask("POST", "/funds", by="usr_owner", json={"name": f"Fund {number}"}).json()["id"]
    roof = {"name": f"Roof {number}", "goal": {"minor_units": "900000", "currency": "EUR"}}
    project = house.ask("POST", "/projects", by="usr_owner", json=roof).json()["id"]
    gifts = [
        house.client.post(
            "/v1/donations",
            json={
                "organization_id": of,
                "amount": {"minor_units": "2500", "currency": "EUR"},
                "donor": {"name": "Ada", "email": "ada@example.org"},
                **({"fund_id": fund} if of == house.organization_id else {}),
            },
            headers={"Idempotency-Key": f"{of}-{number}"},
        ).json()["id"]
        for of in (
            house.organization_id,
            ready_organization(house.database, house.processor, slug=f"n-{number}"),
        )
    ]
    house.arrive()
    house.put(f"usr_more{number}", Role.VIEWER)
    house.ask(
        "POST", "/invitations", by="usr_owner", json={"email": f"n{number}@example.org", "role": "viewer"}
    )
    key, _ = house.key("organisation:read", name=f"more-{number}")
    elsewhere = house.rows("SELECT id FROM organization WHERE slug = :slug", slug=f"n-{number}")[0].id
    house.put("usr_owner", Role.OWNER, organization_id=elsewhere)
    return {
        **IDS,
        "organization_id": house.organization_id,
        "fund_id": fund,
        "project_id": project,
        "donation_id": gifts[0],
        "key_id": key,
        "person_id": "usr_viewer",
    }


def headers_of(callers: Callers, route: str) -> Mapping[str, str]:  # noqa: F811 -- the fixture's value
    line = MATRIX[route]
    if line is DONOR:
        return callers.sent["donor"]
    if line is INVITED:
        token = INVITATIONS.sign(organization_id=callers.house.organization_id, now=NOW)
        return {"Authorization": f"Bearer {token}"}
    return {} if isinstance(line, Open) else callers.sent[Role.OWNER]


def test_every_read_costs_few_statements_and_none_for_each_row(callers: Callers) -> None:  # noqa: F811 -- the fixture
    house = callers.house
    counted = Counted(house)
    reads = [route for route in MATRIX if route.startswith("GET ")]

    def costs(ids: Mapping[str, str]) -> dict[str, tuple[int, int]]:
        return {route: counted.ask(route[4:], headers_of(callers, route), ids) for route in reads}

    happen(house, 0)
    offered = {"person_id": "usr_admin"}
    assert house.ask("POST", "/ownership-offer", by="usr_owner", json=offered).status_code == 201
    first = costs(happen(house, 1))
    assert {route for route, (status, _) in first.items() if status != 200} == set(NOT_THERE)
    assert {route: cost for route, (_, cost) in first.items() if cost > STATEMENTS_MAX} == {}

    # No more, since the gate challenges the eleventh gift of a minute.
    ids = [happen(house, number) for number in (2, 3, 4)][-1]
    again = costs(ids)
    grown = {
        route: (first[route][1], again[route][1]) for route in reads if again[route][1] > first[route][1]
    }
    assert grown == {}
    expanded = f"{OWN}/gifts?expand=fund"
    assert counted.ask(expanded, callers.sent[Role.OWNER], ids) == (200, again[f"GET {OWN}/gifts"][1] + 1)
    everybody = "/v1/public/organisations"
    assert counted.ask(f"{everybody}?expand=funds", {}, ids) == (200, again[f"GET {everybody}"][1] + 1)
