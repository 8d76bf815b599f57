"""Subscriptions from their first invoice on: periods, trials, and payments that are refused at first."""

import pytest
import stripe

from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, Sandbox
from tests.stripe_sandbox.subscribing import DAY, HOUR, Donor, at, days, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

START = at(2027, 1, 15)


@pytest.fixture
def sandbox(shared: Sandbox) -> Sandbox:
    """Each donor is of another customer: one sandbox is enough for all."""
    return shared


@pytest.fixture
def grace(client: stripe.StripeClient) -> Donor:
    return donor(client, START)


def statuses(grace: Donor, subscription: str | None = None) -> list[str]:
    return [str(invoice.status) for invoice in grace.invoices(subscription)]


def test_the_first_invoice_is_paid_at_once(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000), metadata={"plan": "don_1"})
    assert (made.status, made.currency, made.billing_cycle_anchor) == ("active", "eur", START)
    item = made["items"].data[0]
    assert days(item.current_period_start, item.current_period_end) == ["2027-01-15", "2027-02-15"]
    (invoice,) = grace.invoices()
    assert (invoice.billing_reason, invoice.status, invoice.amount_paid) == (
        "subscription_create",
        "paid",
        1000,
    )
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.metadata is not None
    assert invoice.parent.subscription_details.metadata["plan"] == "don_1"
    assert {event.type for event in grace.v1.events.list({"limit": 100}).data} >= {
        "customer.subscription.created",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice_payment.paid",
        "payment_intent.succeeded",
        "price.created",
        "product.created",
    }


def test_a_payment_of_an_invoice_is_a_payment_like_any_other(grace: Donor) -> None:
    grace.subscribe(grace.price(1000))
    wanted = {"expand": ["payments.data.payment.payment_intent", "confirmation_secret"]}
    invoice = grace.v1.invoices.retrieve(grace.invoices()[0].id, wanted)
    (payment,) = invoice.payments.data
    intent = payment.payment.payment_intent
    assert (payment.status, payment.amount_paid, intent.status) == ("paid", 1000, "succeeded")
    assert invoice.confirmation_secret.client_secret == intent.client_secret
    charge = grace.v1.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.customer, charge.balance_transaction.net) == (grace.customer, 960)
    (found,) = grace.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    ).data
    assert found.invoice == invoice.id


@also_at_stripe
def test_the_31st_comes_back_after_february(client: stripe.StripeClient) -> None:
    grace = donor(client, at(2027, 1, 31))
    made = grace.subscribe(grace.price(1000))
    for moment in (at(2027, 3, 15), at(2027, 4, 30, 14)):
        grace.advance(moment)
    begun = [invoice.lines.data[0].period.start for invoice in grace.invoices(made.id)]
    assert days(*begun) == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
    assert statuses(grace, made.id) == ["paid"] * 4


@pytest.mark.parametrize(
    ("since", "interval", "count", "ends"),
    [
        (at(2028, 2, 29), "year", 1, "2029-02-28"),
        (at(2027, 11, 30), "month", 3, "2028-02-29"),
        (at(2027, 3, 28), "week", 2, "2027-04-11"),
    ],
)
def test_periods_end_on_the_calendar(
    client: stripe.StripeClient, since: int, interval: str, count: int, ends: str
) -> None:
    grace = donor(client, since)
    made = grace.subscribe(grace.price(1000, interval, interval_count=count))
    assert days(made["items"].data[0].current_period_end) == [ends]


def test_a_renewal_is_a_draft_for_an_hour(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000))
    grace.advance(at(2027, 2, 15))
    first, draft = grace.invoices()
    assert (draft.status, draft.automatically_finalizes_at) == ("draft", at(2027, 2, 15, 11))
    assert (draft.number, first.number and first.number.endswith("-0001")) == (None, True)
    assert grace.look(made.id).latest_invoice == draft.id
    grace.v1.invoice_items.create(
        {"customer": grace.customer, "invoice": draft.id, "amount": 250, "currency": "eur"}
    )
    grace.advance(at(2027, 2, 15, 11))
    paid = grace.invoices()[1]
    assert (paid.status, paid.total, paid.billing_reason) == ("paid", 1250, "subscription_cycle")


