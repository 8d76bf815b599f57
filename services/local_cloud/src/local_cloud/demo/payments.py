"""Demonstrates every movement of money, each with its entries in the public ledger."""

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

import httpx2

from local_cloud import stripe
from local_cloud.cloud import Cloud
from local_cloud.console import Steps
from local_cloud.credentials import write_privately
from local_cloud.demo import organization
from local_cloud.demo.books import Entry, PublicBooks, amount
from local_cloud.demo.donor import TEST_CARD, Donation, Donor
from local_cloud.demo.staff import WORKER, Staff
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

GIFT_MINOR: Final = 2500
REFUND: Final = "5.00"
CURRENCY: Final = "EUR"

_DISPUTED_CARD: Final = "pm_card_createDispute"
_GIFT: Final = ("donation.succeeded", "processor.fee")
_PLAN_SECONDS_MAX: Final = 90.0
"""The worker looks every half minute."""

_WINS: Final = "winning_evidence"
"""Words that convince the sandbox's bank, as they do Stripe's in test mode."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A demonstrated movement of money: the processor's object, and its entries in the public log."""

    id: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class PaymentsResult:
    """The last line of output, as JSON: flows by name, and seconds by step."""

    flows: dict[str, Flow] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        return json.dumps(
            {name: asdict(flow) for name, flow in self.flows.items()} | {"seconds": self.seconds}
        )


def walk(settings: Settings, steps: Steps, *, now: datetime) -> PaymentsResult:
    """Take gifts, give back, be disputed, be paid out; the result is also written to `payments.json`.

    Raises:
        LocalCloudError: A step did not go as it must, or the processor is Stripe itself, whose banks nobody hurries.
    """
    if stripe.brought_account(os.environ):
        raise LocalCloudError(
            "Disputes and payouts take days at Stripe: unset STRIPE_SECRET_KEY and type 'make local' to use the sandbox."
        )
    cloud = Cloud(settings)
    with steps.step("organization", "organisation exists and is onboarded") as told:
        receiver = organization.ensure(cloud)
        told.result = f"{receiver.id}, {receiver.stripe_account}"
    walked = _Walk(settings, steps, cloud=cloud, receiver=receiver, now=now)
    result = PaymentsResult(
        flows={
            "one_off": walked.one_off(),
            "monthly": walked.monthly(),
            "refund": walked.refund(),
            "dispute": walked.dispute(),
            "payout": walked.payout(),
        },
        seconds=dict(steps.seconds),
    )
    write_privately(settings.state / "payments.json", f"{result.line()}\n")
    return result


class _Walk:
    """The flows; each waits until the public ledger shows its entries."""

    def __init__(
        self,
        settings: Settings,
        steps: Steps,
        *,
        cloud: Cloud,
        receiver: organization.Organization,
        now: datetime,
    ) -> None:
        self._settings = settings
        self._steps = steps
        self._staff, self._in_the_workers_place = Staff(cloud), Staff(cloud, task=WORKER)
        self._receiver = receiver
        self._donor = Donor(settings, email=f"ada+{now:%H%M%S}-payments@example.org")
        self._books = PublicBooks(settings, organization_id=receiver.id)

    def one_off(self) -> Flow:
        donation = self._give("one_off", "a gift, once")
        return self._shown("one_off", donation.id, _GIFT)

    def monthly(self) -> Flow:
        """The first gift of a plan; the others come as the calendar has them."""
        with self._steps.step("monthly", "a gift that comes again every month") as told:
            plan_id, donation = self._donor.give_monthly(
                self._receiver.id, amount_minor=GIFT_MINOR, currency=CURRENCY
            )
            told.result = f"{plan_id}, {self._donor.pay(donation)}"
        shown = self._shown("monthly", plan_id, _GIFT)
        with self._steps.step("plan", "the next one is due") as told:
            told.result = until(
                lambda: self._next_due(plan_id),
                seconds=_PLAN_SECONDS_MAX,
                otherwise=f"The plan {plan_id} did not begin; 'make logs PART=worker' says more.",
            )
        return shown

    def _next_due(self, plan_id: str) -> str | None:
        plans = self._staff.type(
            "recurring", "list", "--organization", self._receiver.id, "--status", "active"
        )
        return next((str(each["next_due_at"]) for each in plans if each["id"] == plan_id), None)

    def refund(self) -> Flow:
        donation = self._give("refunded", "another, of which some is given back")
        self._shown("refunded", donation.id, _GIFT)
        with self._steps.step("refund", f"staff refunds {REFUND} {CURRENCY}") as told:
            done = self._in_the_workers_place.type(
                *("donation", "refund", donation.id, "--amount", REFUND, "--reason", "requested_by_donor")
            )[-1]
            told.result = f"{done['id']}, {done['status']}"
        return self._shown("refund", done["id"], ("refund.initiated", "donation.refunded"))

    def dispute(self) -> Flow:
        donation = self._give("disputed", "a third, which the donor's bank wants back", card=_DISPUTED_CARD)
        opened = self._shown("disputed", donation.id, ("donation.succeeded", "dispute.opened", "dispute.fee"))
        with self._steps.step("dispute", "staff answers the bank") as told:
            words = self._settings.state / "statement.txt"
            write_privately(words, _WINS)
            newest = max(self._staff.type("disputes", "list"), key=lambda each: str(each["created_at"]))
            dispute_id = str(newest["id"])
            done = self._in_the_workers_place.type(
                *("disputes", "answer", dispute_id, "--statement", str(words), "--submit")
            )[-1]
            told.result = f"{dispute_id}, {done['status']}"
        decided = self._shown("dispute", dispute_id, ("dispute.won",))
        return Flow(id=dispute_id, entries=(*opened.entries, *decided.entries))

    def payout(self) -> Flow:
        with self._steps.step("payout", "the processor pays out what it holds") as told:
            answer = httpx2.post(
                f"{self._settings.stripe_url}/_sandbox/accounts/{self._receiver.stripe_account}/payout",
                json={"include_pending": True, "paid": True},
                timeout=30.0,
            )
            answer.raise_for_status()
            payout_id = str(answer.json()["id"])
            told.result = f"{payout_id}, {amount(answer.json()['amount'])} {CURRENCY}"
        shown = self._shown("payout", payout_id, ("payout.created", "payout.paid"))
        with self._steps.step("reconciled", "books, payout and processor agree") as told:
            statement = self._books.wait_for_statement(payout_id)
            told.result = f"{amount(statement['total'])} {CURRENCY}"
        for each in statement["sums"]:
            self._steps.say(f"    {each['items']:>6} x {each['item']:<22} {amount(each['amount']):>12}")
        if statement["total"] != statement["payout"]["amount"]:
            raise LocalCloudError(f"The items of {payout_id} do not come to its amount.")
        return shown

    def _give(self, name: str, words: str, *, card: str = TEST_CARD) -> Donation:
        with self._steps.step(name, words) as told:
            donation = self._donor.give(self._receiver.id, amount_minor=GIFT_MINOR, currency=CURRENCY)
            told.result = f"{donation.id}, {self._donor.pay(donation, card=card)}"
        return donation

    def _shown(self, name: str, made: str, kinds: Collection[str]) -> Flow:
        with self._steps.step(f"{name}_books", "its entries are public"):
            entries = self._books.wait_for(kinds)
        for entry in entries:
            first, *others = entry.transfers
            self._steps.say(f"    {entry.index:>6} {entry.kind:<22} {first}")
            for other in others:
                self._steps.say(f"    {'':6} {'':22} {other}")
        return Flow(id=made, entries=entries)
