"""What covers the processor's fee, over HTTP: quoted for each way to pay, given as quoted, refused otherwise."""

from typing import Any

import pytest

from tests.backend.api_world import Api, assert_problem


def quote(api: Api, *, minor_units: str = "2500", currency: str = "EUR", **changes: str) -> Any:
    asked = {"organization_id": api.organization_id, "minor_units": minor_units, "currency": currency}
    return api.client.get("/v1/donations/quote", params=asked | changes)


def euros(minor_units: str) -> dict[str, str]:
    return {"minor_units": minor_units, "currency": "EUR"}


def test_what_covers_the_fee_is_quoted_for_each_way_to_pay_and_can_be_given(api: Api) -> None:
    quoted = quote(api).json()
    assert quoted == {
        "amount": euros("2500"),
        "covers": [
            {"method": "card", "fee_cover": euros("64"), "total": euros("2564")},
            {"method": "sepa_debit", "fee_cover": euros("35"), "total": euros("2535")},
        ],
    }

    created = api.give(fee_cover={"method": "sepa_debit", "minor_units": "35"}).json()
    assert (created["amount"], created["fee_cover"]) == (euros("2535"), euros("35"))
    shown = api.client.get(f"/v1/donations/{created['id']}").json()
    assert shown["amount"] == euros("2535")
    assert shown["costs"] == {
        "fee_cover": euros("35"),
        "method": "sepa_debit",
        "processor_fee": None,
        "difference": None,
    }


@pytest.mark.parametrize(
    "fee_cover",
    [
        {"method": "card", "minor_units": "35"},
        {"method": "us_bank_account", "minor_units": "64"},
        {"method": "card", "minor_units": "0"},
    ],
)
def test_a_cover_that_was_not_quoted_is_refused(fee_cover: dict[str, str], api: Api) -> None:
    response = api.give(fee_cover=fee_cover)

    assert_problem(response, status=422, code="fee_cover_changed", param="fee_cover")
    assert api.give().status_code == 201, "the key is free for the donor's next decision"


def test_where_nobody_publishes_the_fee_nothing_is_offered(api: Api) -> None:
    assert quote(api, currency="USD").json()["covers"] == []


def test_a_quote_holds_the_same_limits_as_a_gift(api: Api) -> None:
    code, param = "amount_not_acceptable", "amount.minor_units"
    assert_problem(quote(api, minor_units="99"), status=422, code=code, param=param)
    assert_problem(
        quote(api, organization_id="org_unknown"),
        status=404,
        code="organization_not_found",
        param="organization_id",
    )