@also_at_stripe
def test_a_subscription_waits_for_its_customer(client: stripe.StripeClient) -> None:
    grace = donor(client, START, None)
    made = grace.subscribe(
        grace.price(1000),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret"],
    )
    assert made.status == "incomplete"
    assert isinstance(made.latest_invoice, stripe.Invoice)
    assert made.latest_invoice.confirmation_secret is not None
    intent = made.latest_invoice.confirmation_secret.client_secret.partition("_secret_")[0]
    paid = grace.v1.payment_intents.confirm(
        intent, {"payment_method": "pm_card_visa", "return_url": "https://rivers.example"}
    )
    assert paid.status == "succeeded"
    assert grace.awaited(made.id, "active") == "active"
    assert statuses(grace) == ["paid"]


def test_what_paid_the_first_invoice_pays_the_others(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    grace = donor(client, START, None)
    made = grace.subscribe(
        grace.price(1000),
        payment_behavior="default_incomplete",
        payment_settings={"save_default_payment_method": "on_subscription"},
        expand=["latest_invoice.confirmation_secret"],
    )
    secret = made.latest_invoice.confirmation_secret.client_secret  # type: ignore[union-attr]  # expanded
    card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "40", "cvc": "123"}
    form = {f"payment_method_data[card][{name}]": value for name, value in card.items()}
    form |= {"payment_method_data[type]": "card", "client_secret": secret}
    intent = secret.partition("_secret_")[0]
    answer = sandbox.call("POST", f"/v1/payment_intents/{intent}/confirm", PUBLISHABLE_KEY, data=form)
    assert answer.json()["status"] == "succeeded", answer.text
    assert grace.look(made.id).default_payment_method is not None
    grace.advance(at(2027, 2, 15, 12))
    assert statuses(grace) == ["paid", "paid"]


def test_nothing_to_pay_with_is_told_at_once(client: stripe.StripeClient) -> None:
    grace = donor(client, START, None)
    price = grace.price(1000)
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        grace.subscribe(price)
    assert grace.v1.subscriptions.list({"customer": grace.customer, "status": "all"}).data == []


def test_a_refused_card_leaves_it_incomplete_for_23_hours(client: stripe.StripeClient) -> None:
    grace = donor(client, START, "pm_card_chargeCustomerFail")
    made = grace.subscribe(grace.price(1000))
    assert (made.status, statuses(grace)) == ("incomplete", ["open"])
    grace.advance(START + 23 * HOUR - 1)
    assert grace.look(made.id).status == "incomplete"
    grace.advance(START + 23 * HOUR)
    assert (grace.look(made.id).status, statuses(grace)) == ("incomplete_expired", ["void"])
    (intent,) = grace.v1.payment_intents.list({"customer": grace.customer}).data
    assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
    grace.advance(at(2027, 3, 15))
    assert len(grace.invoices()) == 1


def test_an_incomplete_subscription_is_paid_with_another_card(client: stripe.StripeClient) -> None:
    grace = donor(client, START, "pm_card_chargeCustomerFail")
    made = grace.subscribe(grace.price(1000))
    with pytest.raises(stripe.CardError):
        grace.v1.invoices.pay(made.latest_invoice)
    with pytest.raises(stripe.InvalidRequestError, match="different first invoice"):
        grace.update(made.id, items=[{"id": made["items"].data[0].id, "quantity": 2}])
    grace.v1.invoices.pay(made.latest_invoice, {"payment_method": grace.keep()})
    assert grace.look(made.id).status == "active"
    assert grace.invoices()[0].attempt_count == 1


@also_at_stripe
def test_with_error_if_incomplete_a_refusal_leaves_nothing(client: stripe.StripeClient) -> None:
    grace = donor(client, START, "pm_card_chargeCustomerFail")
    price = grace.price(1000)
    with pytest.raises(stripe.CardError):
        grace.subscribe(price, payment_behavior="error_if_incomplete")
    assert grace.v1.subscriptions.list({"customer": grace.customer, "status": "all"}).data == []


def test_a_bank_that_asks_is_told_of_and_answered(client: stripe.StripeClient, sandbox: Sandbox) -> None:
    grace = donor(client, START, "pm_card_authenticationRequiredOnSetup")
    made = grace.subscribe(grace.price(1000))
    assert made.status == "incomplete"
    assert [one["id"] for one in grace.events("invoice.payment_action_required")] == [made.latest_invoice]
    (intent,) = client.v1.payment_intents.list({"customer": grace.customer}).data
    assert intent.next_action is not None
    assert intent.next_action.use_stripe_sdk is not None
    page = str(intent.next_action.use_stripe_sdk["stripe_js"]).removeprefix(sandbox.settings.public_url)
    assert sandbox.http.post(page, data={"outcome": "succeed"}).json()["status"] == "succeeded"
    assert grace.look(made.id).status == "active"
    # The bank has agreed to the payments to come.
    grace.advance(at(2027, 2, 15, 12))
    assert statuses(grace) == ["paid", "paid"]


