"""How subscriptions end, rest and are dunned, and what is asked of them that is not there."""

from dataclasses import replace
from typing import Any

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.running import Sandbox, running
from tests.stripe_sandbox.subscribing import DAY, Donor, at, donor

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


@also_at_stripe
def test_a_subscription_ends_with_its_period(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(1000))
    asked = grace.update(made.id, cancel_at_period_end=True)
    assert (asked.status, asked.cancel_at, asked.canceled_at) == ("active", at(2027, 2, 15), START)
    grace.advance(at(2027, 2, 15, 12))
    ended = grace.look(made.id)
    assert (ended.status, ended.ended_at) == ("canceled", at(2027, 2, 15))
    assert len(grace.invoices(made.id)) == 1


def test_a_mind_can_be_changed_before_the_end(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000), cancel_at_period_end=True)
    assert grace.update(made.id, cancel_at_period_end=False).cancel_at is None
    grace.advance(at(2027, 2, 15, 12))
    assert (grace.look(made.id).status, statuses(grace)) == ("active", ["paid", "paid"])


def test_a_cancelled_subscription_gives_back_what_was_not_used(grace: Donor) -> None:
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 25))
    gone = grace.v1.subscriptions.cancel(
        made.id, {"prorate": True, "invoice_now": True, "cancellation_details": {"feedback": "unused"}}
    )
    assert (gone.status, gone.cancellation_details.feedback) == ("canceled", "unused")
    assert [invoice.total for invoice in grace.invoices()] == [3100, -2100]
    assert grace.v1.customers.retrieve(grace.customer).balance == -2100
    assert [one["id"] for one in grace.events("customer.subscription.deleted")] == [made.id]
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        grace.v1.subscriptions.cancel(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="can only update"):
        grace.update(made.id, description="again")
    # The credit pays the next one.
    grace.subscribe(grace.price(3000))
    last = grace.invoices()[-1]
    assert (last.total, last.amount_due, last.amount_paid, last.ending_balance) == (3000, 900, 900, 0)


def test_a_deleted_customer_has_no_subscriptions(client: stripe.StripeClient) -> None:
    grace = donor(client, START)
    made = grace.subscribe(grace.price(1000))
    client.v1.customers.delete(grace.customer)
    assert grace.look(made.id).status == "canceled"
    grace.advance(at(2027, 3, 14))


def test_a_refused_renewal_is_tried_again_and_then_the_subscription_ends(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000))
    grace.keep("pm_card_chargeCustomerFail")
    renewal = at(2027, 2, 15, 11)
    grace.advance(renewal)
    assert (grace.look(made.id).status, statuses(grace)) == ("past_due", ["paid", "open"])
    tried = []
    while grace.look(made.id).status == "past_due":
        due = grace.invoices()[1].next_payment_attempt
        assert due is not None
        tried.append((due - renewal) // DAY)
        grace.advance(due)
    assert tried == [3, 8, 15]
    ended = grace.look(made.id)
    assert ended.cancellation_details is not None
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    last = grace.invoices()[1]
    assert (last.status, last.attempt_count, last.auto_advance) == ("open", 4, False)
    assert len(grace.events("invoice.payment_failed")) == 4


@pytest.mark.parametrize(("after", "status"), [("unpaid", "unpaid"), ("past_due", "past_due")])
def test_what_becomes_of_it_after_the_last_attempt_is_a_setting(
    settings: Settings, after: Any, status: str
) -> None:
    with running(replace(settings, after_retries=after)) as sandbox:
        grace = donor(sandbox.client(), START)
        made = grace.subscribe(grace.price(1000))
        grace.keep("pm_card_chargeCustomerFail")
        grace.advance(at(2027, 3, 14))
        assert grace.look(made.id).status == status
        grace.keep()
        grace.v1.invoices.pay(grace.invoices()[-1].id)
        assert grace.look(made.id).status == "active"
        grace.advance(at(2027, 4, 14))
        assert statuses(grace) == ["paid"] * 3


def test_an_unpaid_subscription_only_makes_drafts(settings: Settings) -> None:
    with running(replace(settings, after_retries="unpaid")) as sandbox:
        grace = donor(sandbox.client(), START)
        grace.subscribe(grace.price(1000))
        grace.keep("pm_card_chargeCustomerFail")
        grace.advance(at(2027, 3, 14))
        grace.advance(at(2027, 4, 20))
        assert statuses(grace) == ["paid", "open", "draft", "draft"]


def test_another_card_ends_the_dunning(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000))
    grace.keep("pm_card_chargeCustomerFail")
    grace.advance(at(2027, 2, 15, 12))
    grace.keep()
    grace.advance(at(2027, 2, 18, 12))
    assert (grace.look(made.id).status, statuses(grace)) == ("active", ["paid", "paid"])


