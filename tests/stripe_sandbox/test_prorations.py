"""What a change in the middle of a period costs and gives back, in integers."""

from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from stripe_sandbox.billing import periods
from stripe_sandbox.billing.prorations import share
from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.running import Sandbox
from tests.stripe_sandbox.subscribing import DAY, Donor, at, days, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

# 31 days, so that a day of 31.00 EUR is 1.00 EUR.
START = at(2027, 1, 1)


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    """Each donor is of another customer: one sandbox is enough for all."""
    return shared


@pytest.fixture
def grace(client: stripe.StripeClient) -> Donor:
    return donor(client, START)


def change(grace: Donor, made: stripe.Subscription, to: dict[str, Any], **more: Any) -> stripe.Subscription:
    return grace.update(made.id, items=[{"id": made["items"].data[0].id} | to], **more)


def waiting(grace: Donor) -> list[int]:
    found = grace.v1.invoice_items.list({"customer": grace.customer, "pending": True}).data
    return [item.amount for item in reversed(found)]


def totals(grace: Donor) -> list[tuple[int, str]]:
    return [(invoice.total, str(invoice.status)) for invoice in grace.invoices()]


@given(st.integers(-(10**8), 10**8), st.integers(1, 10**8), st.data())
def test_a_share_and_its_rest_are_the_whole_within_one_unit(
    amount: int, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole))
    assert abs(share(amount, part, whole) + share(amount, whole - part, whole) - amount) <= 1
    assert share(-amount, part, whole) == -share(amount, part, whole)
    assert abs(2 * whole * share(amount, part, whole) - 2 * amount * part) <= whole


_RECURRING = st.fixed_dictionaries(
    {"interval": st.sampled_from(["day", "week", "month", "year"]), "interval_count": st.integers(1, 3)}
)
_MOMENTS = st.integers(at(2020, 1, 1), at(2060, 1, 1))


@given(_MOMENTS, _RECURRING, st.integers(-20, 60))
def test_boundaries_follow_each_other_without_a_gap(
    anchor: int, recurring: dict[str, Any], count: int
) -> None:
    here, there = (periods.nth(anchor, recurring, number) for number in (count, count + 1))
    assert here < there
    assert periods.first_after(anchor, recurring, here) == there
    assert periods.first_after(anchor, recurring, there - 1) == there
    assert periods.whole_before(anchor, recurring, there) == here


@given(_MOMENTS, st.integers(1, 60))
def test_the_day_of_the_anchor_comes_back_in_every_month_that_has_it(anchor: int, count: int) -> None:
    then = periods.nth(anchor, {"interval": "month", "interval_count": 1}, count)
    (was,), (is_now,), (tomorrow,) = days(anchor), days(then), days(then + DAY)
    assert is_now[8:] == was[8:] or (tomorrow[8:] == "01" and is_now[8:] < was[8:])


@also_at_stripe
def test_a_dearer_price_is_paid_with_the_next_invoice(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"price": grace.price(6200)})
    assert waiting(grace) == [-2100, 4200]
    grace.advance(at(2027, 2, 1, 12))
    assert totals(grace) == [(3100, "paid"), (6200 + 2100, "paid")]
    assert waiting(grace) == []


def test_a_change_can_be_paid_at_once(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    changed = change(grace, made, {"quantity": 3}, proration_behavior="always_invoice")
    last = grace.invoices()[-1]
    assert (changed.status, changed.latest_invoice, last.billing_reason) == (
        "active",
        last.id,
        "subscription_update",
    )
    assert totals(grace) == [(3100, "paid"), (4200, "paid")]
    assert {line.parent.subscription_item_details.proration for line in last.lines.data} == {True}  # type: ignore[union-attr]  # each is an item's


def test_a_change_can_be_free_until_the_next_period(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"quantity": 2}, proration_behavior="none")
    assert waiting(grace) == []
    grace.advance(at(2027, 2, 1, 12))
    assert totals(grace) == [(3100, "paid"), (6200, "paid")]


def test_a_credit_is_of_what_was_debited_and_not_of_todays_price(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"quantity": 10}, proration_behavior="none")
    change(grace, made, {"quantity": 1}, proration_behavior="create_prorations")
    assert waiting(grace) == [-2100, 2100]


def test_there_and_back_again_costs_nothing(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 7, 13))
    for quantity in (2, 5, 1):
        change(grace, made, {"quantity": quantity})
    assert sum(waiting(grace)) == 0


def test_a_cheaper_price_leaves_a_credit_for_later(grace: Donor) -> None:
    made = grace.subscribe(grace.price(6200))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"price": grace.price(3100)}, proration_behavior="always_invoice")
    assert totals(grace)[1] == (-2100, "paid")
    assert grace.v1.customers.retrieve(grace.customer).balance == -2100
    grace.advance(at(2027, 2, 1, 12))
    last = grace.invoices()[-1]
    assert (last.total, last.starting_balance, last.amount_paid, last.ending_balance) == (
        3100,
        -2100,
        1000,
        0,
    )


