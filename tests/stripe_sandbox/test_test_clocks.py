"""Clocks that a test sets, beside the sandbox's own."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import onboard
from tests.stripe_sandbox.running import Endpoint, Sandbox
from tests.stripe_sandbox.subscribing import DAY, HOUR, at, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

START = at(2027, 1, 15)


def test_a_clock_stands_still_until_it_is_advanced(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    clocks = client.v1.test_helpers.test_clocks
    clock = clocks.create({"frozen_time": START, "name": "leap year"})
    assert (clock.status, clock.frozen_time, clock.name) == ("ready", START, "leap year")
    assert clock.deletes_after == clock.created + 7 * DAY
    moving = clocks.advance(clock.id, {"frozen_time": START + DAY})
    assert (moving.status, moving.frozen_time) == ("advancing", START)
    assert moving.status_details.advancing is not None
    assert moving.status_details.advancing.target_frozen_time == START + DAY
    there = clocks.retrieve(clock.id)
    assert (there.status, there.frozen_time) == ("ready", START + DAY)
    assert [one.id for one in clocks.list().data] == [clock.id]
    assert endpoint.take_types(3) == [
        f"test_helpers.test_clock.{what}" for what in ("advancing", "created", "ready")
    ]


def test_a_clock_goes_forward_by_two_intervals_at_most(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    clocks = client.v1.test_helpers.test_clocks
    with pytest.raises(stripe.InvalidRequestError, match="two years"):
        clocks.advance(grace.clock, {"frozen_time": at(2029, 1, 15) + 1})
    grace.subscribe(grace.price(1000))
    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        clocks.advance(grace.clock, {"frozen_time": at(2027, 3, 15) + 1})
    with pytest.raises(stripe.InvalidRequestError, match="after the test clock's current"):
        clocks.advance(grace.clock, {"frozen_time": START})
    grace.advance(at(2027, 3, 15))


def test_a_clock_has_room_for_three_customers(client: stripe.StripeClient) -> None:
    grace = donor(client, START, None)
    for _ in range(2):
        client.v1.customers.create({"test_clock": grace.clock})
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 3 customers"):
        client.v1.customers.create({"test_clock": grace.clock})
    assert client.v1.customers.list().data == []
    assert len(client.v1.customers.list({"test_clock": grace.clock}).data) == 3


def test_what_is_billed_lives_in_the_clocks_time_and_payments_do_not(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(1000))
    (invoice,) = grace.invoices()
    assert (made.created, invoice.created, invoice.status_transitions.paid_at) == (START, START, START)
    (intent,) = client.v1.payment_intents.list({"customer": grace.customer}).data
    assert intent.created != START
    (told,) = client.v1.events.list({"type": "customer.subscription.created"}).data
    assert (told.created == START, told.data.object["created"]) == (False, START)
    assert [one.id for one in client.v1.invoices.list({"created": {"lte": START}}).data] == [invoice.id]


def test_a_clock_that_is_deleted_takes_its_customers_along(
    client: stripe.StripeClient, settings: Settings
) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(1000))
    gone: Any = client.v1.test_helpers.test_clocks.delete(grace.clock)
    assert gone.deleted
    assert client.v1.customers.retrieve(grace.customer).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        grace.look(made.id)
    with closing(sqlite3.connect(settings.state)) as state:
        assert state.execute("SELECT count(*) FROM billing_work").fetchone() == (0,)


def test_no_clock_is_kept_for_ever(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    grace = donor(client, START, None)
    sandbox.hook("clock", {"seconds": 7 * DAY})
    assert client.v1.test_helpers.test_clocks.list().data == []
    assert client.v1.customers.retrieve(grace.customer).deleted


def test_the_sandboxs_own_clock_moves_those_who_have_none(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    grace = donor(client, START)
    price = grace.price(1000, "day")
    bound = grace.subscribe(price)
    free = client.v1.customers.create({"name": "Ada"}).id
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": free}).id
    made = client.v1.subscriptions.create(
        {"customer": free, "items": [{"price": price}], "default_payment_method": card}
    )
    sandbox.hook("clock", {"seconds": 20 * HOUR})
    sandbox.hook("clock", {"seconds": 5 * HOUR})
    assert [one.status for one in client.v1.invoices.list({"subscription": made.id}).data] == ["paid", "paid"]
    assert [one.id for one in client.v1.subscriptions.list().data] == [made.id]
    assert len(grace.invoices(bound.id)) == 1


def test_an_account_has_clocks_of_its_own(client: stripe.StripeClient) -> None:
    account = onboard(client)
    grace = donor(client, START, account=account)
    grace.subscribe(grace.price(1000))
    grace.advance(at(2027, 2, 15, 12))
    assert [one.status for one in grace.invoices()] == ["paid", "paid"]
    moved = client.v1.balance_transactions.list({"type": "charge"}, {"stripe_account": account}).data
    assert [one.amount for one in moved] == [1000, 1000]
    assert client.v1.test_helpers.test_clocks.list().data == []
