"""Products and prices, here and on connected accounts."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.onboarding import onboard
from tests.stripe_sandbox.running import Endpoint, Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

MONTHLY: Any = {
    "currency": "eur",
    "unit_amount": 1000,
    "recurring": {"interval": "month", "interval_count": 3},
    "product_data": {"name": "Membership"},
}


@pytest.fixture
def here(shared: Sandbox) -> Any:
    return shared.client().v1


def test_a_recurring_price_comes_with_its_product(here: Any) -> None:
    price = here.prices.create(MONTHLY, {"idempotency_key": "one-price"})
    assert (price.type, price.unit_amount, str(price.unit_amount_decimal)) == ("recurring", 1000, "1000")
    assert (price.recurring.interval, price.recurring.interval_count) == ("month", 3)
    assert here.prices.create(MONTHLY, {"idempotency_key": "one-price"}).id == price.id
    product = here.prices.retrieve(price.id, {"expand": ["product"]}).product
    assert (product.name, product.active) == ("Membership", True)
    with pytest.raises(stripe.InvalidRequestError, match="one or more user-created prices"):
        here.products.delete(product.id)


def test_a_price_is_paid_once_when_it_does_not_recur(here: Any) -> None:
    product = here.products.create({"name": "Book", "metadata": {"isbn": "1"}})
    price = here.prices.create({"currency": "JPY", "unit_amount": 500, "product": product.id})
    assert (price.type, price.currency, price.recurring) == ("one_time", "jpy", None)
    here.products.update(product.id, {"default_price": price.id, "name": "A book"})
    found = here.products.retrieve(product.id, {"expand": ["default_price"]})
    assert (found.name, found.default_price.id) == ("A book", price.id)
    assert [one.id for one in here.prices.list({"product": product.id, "type": "one_time"}).data] == [
        price.id
    ]


def test_a_lookup_key_names_one_price_and_can_be_handed_on(here: Any) -> None:
    first = here.prices.create(MONTHLY | {"lookup_key": "quarterly"})
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        here.prices.create(MONTHLY | {"lookup_key": "quarterly"})
    second = here.prices.create(MONTHLY | {"lookup_key": "quarterly", "transfer_lookup_key": True})
    assert [one.id for one in here.prices.list({"lookup_keys": ["quarterly"]}).data] == [second.id]
    assert here.prices.retrieve(first.id).lookup_key is None


def test_a_price_that_is_not_active_is_not_listed_as_such(here: Any) -> None:
    price = here.prices.create(MONTHLY)
    assert not here.prices.update(price.id, {"active": False}).active
    assert price.id not in [one.id for one in here.prices.list({"active": True, "limit": 100}).data]
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: unit_amount"):
        here.prices.update(price.id, {"unit_amount": 1})


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"unit_amount": -1}, "unit_amount"),
        ({"currency": "xyz"}, "currency"),
        ({"recurring": {"interval": "month", "interval_count": 37}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "year", "interval_count": 0}}, "recurring[interval_count]"),
        ({"recurring": {"interval": "fortnight"}}, "recurring[interval]"),
        ({"product": "prod_none"}, "product"),
    ],
)
def test_a_bad_price_is_refused_by_name(here: Any, changes: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        here.prices.create(MONTHLY | changes)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "changes",
    [
        {"tiers_mode": "volume"},
        {"recurring": {"interval": "month", "usage_type": "metered"}},
        {"product_data": {"name": "x", "tax_code": "txcd_1"}},
        {"custom_unit_amount": {"enabled": True}},
    ],
)
def test_prices_by_use_or_choice_are_not_modelled_and_say_so(here: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(stripe.APIError, match="does not model"):
        here.prices.create(MONTHLY | changes)


def test_an_account_has_prices_of_its_own(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    account = onboard(client)
    price = client.v1.prices.create(MONTHLY, {"stripe_account": account})
    assert client.v1.prices.list().data == []
    told = endpoint.take_type("price.created").event
    assert (told["account"], told["data"]["object"]["id"]) == (account, price.id)
