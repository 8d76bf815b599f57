"""A donor on a test clock, by the Stripe SDK: against the sandbox and against Stripe."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import stripe

from tests.faults.waiting import until, within

DAY = 24 * 3600
HOUR = 3600
_READY_SECONDS_MAX = 120.0


def at(year: int, month: int, day: int, hour: int = 10) -> int:
    """Seconds since the epoch of an hour, UTC."""
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def days(*moments: int) -> list[str]:
    """`2027-02-28`, for moments in seconds since the epoch."""
    return [f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}" for moment in moments]


@dataclass(frozen=True)
class Donor:
    """A customer whose time is a test clock's."""

    client: stripe.StripeClient
    clock: str
    customer: str
    options: stripe.RequestOptions = field(default_factory=stripe.RequestOptions)

    @property
    def v1(self) -> Any:
        """The client's v1, for parameters made up at run time."""
        return self.client.v1

    def keep(self, method: str = "pm_card_visa") -> str:
        """Keep a card and pay invoices with it."""
        kept = self.v1.payment_methods.attach(method, {"customer": self.customer}, self.options).id
        self.v1.customers.update(
            self.customer, {"invoice_settings": {"default_payment_method": kept}}, self.options
        )
        return str(kept)

    def price(self, amount: int, interval: str = "month", **more: Any) -> str:
        """The id of a new recurring price in EUR."""
        wanted = {
            "unit_amount": amount,
            "currency": "eur",
            "recurring": {"interval": interval, **more},
            "product_data": {"name": "Membership"},
        }
        return str(self.v1.prices.create(wanted, self.options).id)

    def subscribe(self, price: str, **more: Any) -> stripe.Subscription:
        """A new subscription to one price."""
        wanted = {"customer": self.customer, "items": [{"price": price}]} | more
        made: stripe.Subscription = self.v1.subscriptions.create(wanted, self.options)
        return made

    def look(self, subscription: str) -> stripe.Subscription:
        """The subscription as it is now."""
        found: stripe.Subscription = self.v1.subscriptions.retrieve(subscription, {}, self.options)
        return found

    def update(self, subscription: str, **changes: Any) -> stripe.Subscription:
        """Change it."""
        changed: stripe.Subscription = self.v1.subscriptions.update(subscription, changes, self.options)
        return changed

    def invoices(self, subscription: str | None = None) -> list[stripe.Invoice]:
        """Oldest first."""
        wanted = {"customer": self.customer, "limit": 100} | (
            {"subscription": subscription} if subscription else {}
        )
        found: list[stripe.Invoice] = self.v1.invoices.list(wanted, self.options).data
        return found[::-1]

    def advance(self, moment: int) -> None:
        """Put the clock forward and wait until it is there: at once in the sandbox, some seconds at Stripe."""
        self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": moment}, self.options)
        clocks = self.v1.test_helpers.test_clocks
        is_there = lambda: clocks.retrieve(self.clock, {}, self.options).status == "ready"  # noqa: E731 -- it is asked again
        until(is_there, otherwise="the clock did not arrive", seconds=_READY_SECONDS_MAX)

    def awaited(self, subscription: str, status: str) -> str:
        """How a subscription stands, once it stands so: Stripe tells subscriptions of payments a moment later."""
        within(_READY_SECONDS_MAX, lambda: self.look(subscription).status == status)
        return str(self.look(subscription).status)

    def events(self, kind: str) -> list[Any]:
        """What was told of this donor under this type, oldest first."""
        found = self.v1.events.list({"type": kind, "limit": 100}, self.options).data
        told = [event.data.object for event in reversed(found)]
        return [one for one in told if one["customer"] == self.customer]


def donor(
    client: stripe.StripeClient, since: int, method: str | None = "pm_card_visa", account: str | None = None
) -> Donor:
    """A new customer on a new clock that stands at `since`, with a card."""
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": since, "name": "tests"}, options)
    made = client.v1.customers.create({"name": "Grace", "test_clock": clock.id}, options)
    grace = Donor(client, clock.id, made.id, options)
    if method is not None:
        grace.keep(method)
    return grace
