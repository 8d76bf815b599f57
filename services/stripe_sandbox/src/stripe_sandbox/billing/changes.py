"""Changes of a subscription: prices, quantities, cancellation, pause
(https://docs.stripe.com/billing/subscriptions/change-price).

What a change costs or gives back is an invoice item that waits for the next invoice, or is invoiced at once. A new
interval, a new anchor and the step from nothing to something begin a period now.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from stripe_sandbox.billing import (
    collection,
    cycle,
    ending,
    invoicing,
    items,
    lines,
    periods,
    prorations,
    standing,
    starting,
)
from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call
from stripe_sandbox.parameters import refuse_unmodelled
from stripe_sandbox.resources import customers, invoice_items

_FREE = frozenset({"trialing", "paused"})


@dataclass(frozen=True, kw_only=True)
class Proration:
    """Proration settings: from when (seconds since the epoch), and whether to invoice at once."""

    at: int
    charges: bool
    at_once: bool


def apply(call: Call, subscription: Json, params: Json) -> Json | None:
    """Change it. Returns the draft that is due at once, if there is one.

    Raises ParameterError, InvalidRequestError, NotModelledError.
    """
    given = params.get("items")
    if subscription["status"] == "incomplete" and (given or "trial_end" in params):
        raise InvalidRequestError(
            "This subscription cannot be changed in such a way that it could result in a different first invoice: "
            "its first payment has not been made."
        )
    changed = _described(call, subscription, params)
    if changed:
        standing.change(call, subscription, changed)
    draft = _items(call, subscription, given, params)
    return _trial(call, subscription, params["trial_end"]) if "trial_end" in params else draft


def cancel(call: Call, subscription: Json) -> Json:
    """End it now. With `prorate` the rest of the period is given back, with `invoice_now` all that waits is invoiced."""
    at, params = now_of(call, subscription), call.params
    customer = call.objects.get("customer", subscription["customer"])
    if params.get("prorate"):
        for item in subscription["items"]["data"]:
            _credit(call, customer, item, at)
    if not params.get("prorate") and not params.get("invoice_now"):
        _forget_prorations(call, subscription)
    given = params.get("cancellation_details", {})
    details = {name: given[name] or None for name in ("comment", "feedback") if name in given}
    refuse_unmodelled(given, "comment feedback", "cancellation_details")
    ending.end(call, subscription, reason="cancellation_requested", details=details)
    draft = _waiting(call, subscription) if params.get("invoice_now") else None
    if draft is not None:
        collection.collect(call, draft)
    return call.objects.get(standing.KIND, subscription["id"])


def resume(call: Call, subscription: Json) -> Json:
    """A paused subscription goes on, with a period that begins now, once its invoice is paid."""
    if subscription["status"] != "paused":
        raise InvalidRequestError("This subscription cannot be resumed because it is not paused.")
    if call.params.get("billing_cycle_anchor", {"type": "now"})["type"] != "now":
        raise NotModelledError(
            "This sandbox models billing_cycle_anchor now alone.", param="billing_cycle_anchor"
        )
    at = now_of(call, subscription)
    standing.change(call, subscription, {"billing_cycle_anchor": at})
    draft = cycle.open_period(call, subscription, reason="subscription_update", at_once=True)
    starting.expire_unless_paid(call, subscription)
    starting.pay(call, draft, call.params.get("payment_behavior", "allow_incomplete"))
    return call.objects.get(standing.KIND, subscription["id"])


def _described(call: Call, subscription: Json, params: Json) -> Json:
    """What changes without a bill."""
    changed: Json = {}
    if "description" in params:
        changed["description"] = params["description"] or None
    if "metadata" in params:
        check_metadata(params["metadata"])
        changed["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "default_payment_method" in params:
        customer = customers.get(call, subscription["customer"])
        changed["default_payment_method"] = customers.own_payment_method(
            call, customer, params["default_payment_method"]
        )
    if "payment_settings" in params:
        changed["payment_settings"] = subscription["payment_settings"] | starting.payment_settings(
            params["payment_settings"]
        )
    if "trial_settings" in params:
        changed["trial_settings"] = starting.trial_settings(params["trial_settings"])
    if "pause_collection" in params:
        pause = params["pause_collection"]
        changed["pause_collection"] = ending.pause_until(call, subscription, pause) if pause else None
    return changed | _end_asked_for(call, subscription, params)


def _end_asked_for(call: Call, subscription: Json, params: Json) -> Json:
    changed: Json = {}
    details: Json = params.get("cancellation_details", {})
    refuse_unmodelled(details, "comment feedback", "cancellation_details")
    words = subscription["cancellation_details"] | {name: value or None for name, value in details.items()}
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"]
        end = subscription["items"]["data"][0]["current_period_end"]
        words["reason"] = "cancellation_requested" if ends else None
        changed |= {
            "cancel_at": end if ends else None,
            "cancel_at_period_end": ends,
            "canceled_at": now_of(call, subscription) if ends else None,
        }
    return changed | (
        {"cancellation_details": words} if words != subscription["cancellation_details"] else {}
    )


def _items(call: Call, subscription: Json, given: list[Json] | None, params: Json) -> Json | None:
    anchor_now = params.get("billing_cycle_anchor", {}).get("type") == "now"
    if given is None and not anchor_now:
        return None
    at, before = now_of(call, subscription), subscription["items"]["data"]
    period = lines.Period(before[0]["current_period_start"], before[0]["current_period_end"])
    of = items.Of(subscription=subscription["id"], at=at, period=period)
    after = items.changed(call, before, given or [], of)
    if after[0]["price"]["currency"] != subscription["currency"]:
        raise InvalidRequestError("The currency of a subscription cannot be changed.", param="items")
    changed: Json = {"items": subscription["items"] | {"data": after, "total_count": len(after)}}
    if subscription["status"] in _FREE and anchor_now:
        raise NotModelledError(
            "This sandbox does not model an anchor that is set while nothing is billed.",
            param="billing_cycle_anchor",
        )
    if subscription["status"] in _FREE:
        standing.change(call, subscription, changed)
        return None
    restarts = anchor_now or _restarts(before, after)
    proration = _proration(params, period, at)
    if proration.charges:
        _prorate(call, subscription, (before, after), proration, restarts=restarts)
    if restarts:
        standing.change(call, subscription, changed | {"billing_cycle_anchor": at})
        return cycle.open_period(call, subscription, reason="subscription_update", at_once=True)
    standing.change(call, subscription, changed)
    return _waiting(call, subscription) if proration.at_once else None


def _trial(call: Call, subscription: Json, end: Any) -> Json | None:
    at = now_of(call, subscription)
    if subscription["status"] != "trialing":
        if end == "now":
            return None
        raise NotModelledError(
            "This sandbox does not model a trial that is added to a subscription.", param="trial_end"
        )
    until = starting.trial_end_of({"trial_end": end}, at)
    if until is None:
        standing.change(call, subscription, {"billing_cycle_anchor": at, "trial_end": at})
        return cycle.open_period(
            call, subscription, reason="subscription_update", becomes="active", at_once=True
        )
    data = deepcopy(subscription["items"]["data"])
    for item in data:
        item["current_period_end"] = until
    changed = {"billing_cycle_anchor": until, "items": subscription["items"] | {"data": data}}
    standing.change(call, subscription, changed | {"trial_end": until})
    cycle.schedule(call, subscription)
    return None


def _restarts(before: list[Json], after: list[Json]) -> bool:
    """Whether the change begins a new period: another interval, or something where there was nothing to pay."""

    def interval(data: list[Json]) -> tuple[str, int]:
        recurring = data[0]["price"]["recurring"]
        return recurring["interval"], recurring["interval_count"]

    was, will_be = (sum(map(lines.amount_of, data)) for data in (before, after))
    return interval(before) != interval(after) or (was == 0 < will_be)


def _proration(params: Json, period: lines.Period, at: int) -> Proration:
    behavior = params.get("proration_behavior", "create_prorations")
    since = params.get("proration_date", at)
    if not period.start <= since <= period.end:
        raise ParameterError(
            "Invalid proration_date: it must be within the current billing period.", param="proration_date"
        )
    return Proration(at=since, charges=behavior != "none", at_once=behavior == "always_invoice")


def _prorate(
    call: Call,
    subscription: Json,
    change: tuple[list[Json], list[Json]],
    proration: Proration,
    *,
    restarts: bool,
) -> None:
    before, after = ({item["id"]: item for item in data} for data in change)
    customer = call.objects.get("customer", subscription["customer"])
    for item_id in [*before, *(added for added in after if added not in before)]:
        old, new = before.get(item_id), after.get(item_id)
        if not restarts and old and new and _cost(old) == _cost(new):
            continue
        if old is not None:
            _credit(call, customer, old, proration.at)
        if new is not None and not restarts:
            _debit(call, customer, subscription["billing_cycle_anchor"], new, proration.at)


def _cost(item: Json) -> tuple[str, int]:
    return item["price"]["id"], item["quantity"]


def _credit(call: Call, customer: Json, item: Json, at: int) -> None:
    """Give back what was debited for the time that is left."""
    amount = prorations.unused(call, item["id"], at)
    if amount:
        words = lines.proration_words(call, item, at, credit=True)
        invoice_items.add_proration(call, customer, item, -amount, words, since=at)
        prorations.debited(call, item["id"], 0, start=at, end=item["current_period_end"])


def _debit(call: Call, customer: Json, anchor: int, item: Json, at: int) -> None:
    """Charge for the time that is left."""
    end = item["current_period_end"]
    whole = end - periods.whole_before(anchor, item["price"]["recurring"], end)
    amount = prorations.share(lines.amount_of(item), end - at, whole)
    if end > at:
        words = lines.proration_words(call, item, at, credit=False)
        invoice_items.add_proration(call, customer, item, amount, words, since=at)
        prorations.debited(call, item["id"], amount, start=at, end=end)


def _waiting(call: Call, subscription: Json) -> Json | None:
    """A draft over all that waits, or None when nothing does."""
    data = subscription["items"]["data"]
    period = lines.Period(data[0]["current_period_start"], now_of(call, subscription))
    wanted = cycle.wanted_invoice(call, subscription, "subscription_update", period, [])
    if not invoicing.pending_items(call, wanted):
        return None
    draft = invoicing.draft(call, wanted)
    standing.change(call, subscription, {"latest_invoice": draft["id"]})
    return draft


def _forget_prorations(call: Call, subscription: Json) -> None:
    wanted = cycle.wanted_invoice(call, subscription, "subscription_update", lines.Period(0, 0), [])
    for item in invoicing.pending_items(call, wanted):
        if item["proration"]:
            invoice_items.remove(call, item)