@also_at_stripe
def test_a_trial_ends_with_the_first_period_that_is_paid(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(1000), trial_period_days=14)
    ends = START + 14 * DAY
    assert (made.status, made.trial_start, made.trial_end) == ("trialing", START, ends)
    assert [(invoice.total, invoice.status) for invoice in grace.invoices()] == [(0, "paid")]
    grace.advance(ends + 2 * HOUR)
    found = grace.look(made.id)
    assert (found.status, found.billing_cycle_anchor) == ("active", ends)
    assert [(invoice.total, invoice.status) for invoice in grace.invoices()] == [(0, "paid"), (1000, "paid")]


def test_the_end_of_a_trial_is_told_three_days_before(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000), trial_end=START + 10 * DAY)
    grace.advance(START + 7 * DAY - 1)
    assert grace.events("customer.subscription.trial_will_end") == []
    grace.advance(START + 7 * DAY)
    assert [one["id"] for one in grace.events("customer.subscription.trial_will_end")] == [made.id]


def test_a_short_trial_tells_of_its_end_at_once(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000), trial_period_days=2)
    assert [one["id"] for one in grace.events("customer.subscription.trial_will_end")] == [made.id]


@pytest.mark.parametrize(
    ("behavior", "status", "invoices"),
    [
        ("cancel", "canceled", [(0, "paid")]),
        ("pause", "paused", [(0, "paid")]),
        ("create_invoice", "past_due", [(0, "paid"), (1000, "open")]),
    ],
)
def test_a_trial_ends_without_anything_to_pay_with(
    client: stripe.StripeClient, behavior: str, status: str, invoices: list[tuple[int, str]]
) -> None:
    grace = donor(client, START, None)
    made = grace.subscribe(
        grace.price(1000),
        trial_period_days=14,
        trial_settings={"end_behavior": {"missing_payment_method": behavior}},
    )
    grace.advance(START + 15 * DAY)
    assert grace.look(made.id).status == status
    assert [(invoice.total, invoice.status) for invoice in grace.invoices()] == invoices


def test_a_paused_subscription_is_resumed_with_a_new_period(client: stripe.StripeClient) -> None:
    grace = donor(client, START, None)
    made = grace.subscribe(
        grace.price(1000),
        trial_period_days=14,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )
    grace.advance(START + 20 * DAY)
    assert len(grace.events("customer.subscription.paused")) == 1
    grace.keep()
    resumed = grace.v1.subscriptions.resume(made.id, {"billing_cycle_anchor": {"type": "now"}})
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", START + 20 * DAY)
    assert len(grace.events("customer.subscription.resumed")) == 1
    assert statuses(grace) == ["paid", "paid"]
    with pytest.raises(stripe.InvalidRequestError, match="not paused"):
        grace.v1.subscriptions.resume(made.id)


def test_a_trial_can_be_ended_now_and_made_longer(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000), trial_period_days=14)
    grace.advance(START + 10 * DAY)
    longer = grace.update(made.id, trial_end=START + 30 * DAY)
    assert (longer.trial_end, longer["items"].data[0].current_period_end) == (START + 30 * DAY,) * 2
    grace.advance(START + 20 * DAY)
    ended = grace.update(made.id, trial_end="now")
    assert (ended.status, ended.billing_cycle_anchor) == ("active", START + 20 * DAY)
    assert [(invoice.total, invoice.status) for invoice in grace.invoices()] == [(0, "paid"), (1000, "paid")]


def test_an_anchor_to_come_makes_a_short_first_period(grace: Donor) -> None:
    price = grace.price(3100)
    made = grace.subscribe(price, billing_cycle_anchor=at(2027, 2, 1))
    assert [invoice.total for invoice in grace.invoices()] == [1700]  # 17 of January's 31 days
    free = grace.subscribe(grace.price(3100), billing_cycle_anchor=at(2027, 2, 1), proration_behavior="none")
    assert (free.status, free.latest_invoice) == ("active", None)
    grace.advance(at(2027, 2, 1, 12))
    assert [invoice.total for invoice in grace.invoices(made.id)] == [1700, 3100]
    assert [invoice.total for invoice in grace.invoices(free.id)] == [3100]
    with pytest.raises(stripe.InvalidRequestError, match="next natural billing date"):
        grace.subscribe(price, billing_cycle_anchor=at(2027, 4, 1))
