"""Invoice lines and their totals, in minor units, negative for credits."""

from dataclasses import dataclass
from datetime import UTC, datetime

from stripe_sandbox.currencies import MAXIMUM_AMOUNT, currency_of
from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.operations import Call


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, in seconds since the epoch."""

    start: int
    end: int


def amount_of(item: Json) -> int:
    """What one whole period of a subscription item costs."""
    return int(item["price"]["unit_amount"]) * int(item["quantity"])


def of_item(
    call: Call, item: Json, period: Period, *, amount: int | None = None, trial: bool = False
) -> Json:
    """The line of a subscription item for a period; `amount` when it is not a whole one's."""
    name = _name(call, item["price"])
    words = f"{item['quantity']} \u00d7 {name} ({_each(item['price'])})"
    if trial:
        words = f"Free trial for {item['quantity']} \u00d7 {name}"
    due = 0 if trial else amount_of(item) if amount is None else amount
    details = {
        "invoice_item": None,
        "proration": amount is not None,
        "proration_details": None,
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    parent = {"subscription_item_details": details, "type": "subscription_item_details"}
    return _line(item["price"]["currency"], due, words, period) | {
        "parent": parent | {"invoice_item_details": None},
        "pricing": pricing(item["price"]),
        "quantity": item["quantity"],
        "subscription": item["subscription"],
    }


def of_invoice_item(pending: Json) -> Json:
    """The line of an invoice item."""
    of = (pending["parent"] or {}).get("subscription_details") or {}
    shared = {
        "invoice_item": pending["id"],
        "proration": pending["proration"],
        "proration_details": None,
        "subscription": of.get("subscription"),
    }
    kind, other = "invoice_item_details", "subscription_item_details"
    if of.get("subscription_item"):
        kind, other = other, kind
        shared["subscription_item"] = of["subscription_item"]
    parent: Json = {kind: shared, other: None, "type": kind}
    period = Period(pending["period"]["start"], pending["period"]["end"])
    return _line(pending["currency"], pending["amount"], pending["description"], period) | {
        "discountable": pending["discountable"],
        "metadata": pending["metadata"],
        "parent": parent,
        "pricing": pending["pricing"],
        "quantity": pending["quantity"],
        "subscription": of.get("subscription"),
    }


def proration_words(call: Call, item: Json, at: int, *, credit: bool) -> str:
    """`Unused time on Membership after 15 Jan 2027`."""
    day = datetime.fromtimestamp(at, UTC)
    what = "Unused time on" if credit else "Remaining time on"
    times = f"{item['quantity']} \u00d7 " if item["quantity"] != 1 else ""
    return f"{what} {times}{_name(call, item['price'])} after {day.day} {day:%b %Y}"


def pricing(price: Json) -> Json:
    """What a line or an invoice item says of its price."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def priced(invoice: Json, balance: int) -> Json:
    """What an invoice comes to, and what of it is due when the customer's balance is `balance` (below 0: a credit).

    `total + starting_balance == amount_due + ending_balance`. What no card may be charged with, too little or too much,
    stays on the balance for the next invoice (https://docs.stripe.com/billing/customer/balance).
    """
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    owed = total + balance
    payable = currency_of(invoice["currency"]).minimum <= owed <= MAXIMUM_AMOUNT
    due = owed if payable else 0
    return {
        "amount_due": due,
        "amount_remaining": due - invoice["amount_paid"],
        "ending_balance": owed - due,
        "starting_balance": balance,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }


def listed(invoice_id: str, data: list[Json]) -> Json:
    """The list object within an invoice."""
    for line in data:
        line["invoice"] = invoice_id
    url = f"/v1/invoices/{invoice_id}/lines"
    return {"object": "list", "data": data, "has_more": False, "total_count": len(data), "url": url}


def _line(currency: str, amount: int, description: str | None, period: Period) -> Json:
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "period": {"end": period.end, "start": period.start},
        "pretax_credit_amounts": [],
        "subtotal": amount,
        "taxes": [],
    }


def _name(call: Call, price: Json) -> str:
    product = call.objects.find("product", price["product"])
    return str(product["name"]) if product else str(price["product"])


def _each(price: Json) -> str:
    amount = currency_of(price["currency"]).written(price["unit_amount"])
    recurring = price["recurring"]
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"every {count} {recurring['interval']}s"
    return f"at {amount} / {every}"
