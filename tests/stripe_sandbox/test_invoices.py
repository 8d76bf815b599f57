"""Invoices beside subscriptions, and what people do to invoices."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.running import Sandbox
from tests.stripe_sandbox.subscribing import HOUR, Donor, at, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

START = at(2027, 1, 15)


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    """Each donor is of another customer: one sandbox is enough for all."""
    return shared


@pytest.fixture
def grace(client: stripe.StripeClient) -> Donor:
    return donor(client, START)


def item(grace: Donor, amount: int, **more: Any) -> Any:
    wanted = {"customer": grace.customer, "amount": amount, "currency": "eur"} | more
    return grace.v1.invoice_items.create(wanted)


def manual(grace: Donor, *amounts: int, **more: Any) -> Any:
    """A draft with these lines."""
    draft = grace.v1.invoices.create({"customer": grace.customer, "currency": "eur"} | more)
    for amount in amounts:
        item(grace, amount, invoice=draft.id)
    return grace.v1.invoices.retrieve(draft.id)


def test_a_draft_is_made_final_and_paid(grace: Donor) -> None:
    draft = manual(grace, 1000, 250)
    assert (draft.status, draft.total, draft.amount_due, draft.number) == ("draft", 1250, 1250, None)
    final = grace.v1.invoices.finalize_invoice(draft.id)
    assert (final.status, final.amount_remaining, final.attempted) == ("open", 1250, False)
    paid = grace.v1.invoices.pay(draft.id)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1250, 0)
    assert paid.status_transitions.paid_at == START
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        grace.v1.invoices.pay(draft.id)


def test_a_draft_that_goes_on_by_itself_does_after_an_hour(grace: Donor) -> None:
    draft = manual(grace, 1000, auto_advance=True)
    grace.advance(START + HOUR - 1)
    assert grace.v1.invoices.retrieve(draft.id).status == "draft"
    grace.advance(START + HOUR)
    assert grace.v1.invoices.retrieve(draft.id).status == "paid"


def test_a_draft_can_be_stopped(grace: Donor) -> None:
    draft = manual(grace, 1000, auto_advance=True)
    grace.v1.invoices.update(draft.id, {"auto_advance": False, "description": "later"})
    grace.advance(START + 2 * HOUR)
    found = grace.v1.invoices.retrieve(draft.id)
    assert (found.status, found.description, found.automatically_finalizes_at) == ("draft", "later", None)


def test_what_waits_is_taken_when_asked_for_and_comes_back_from_a_deleted_draft(grace: Donor) -> None:
    waiting = item(grace, 700)
    assert manual(grace).total == 0
    draft = manual(grace, pending_invoice_items_behavior="include")
    assert (draft.total, grace.v1.invoice_items.retrieve(waiting.id).invoice) == (700, draft.id)
    with pytest.raises(stripe.InvalidRequestError, match="can no longer be changed"):
        grace.v1.invoice_items.delete(waiting.id)
    assert grace.v1.invoices.delete(draft.id).deleted
    assert grace.v1.invoice_items.update(waiting.id, {"amount": 800, "description": "more"}).amount == 800
    grace.v1.invoice_items.delete(waiting.id)
    assert grace.v1.invoice_items.list({"customer": grace.customer}).data == []


def test_what_waits_is_on_the_next_invoice_of_a_subscription(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000))
    item(grace, 500, subscription=made.id)
    book = grace.v1.prices.create({"currency": "eur", "unit_amount": 200, "product_data": {"name": "Book"}})
    grace.v1.invoice_items.create({"customer": grace.customer, "pricing": {"price": book.id}, "quantity": 3})
    grace.advance(at(2027, 2, 15, 12))
    last = grace.invoices()[-1]
    assert (last.total, last.status) == (2100, "paid")
    lines = grace.v1.invoices.line_items.list(last.id).data
    assert [(line.amount, line.quantity) for line in lines] == [(500, 1), (600, 3), (1000, 1)]
    (second,) = grace.v1.invoices.line_items.list(last.id, {"limit": 1, "starting_after": lines[0].id}).data
    assert second.id == lines[1].id


def test_a_refused_payment_is_kept_and_told(grace: Donor) -> None:
    draft = manual(grace, 1000)
    failing = grace.keep("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError) as declined:
        grace.v1.invoices.pay(draft.id, {"payment_method": failing})
    assert declined.value.code == "card_declined"
    found = grace.v1.invoices.retrieve(draft.id, {"expand": ["payments"]})
    assert (found.status, found.attempt_count, found.attempted) == ("open", 1, True)
    assert [payment.status for payment in found.payments.data] == ["open"]
    assert len(grace.events("invoice.payment_failed")) == 1


def test_money_that_came_another_way_is_noted(grace: Donor) -> None:
    draft = manual(grace, 1000)
    paid = grace.v1.invoices.pay(draft.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid_off_stripe) == ("paid", 1000)
    (intent,) = grace.v1.payment_intents.list({"customer": grace.customer}).data
    assert intent.status == "canceled"


def test_an_invoice_is_taken_back(grace: Donor) -> None:
    draft = manual(grace, 1000)
    with pytest.raises(stripe.InvalidRequestError, match="open or uncollectible"):
        grace.v1.invoices.void_invoice(draft.id)
    grace.v1.invoices.finalize_invoice(draft.id)
    assert grace.v1.invoices.void_invoice(draft.id).status == "void"
    with pytest.raises(stripe.InvalidRequestError, match="can no longer be paid"):
        grace.v1.invoices.pay(draft.id)
    assert len(grace.events("invoice.voided")) == 1


def test_a_debt_that_was_written_off_can_still_be_paid(grace: Donor) -> None:
    draft = manual(grace, 1000)
    grace.v1.invoices.finalize_invoice(draft.id)
    assert grace.v1.invoices.mark_uncollectible(draft.id).status == "uncollectible"
    assert grace.v1.invoices.pay(draft.id).status == "paid"


@pytest.mark.parametrize("act", ["void_invoice", "mark_uncollectible"])
def test_an_invoice_that_is_no_longer_owed_ends_the_arrears(grace: Donor, act: str) -> None:
    made = grace.subscribe(grace.price(1000))
    grace.keep("pm_card_chargeCustomerFail")
    grace.advance(at(2027, 2, 15, 12))
    owed = grace.invoices()[-1]
    assert grace.look(made.id).status == "past_due"
    getattr(grace.v1.invoices, act)(owed.id)
    assert grace.look(made.id).status == "active"
    grace.advance(at(2027, 3, 10))
    assert len(grace.events("invoice.payment_failed")) == 1


def test_too_little_to_charge_stays_on_the_balance(grace: Donor) -> None:
    draft = manual(grace, 49)
    paid = grace.v1.invoices.finalize_invoice(draft.id)
    assert (paid.status, paid.amount_due, paid.ending_balance) == ("paid", 0, 49)
    final = grace.v1.invoices.finalize_invoice(manual(grace, 100).id)
    assert (final.starting_balance, final.amount_due, final.ending_balance) == (49, 149, 0)
    grace.v1.invoices.void_invoice(final.id)
    assert grace.v1.customers.retrieve(grace.customer).balance == 49


def test_the_invoice_to_come_is_told_a_week_before(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000))
    grace.advance(at(2027, 2, 8))
    (told,) = grace.events("invoice.upcoming")
    assert told["id"].startswith("upcoming_in_")
    assert (told["total"], told["parent"]["subscription_details"]["subscription"]) == (1000, made.id)
    assert len(grace.invoices()) == 1


def test_invoices_are_numbered_by_customer(grace: Donor) -> None:
    numbers = [grace.v1.invoices.finalize_invoice(manual(grace, 1000).id).number for _ in range(2)]
    prefix = grace.v1.customers.retrieve(grace.customer).invoice_prefix
    assert numbers == [f"{prefix}-0001", f"{prefix}-0002"]


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"amount": 100}, "currency"),
        ({"amount": 100, "currency": "eur", "pricing": {"price": "price_x"}}, "amount"),
        ({"amount": 10**9, "currency": "eur"}, "amount"),
        ({"amount": 100, "currency": "eur", "invoice": "in_none"}, "invoice"),
        ({"amount": 100, "currency": "eur", "subscription": "sub_none"}, "subscription"),
    ],
)
def test_a_bad_item_is_refused_by_name(grace: Donor, wanted: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        grace.v1.invoice_items.create({"customer": grace.customer} | wanted)
    assert refused.value.param == param