@pytest.mark.parametrize(
    ("behavior", "expected"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_collection_can_rest_for_a_while(grace: Donor, behavior: str, expected: str) -> None:
    made = grace.subscribe(grace.price(1000))
    rests = {"behavior": behavior, "resumes_at": at(2027, 3, 1)}
    assert grace.update(made.id, pause_collection=rests).status == "active"
    grace.advance(at(2027, 2, 20))
    assert (grace.look(made.id).status, statuses(grace)) == ("active", ["paid", expected])
    grace.advance(at(2027, 3, 15, 12))
    found = grace.look(made.id)
    assert (found.status, found.pause_collection) == ("active", None)
    assert statuses(grace) == ["paid", expected, "paid"]


def test_a_rest_can_be_ended_by_hand(grace: Donor) -> None:
    made = grace.subscribe(grace.price(1000))
    grace.update(made.id, pause_collection={"behavior": "void"})
    assert grace.update(made.id, pause_collection="").pause_collection is None
    grace.advance(at(2027, 2, 15, 12))
    assert statuses(grace) == ["paid", "paid"]


def test_a_bank_account_pays_when_its_bank_has_answered(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    grace = donor(client, START, None)
    stored = grace.v1.setup_intents.create(
        {
            "customer": grace.customer,
            "confirm": True,
            "payment_method_data": {
                "type": "sepa_debit",
                "sepa_debit": {"iban": "AT611904300234573201"},
                "billing_details": {"name": "Grace", "email": "grace@example.org"},
            },
            "mandate_data": {"customer_acceptance": {"type": "offline"}},
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    made = grace.subscribe(grace.price(1000), default_payment_method=stored.payment_method)
    assert (made.status, statuses(grace)) == ("incomplete", ["open"])
    sandbox.hook("clock", {"seconds": 3})
    assert (grace.look(made.id).status, statuses(grace)) == ("active", ["paid"])


@pytest.mark.parametrize(
    "wanted",
    [
        {"collection_method": "send_invoice", "days_until_due": 30},
        {"payment_behavior": "pending_if_incomplete"},
        {"billing_mode": {"type": "classic"}},
        {"application_fee_percent": 1.5},
        {"discounts": [{"coupon": "x"}]},
        {"cancel_at": at(2027, 6, 1)},
        {
            "trial_settings": {
                "end_behavior": {"missing_payment_method": "pause", "billing_cycle_anchor": "now"}
            }
        },
        {"trial_period_days": 3, "billing_cycle_anchor": at(2027, 2, 1)},
    ],
)
def test_what_is_not_modelled_is_never_ignored(grace: Donor, wanted: dict[str, Any]) -> None:
    with pytest.raises(stripe.APIError, match=r"does not model|models .* alone"):
        grace.subscribe(grace.price(1000), **wanted)
    assert grace.v1.subscriptions.list({"customer": grace.customer}).data == []


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"items": []}, None),
        ({"items": [{"quantity": 1}]}, "items[0][price]"),
        ({"items": [{"price": "price_none"}]}, "items[0][price]"),
        ({"customer": "cus_none"}, "customer"),
        ({"default_payment_method": "pm_none"}, "payment_method"),
        ({"trial_period_days": 731}, "trial_period_days"),
        ({"trial_end": START}, "trial_end"),
        ({"trial_end": START + DAY, "trial_period_days": 1}, None),
        ({"payment_behavior": "hope"}, "payment_behavior"),
    ],
)
def test_a_bad_subscription_is_refused_by_name(
    grace: Donor, wanted: dict[str, Any], param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        grace.subscribe(grace.price(1000), **wanted)
    assert param is None or refused.value.param == param
