"""A gift to several organisations over HTTP: what is asked, shown and refused."""

from typing import Any, Final

import pytest
from sqlalchemy import select, text

from amply.infra.database import Database
from amply.modules import receipts
from amply.modules.donations.models import DonationRow
from tests.backend.api_world import Api, assert_problem
from tests.backend.world import ready_organization

CARD: Final = "pm_card"


def asked(api: Api, database: Database, **changes: Any) -> Any:
    """A gift to the API's organisation and another one."""
    other = ready_organization(database, api.processor, slug="other-trust")
    body = {
        "total": {"minor_units": "1001", "currency": "EUR"},
        "parts": [
            {"organization_id": api.organization_id, "share": 1},
            {"organization_id": other, "share": 1},
        ],
        "donor": {"name": "Ada", "email": "ada@example.org"},
        **changes,
    }
    return api.client.post("/v1/split-gifts", json=body, headers={"Idempotency-Key": "key-1"})


def test_a_gift_is_split_paid_and_seen_without_anything_personal(
    api: Api,
    database: Database,
) -> None:
    created = asked(api, database)
    assert created.status_code == 201, created.text
    gift = created.json()
    assert [part["amount"]["minor_units"] for part in gift["parts"]] == ["501", "500"]
    url = f"/v1/split-gifts/{gift['id']}"

    early = api.client.post(f"{url}/payments")
    assert_problem(early, status=409, code="payment_method_missing")
    api.method_cloning.entered[gift["setup"]["client_secret"].partition("_secret_")[0]] = CARD
    paid = api.client.post(f"{url}/payments").json()
    assert [part["payment"] for part in paid["parts"]] == ["paid", "paid"]
    shown = api.client.get(url)
    assert (shown.status_code, shown.json()["status"]) == (200, "pending"), "its events have not come"
    assert "ada" not in shown.text.lower()
    closed = api.client.post(f"{url}/setups")
    assert_problem(closed, status=409, code="split_gift_closed")
    assert_problem(api.client.get("/v1/split-gifts/spl_0"), status=404, code="split_gift_not_found")


def test_what_the_donor_says_of_the_whole_is_said_of_every_part(
    api: Api,
    database: Database,
) -> None:
    said = {"message": "for the river", "anonymity": "none", "company": {"name": "Angstrom Ltd"}}
    assert asked(api, database, **said, language="fr").status_code == 201

    with database.transaction() as session:
        rows = session.scalars(select(DonationRow)).all()
        told = [receipts.told_of(session, donation_id=row.id)[0] for row in rows]
    assert {(row.message, row.anonymity, row.donor_email) for row in rows} == {
        ("for the river", "none", "ada@example.org")
    }
    assert [(each.language, each.company) for each in told] == [
        ("fr", receipts.Company(name="Angstrom Ltd"))
    ] * 2


def test_a_bank_that_asks_is_answered_on_the_account_of_the_part_it_asks_about(
    api: Api,
    database: Database,
) -> None:
    gift = asked(api, database).json()
    api.method_cloning.entered[gift["setup"]["client_secret"].partition("_secret_")[0]] = CARD
    api.method_cloning.asking = {"pi_1"}

    paid, asking = api.client.post(f"/v1/split-gifts/{gift['id']}/payments").json()["parts"]
    assert (paid["payment"], paid["client_secret"], paid["stripe_account"]) == ("paid", None, None)
    with database.transaction() as session:
        account = session.scalar(text("SELECT account_id FROM payment WHERE remote_id = 'pi_1'"))
    assert (asking["payment"], asking["stripe_account"]) == ("needs_donor", account)
    assert asking["client_secret"] == "pi_1_secret_x"


def parts_of(api: Api, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"organization_id": api.organization_id, **part} for part in parts]


@pytest.mark.parametrize(
    ("parts", "code", "param"),
    [
        ([{"share": 1}], "invalid_request", "parts"),
        ([{"share": 1}, {"minor_units": "500"}], "invalid_request", "body"),
        ([{"share": 1}, {}], "invalid_request", "body"),
        ([{"share": 1}, {"share": 0}], "invalid_request", "parts.1.share"),
        ([{"share": 1}, {"share": 1.5}], "invalid_request", "parts.1.share"),
        ([{"share": 1}, {"share": 1}], "split_not_acceptable", "parts"),
        (
            [{"minor_units": "500"}, {"minor_units": "500", "fund_id": "fund_0"}],
            "split_not_acceptable",
            "total",
        ),
        ([{"share": 1000}, {"share": 1, "fund_id": "fund_0"}], "amount_not_acceptable", "parts.1"),
        ([{"minor_units": "1001"}, {"minor_units": "x", "fund_id": "f"}], "amount_not_acceptable", "parts.1"),
        ([{"share": 1}, {"share": 1, "fund_id": "fund_0"}], "fund_not_acceptable", "parts.1.fund_id"),
    ],
)
def test_parts_that_are_no_whole_are_refused_before_anything_is_kept(
    parts: list[dict[str, Any]],
    code: str,
    param: str,
    api: Api,
    database: Database,
) -> None:
    refused = asked(api, database, parts=parts_of(api, *parts))

    assert_problem(refused, status=422, code=code, param=param)
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM donation")) == 0