def test_another_interval_begins_a_period_now(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    changed = change(grace, made, {"price": grace.price(30000, "year")})
    item = changed["items"].data[0]
    assert days(changed.billing_cycle_anchor, item.current_period_end) == ["2027-01-11", "2028-01-11"]
    assert totals(grace) == [(3100, "paid"), (30000 - 2100, "paid")]
    grace.advance(at(2027, 3, 1))
    assert len(grace.invoices()) == 2


def test_the_anchor_can_be_set_to_now(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    grace.update(made.id, billing_cycle_anchor={"type": "now"}, proration_behavior="none")
    assert totals(grace) == [(3100, "paid"), (3100, "paid")]
    grace.advance(at(2027, 2, 11, 12))
    assert totals(grace) == [(3100, "paid")] * 3


def test_from_nothing_to_something_begins_a_period_now(grace: Donor) -> None:
    made = grace.subscribe(grace.price(0))
    assert (made.status, totals(grace)) == ("active", [(0, "paid")])
    grace.advance(at(2027, 1, 11))
    changed = change(grace, made, {"price": grace.price(3100)})
    assert (changed.billing_cycle_anchor, totals(grace)) == (at(2027, 1, 11), [(0, "paid"), (3100, "paid")])


def test_items_come_and_go(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    more = grace.update(made.id, items=[{"price": grace.price(6200), "quantity": 1}])
    first, second = more["items"].data
    assert (first.id, waiting(grace)) == (made["items"].data[0].id, [4200])
    less = grace.update(made.id, items=[{"id": first.id, "deleted": True}])
    assert ([item.id for item in less["items"].data], waiting(grace)) == ([second.id], [4200, -2100])
    listed = grace.v1.subscription_items.list({"subscription": made.id}).data
    assert [item.id for item in listed] == [second.id]
    assert grace.v1.subscription_items.retrieve(second.id).price.unit_amount == 6200
    with pytest.raises(stripe.InvalidRequestError, match="at least one active item"):
        grace.update(made.id, items=[{"id": second.id, "deleted": True}])


def test_a_change_that_is_not_paid_is_owed(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    grace.keep("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        change(
            grace,
            made,
            {"quantity": 2},
            proration_behavior="always_invoice",
            payment_behavior="error_if_incomplete",
        )
    assert (grace.look(made.id)["items"].data[0].quantity, totals(grace)) == (1, [(3100, "paid")])
    owed = change(grace, made, {"quantity": 2}, proration_behavior="always_invoice")
    assert (owed.status, totals(grace)) == ("past_due", [(3100, "paid"), (2100, "open")])


def test_prorations_can_be_reckoned_from_another_moment(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"quantity": 2}, proration_date=at(2027, 1, 21))
    assert waiting(grace) == [-1100, 2200]
    with pytest.raises(stripe.InvalidRequestError, match="within the current billing period"):
        change(grace, made, {"quantity": 3}, proration_date=at(2027, 2, 2))


def test_a_trial_is_changed_for_nothing(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100), trial_period_days=10)
    change(grace, made, {"quantity": 2})
    assert (waiting(grace), totals(grace)) == ([], [(0, "paid")])
    grace.advance(at(2027, 1, 11, 12))
    assert totals(grace) == [(0, "paid"), (6200, "paid")]


def test_a_cancellation_that_gives_nothing_back_forgets_the_changes(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"quantity": 2})
    grace.v1.subscriptions.cancel(made.id)
    assert waiting(grace) == []


def test_changes_before_the_end_are_on_a_last_invoice(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    change(grace, made, {"quantity": 2}, cancel_at_period_end=True)
    grace.advance(at(2027, 2, 1, 12))
    assert (grace.look(made.id).status, totals(grace)) == ("canceled", [(3100, "paid"), (2100, "paid")])


@also_at_stripe
def test_a_preview_is_what_will_be(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    dearer = {"items": [{"id": made["items"].data[0].id, "price": grace.price(6200)}]}
    seen = grace.v1.invoices.create_preview({"subscription": made.id, "subscription_details": dearer})
    assert (seen.total, seen.status, len(grace.invoices()), waiting(grace)) == (8300, "draft", 1, [])
    grace.update(made.id, **dearer)
    grace.advance(at(2027, 2, 1, 12))
    became = grace.invoices()[-1]
    assert (became.total, [line.amount for line in became.lines.data]) == (
        seen.total,
        [line.amount for line in seen.lines.data],
    )


def test_what_is_invoiced_at_once_is_previewed_so(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    details = {
        "items": [{"id": made["items"].data[0].id, "quantity": 2}],
        "proration_behavior": "always_invoice",
    }
    seen = grace.v1.invoices.create_preview({"subscription": made.id, "subscription_details": details})
    assert (seen.total, seen.id.startswith("upcoming_in_"), seen.number) == (2100, True, None)
    assert grace.look(made.id)["items"].data[0].quantity == 1


def test_a_subscription_can_be_previewed_before_there_is_one(grace: Donor) -> None:
    price = grace.price(3100)
    wanted = {
        "customer": grace.customer,
        "subscription_details": {"items": [{"price": price, "quantity": 2}]},
    }
    assert grace.v1.invoices.create_preview(wanted).total == 6200
    assert grace.v1.subscriptions.list({"customer": grace.customer}).data == []


def test_after_the_end_there_is_nothing_to_preview(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100), cancel_at_period_end=True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        grace.v1.invoices.create_preview({"subscription": made.id})
    assert (refused.value.http_status, refused.value.code) == (404, "invoice_upcoming_none")
