"""Advances subscriptions in time: new periods, ends of trials, test clocks."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from stripe_sandbox.billing import (
    agenda,
    clocks,
    collection,
    ending,
    invoicing,
    lines,
    periods,
    prorations,
    standing,
)
from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.errors import Json
from stripe_sandbox.operations import Call

_DAY_SECONDS = 24 * 3600
WARNED_SECONDS = 3 * _DAY_SECONDS
"""`trial_will_end` comes three days before (https://docs.stripe.com/billing/subscriptions/trials)."""
TOLD_SECONDS = 7 * _DAY_SECONDS
"""`invoice.upcoming` comes seven days before, as the dashboard has it at first."""
_RENEWED = frozenset({"active", "past_due", "unpaid"})


def schedule(call: Call, subscription: Json) -> None:
    """Put what comes next on the agenda. What was there before finds that it is no longer wanted."""
    at = now_of(call, subscription)
    end = subscription["items"]["data"][0]["current_period_end"]
    if subscription["status"] == "trialing":
        agenda.put(call, "end_trial", subscription, end)
        if end - WARNED_SECONDS > at:
            agenda.put(call, "warn_of_trial_end", subscription, end - WARNED_SECONDS)
        else:
            call.emit("customer.subscription.trial_will_end", subscription)
        return
    agenda.put(call, "renew", subscription, end)
    if end - TOLD_SECONDS > at:
        agenda.put(call, "tell_upcoming", subscription, end - TOLD_SECONDS)


def renew(call: Call, subscription_id: str) -> None:
    """A period is over: the next one begins, or the subscription ends as was asked for."""
    subscription = _wanted(call, subscription_id)
    if subscription is None or subscription["status"] not in _RENEWED:
        return
    if subscription["cancel_at_period_end"]:
        _end_at_period_end(call, subscription)
    else:
        treat(call, subscription, open_period(call, subscription, reason="subscription_cycle"))


def end_trial(call: Call, subscription_id: str) -> None:
    """A trial is over: the first period to be paid begins, unless there is nothing to pay it with."""
    subscription = _wanted(call, subscription_id)
    if subscription is None or subscription["status"] != "trialing":
        return
    if subscription["cancel_at_period_end"]:
        _end_at_period_end(call, subscription)
        return
    without = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if without != "create_invoice" and not has_payment_method(call, subscription):
        _end_without_payment(call, subscription, without)
        return
    invoice = open_period(call, subscription, reason="subscription_cycle", becomes="active")
    treat(call, subscription, invoice)


def open_period(
    call: Call, subscription: Json, *, reason: str, becomes: str | None = None, at_once: bool = False
) -> Json:
    """The period that begins now, with a draft for it. `becomes`: the status, when it changes too.

    `at_once`: whoever asks makes the draft final; else it has an hour, or waits as a pause of collection says.
    """
    at = now_of(call, subscription)
    items = deepcopy(subscription["items"]["data"])
    before = lines.Period(items[0]["current_period_start"], at)
    end = periods.first_after(subscription["billing_cycle_anchor"], items[0]["price"]["recurring"], at)
    data = []
    for item in items:
        item |= {"current_period_start": at, "current_period_end": end}
        data.append(lines.of_item(call, item, lines.Period(at, end)))
        prorations.debited(call, item["id"], lines.amount_of(item), start=at, end=end)
    wanted = wanted_invoice(call, subscription, reason, before, data)
    pause = subscription["pause_collection"]
    waits = subscription["status"] == "unpaid" or (pause or {}).get("behavior") == "keep_as_draft"
    by_itself = not (at_once or waits or pause)
    invoice = invoicing.draft(call, replace(wanted, auto_advance=not waits, finalizes_itself=by_itself))
    changed: Json = {"items": subscription["items"] | {"data": items}, "latest_invoice": invoice["id"]}
    standing.change(call, subscription, changed | ({"status": becomes} if becomes else {}))
    schedule(call, subscription)
    return invoice


def treat(call: Call, subscription: Json, invoice: Json) -> None:
    """What a pause of collection does to a new draft that it does not keep."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "void":
        standing.follow(call, invoicing.mark_void(call, invoicing.finalize(call, invoice)))
    elif behavior == "mark_uncollectible":
        standing.follow(call, invoicing.mark_uncollectible(call, invoicing.finalize(call, invoice)))


def has_payment_method(call: Call, subscription: Json) -> bool:
    """Whether there is something to pay with."""
    customer = call.objects.get("customer", subscription["customer"])
    return bool(
        subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    )


def warn_of_trial_end(call: Call, subscription_id: str) -> None:
    """Three days before; of a shorter trial it was told at once."""
    subscription = call.objects.find(standing.KIND, subscription_id)
    if subscription is None or subscription["status"] != "trialing":
        return
    if now_of(call, subscription) == subscription["trial_end"] - WARNED_SECONDS:
        call.emit("customer.subscription.trial_will_end", subscription)


def advance(call: Call, clock_id: str) -> None:
    """Everything that is due by the time a test clock is to stand at, in the order it falls due."""
    clock = call.objects.find(clocks.KIND, clock_id)
    if clock is None or clock["status"] != "advancing":
        return
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    while (row := agenda.take(call.objects.connection, call.objects.account, clock_id, target)) is not None:
        clocks.set_to(call, {"test_clock": clock_id}, max(row.due, clock["frozen_time"]))
        WORK[row.work](call, row.subject)
    clock |= {"frozen_time": target, "status": "ready", "status_details": {}}
    call.objects.save(clock)
    call.emit(f"{clocks.KIND}.ready", clock)


def _tell_upcoming(call: Call, subscription_id: str) -> None:
    """The invoice to come, for those who want to add to it."""
    subscription = call.objects.find(standing.KIND, subscription_id)
    if subscription is None or subscription["status"] not in _RENEWED:
        return
    end = subscription["items"]["data"][0]["current_period_end"]
    stands_still = subscription["cancel_at_period_end"] or subscription["pause_collection"]
    if not stands_still and now_of(call, subscription) == end - TOLD_SECONDS:
        call.emit(
            "invoice.upcoming", invoicing.previewed(call, lambda call: renewal(call, deepcopy(subscription)))
        )


def renewal(call: Call, subscription: Json) -> Json:
    """The draft that the next renewal will make, made now: for a preview, which undoes it."""
    later = clocks.set_to(call, subscription, subscription["items"]["data"][0]["current_period_end"])
    becomes = "active" if subscription["status"] == "trialing" else None
    return open_period(later, subscription, reason="subscription_cycle", becomes=becomes)


def _wanted(call: Call, subscription_id: str) -> Json | None:
    """The subscription, if its period ends now: work from before a change finds another time there."""
    subscription = call.objects.find(standing.KIND, subscription_id)
    if subscription is None:
        return None
    end = subscription["items"]["data"][0]["current_period_end"]
    return subscription if end == now_of(call, subscription) else None


def wanted_invoice(
    call: Call, subscription: Json, reason: str, period: lines.Period, data: list[Json]
) -> invoicing.InvoiceDraft:
    """A draft for a subscription."""
    return invoicing.InvoiceDraft(
        customer=call.objects.get("customer", subscription["customer"]),
        currency=subscription["currency"],
        reason=reason,
        period=period,
        data=data,
        subscription=subscription,
        description=subscription["description"],
    )


def _end_at_period_end(call: Call, subscription: Json) -> None:
    """What changes during the period left to be paid is on a last invoice."""
    items = subscription["items"]["data"]
    period = lines.Period(items[0]["current_period_start"], items[0]["current_period_end"])
    ending.end(call, subscription, reason="cancellation_requested")
    wanted = wanted_invoice(call, subscription, "subscription_cycle", period, [])
    if invoicing.pending_items(call, wanted):
        invoice = invoicing.draft(call, replace(wanted, finalizes_itself=True))
        standing.change(call, subscription, {"latest_invoice": invoice["id"]})


def _end_without_payment(call: Call, subscription: Json, behavior: str) -> None:
    if behavior == "cancel":
        ending.end(call, subscription, reason="payment_failed")
        return
    paused = {
        "subscription": {"type": "trial_end_without_payment_method"},
        "transitioned_at": now_of(call, subscription),
        "type": "subscription",
    }
    standing.change(call, subscription, {"status": "paused", "status_details": {"paused": paused}}, "paused")


WORK: dict[agenda.Work, Callable[[Call, str], None]] = {
    "renew": renew,
    "end_trial": end_trial,
    "warn_of_trial_end": warn_of_trial_end,
    "tell_upcoming": _tell_upcoming,
    "expire": ending.expire,
    "finalize": collection.finalize_when_due,
    "retry": collection.retry,
    "resume_collection": ending.resume_collection,
}
