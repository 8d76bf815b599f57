"""Time in any steps, and any order of what people do: the same invoices, and no cent lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.hypothesis_profiles import examples
from tests.stripe_sandbox.running import Sandbox, running, settings_in
from tests.stripe_sandbox.subscribing import DAY, HOUR, Donor, at, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

START = at(2027, 1, 31)
END = at(2027, 6, 20)
_CARDS = ["pm_card_visa", "pm_card_chargeCustomerFail"]
_STEP_MAX = 50 * DAY  # below two months, the most a clock with a monthly subscription takes
_KEPT = (
    "status",
    "total",
    "amount_paid",
    "attempt_count",
    "created",
    "period_start",
    "period_end",
    "billing_reason",
)


def history(grace: Donor) -> list[Any]:
    """All that a clock's steps must not change, without ids."""
    return [
        (
            *[getattr(invoice, name) for name in _KEPT],
            invoice.status_transitions.finalized_at,
            invoice.status_transitions.paid_at,
        )
        for invoice in grace.invoices()
    ]


def walk(grace: Donor, card: str, steps: list[int]) -> list[Any]:
    """A trial, then a card that pays or not, in steps of so many seconds and then as far as a clock goes."""
    made = grace.subscribe(grace.price(1000), trial_period_days=5)
    if card != "pm_card_visa":
        grace.keep(card)
    now = START
    for step in [*steps, *[_STEP_MAX] * 5]:
        if now < END:
            now = min(now + step, END)
            grace.advance(now)
    found = grace.look(made.id)
    return [found.status, found.ended_at, found.canceled_at, *history(grace)]


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory = tmp_path_factory.mktemp("fast")
    with running(settings_in(directory)) as sandbox:
        yield sandbox


@settings(max_examples=examples(day=4, night=40))
@given(
    card=st.sampled_from(["pm_card_visa", "pm_card_chargeCustomerFail"]),
    steps=st.lists(st.integers(1, _STEP_MAX) | st.sampled_from([1, HOUR, HOUR - 1, 3 * DAY]), max_size=12),
)
def test_time_in_any_steps_makes_the_same_invoices(fast: Sandbox, card: str, steps: list[int]) -> None:
    client = fast.client()
    expected = walk(donor(client, START), card, [])
    assert walk(donor(client, START), card, steps) == expected


class Billing(RuleBasedStateMachine):
    """One donor, one subscription, and all that may be done to them in any order."""

    sandbox: Sandbox

    @initialize(trial=st.integers(0, 10), card=st.sampled_from(_CARDS))
    def begin(self, trial: int, card: str) -> None:
        self.grace = donor(self.sandbox.client(), START)
        self.now = START
        self.prices = [self.grace.price(amount) for amount in (0, 30, 1000, 3333)]
        more = {"trial_period_days": trial} if trial else {}
        self.made = self.grace.subscribe(self.prices[2], **more).id
        self.grace.keep(card)

    def is_running(self) -> bool:
        return self.grace.look(self.made).status not in ("canceled", "incomplete_expired")

    @rule(step=st.integers(1, 40 * DAY) | st.sampled_from([HOUR, DAY, 32 * DAY]))
    def time_passes(self, step: int) -> None:
        self.now += step
        self.grace.advance(self.now)

    @precondition(is_running)
    @rule(
        price=st.integers(0, 3),
        quantity=st.integers(0, 4),
        behavior=st.sampled_from(["none", "create_prorations", "always_invoice"]),
    )
    def change(self, price: int, quantity: int, behavior: str) -> None:
        item = self.grace.look(self.made)["items"].data[0].id
        self.grace.update(
            self.made,
            items=[{"id": item, "price": self.prices[price], "quantity": quantity}],
            proration_behavior=behavior,
        )

    @rule(card=st.sampled_from(_CARDS))
    def another_card(self, card: str) -> None:
        self.grace.keep(card)

    @precondition(is_running)
    @rule(behavior=st.sampled_from(["", "void", "keep_as_draft", "mark_uncollectible"]))
    def rest(self, behavior: str) -> None:
        self.grace.update(self.made, pause_collection={"behavior": behavior} if behavior else "")

    @precondition(is_running)
    @rule(ends=st.booleans())
    def end_later(self, ends: bool) -> None:  # noqa: FBT001  # hypothesis gives arguments by name
        self.grace.update(self.made, cancel_at_period_end=ends)

    @rule(act=st.sampled_from(["void_invoice", "mark_uncollectible"]))
    def settle_an_open_one(self, act: str) -> None:
        for invoice in self.grace.invoices():
            if invoice.status == "open":
                getattr(self.grace.v1.invoices, act)(invoice.id)
                return

    @invariant()
    def every_cent_is_somewhere(self) -> None:
        balance = 0
        for invoice in self.grace.invoices():
            assert invoice.total == sum(line.amount for line in invoice.lines.data)
            assert invoice.amount_due == invoice.amount_paid + invoice.amount_remaining
            assert invoice.status in ("draft", "open", "paid", "void", "uncollectible")
            assert invoice.amount_paid == (invoice.amount_due if invoice.status == "paid" else 0)
            assert invoice.total + invoice.starting_balance == invoice.amount_due + (
                invoice.ending_balance or 0
            )
            if invoice.status not in ("draft", "void"):
                balance += (invoice.ending_balance or 0) - invoice.starting_balance
        assert self.grace.v1.customers.retrieve(self.grace.customer).balance == balance

    @invariant()
    def what_was_paid_was_charged(self) -> None:
        paid = sum(invoice.amount_paid for invoice in self.grace.invoices())
        wanted = {"customer": self.grace.customer, "limit": 100}
        charged = [
            one for one in self.grace.v1.payment_intents.list(wanted).data if one.status == "succeeded"
        ]
        assert sum(one.amount_received for one in charged) == paid

    @invariant()
    def a_period_is_invoiced_once(self) -> None:
        begun = [
            invoice.created
            for invoice in self.grace.invoices(self.made)
            if invoice.billing_reason == "subscription_cycle"
        ]
        assert len(begun) == len(set(begun))
        if self.is_running():
            item = self.grace.look(self.made)["items"].data[0]
            assert item.current_period_start <= self.now < item.current_period_end


@pytest.mark.hypothesis  # asked by night too, like every property
def test_no_cent_is_lost_whatever_is_done(tmp_path: Path) -> None:
    with running(settings_in(tmp_path)) as sandbox:
        Billing.sandbox = sandbox
        run_state_machine_as_test(
            Billing, settings=settings(max_examples=examples(day=5, night=40), stateful_step_count=12)
        )
