"""A subscription's status, derived from its invoices (https://docs.stripe.com/billing/subscriptions/overview).

| from | to | because |
|---|---|---|
| incomplete | active | its first invoice is paid |
| incomplete | incomplete_expired | it was not within 23 hours, or is void |
| active | past_due | a payment is refused, or waits for the customer |
| past_due, unpaid | active | its latest invoice is paid, void or uncollectible |
| past_due | canceled, unpaid or past_due | after the last attempt, as `STRIPE_SANDBOX_AFTER_RETRIES` says |
| paused | active | the invoice made by resuming it is paid |
"""

from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.billing.invoicing import subscription_of
from stripe_sandbox.errors import Json
from stripe_sandbox.operations import Call

KIND = "subscription"
ENDED = frozenset({"canceled", "incomplete_expired"})
_LATE = frozenset({"past_due", "unpaid"})


def change(call: Call, subscription: Json, changed: Json, event: str = "updated") -> Json:
    """Store new values and tell which were there before."""
    previous = {name: subscription[name] for name in changed if subscription[name] != changed[name]}
    subscription |= changed
    call.objects.save(subscription)
    call.emit(
        f"customer.subscription.{event}", subscription, previous=previous if event == "updated" else None
    )
    return subscription


def follow(call: Call, invoice: Json) -> None:
    """What a change of an invoice makes of its subscription, if it is the latest one's."""
    subscription = owner(call, invoice)
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    is_settled = invoice["status"] in ("paid", "void", "uncollectible")
    match subscription["status"]:
        case "incomplete" if invoice["status"] == "paid":
            change(call, subscription, {"status": "active"} | _kept_method(call, subscription, invoice))
        case "incomplete" if invoice["status"] == "void":
            change(
                call, subscription, {"status": "incomplete_expired", "ended_at": now_of(call, subscription)}
            )
        case "paused" if invoice["status"] == "paid":
            change(call, subscription, {"status": "active", "status_details": None}, "resumed")
        case status if status in _LATE and is_settled:
            change(call, subscription, {"status": "active"})
        case _:
            return


def fall_behind(call: Call, invoice: Json) -> None:
    """A payment is owed that did not come."""
    subscription = owner(call, invoice)
    if subscription is not None and subscription["status"] == "active":
        change(call, subscription, {"status": "past_due"})


def owner(call: Call, invoice: Json) -> Json | None:
    """The subscription of an invoice, or None."""
    subscription_id = subscription_of(invoice)
    return None if subscription_id is None else call.objects.find(KIND, subscription_id)


def payment_method(call: Call, invoice: Json) -> str | None:
    """What an invoice is paid with when nothing else is said: its own, the subscription's, the customer's."""
    subscription = owner(call, invoice)
    customer = call.objects.get("customer", invoice["customer"])
    default: str | None = (
        invoice["default_payment_method"]
        or (subscription and subscription["default_payment_method"])
        or customer["invoice_settings"]["default_payment_method"]
    )
    return default


def _kept_method(call: Call, subscription: Json, invoice: Json) -> Json:
    """With `save_default_payment_method`, what paid the first invoice pays the others."""
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return {}
    found = call.objects.where("invoice_payment", {"invoice": invoice["id"], "status": "paid"})
    if not found:
        return {}
    intent = call.objects.get("payment_intent", found[0]["payment"]["payment_intent"])
    return {"default_payment_method": intent["payment_method"]}
