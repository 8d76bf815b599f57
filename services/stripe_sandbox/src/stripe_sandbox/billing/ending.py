"""Ends subscriptions: on request, at the end of a period, or after unpaid invoices."""

from stripe_sandbox.billing import agenda, invoicing, standing
from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.errors import Json
from stripe_sandbox.operations import Call

EXPIRES_SECONDS = 23 * 3600
"""https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses"""


def end(call: Call, subscription: Json, *, reason: str, details: Json | None = None) -> Json:
    """No more invoices, and no more attempts at those that are open. The first, unpaid, is void."""
    at = now_of(call, subscription)
    was_incomplete = subscription["status"] == "incomplete"
    words = subscription["cancellation_details"] | (details or {}) | {"reason": reason}
    standing.change(
        call,
        subscription,
        {
            "canceled_at": subscription["canceled_at"] or at,
            "cancellation_details": words,
            "ended_at": at,
            "pause_collection": None,
            "status": "canceled",
        },
        "deleted",
    )
    for invoice in invoices_of(call, subscription):
        if invoice["status"] == "open" and was_incomplete:
            invoicing.mark_void(call, invoice)
        elif invoice["status"] in ("draft", "open") and invoice["auto_advance"]:
            stopped = {"auto_advance": False, "next_payment_attempt": None}
            invoicing.save(call, invoice | stopped | {"automatically_finalizes_at": None}, "invoice.updated")
    return subscription


def invoices_of(call: Call, subscription: Json) -> list[Json]:
    """A subscription's invoices, newest first."""
    return call.objects.where(
        invoicing.KIND, {"parent.subscription_details.subscription": subscription["id"]}
    )


def forget_customer(call: Call, customer_id: str) -> None:
    """A deleted customer has no subscriptions. A test clock's customer is forgotten with its clock's time."""
    for subscription in call.objects.where(standing.KIND, {"customer": customer_id}):
        if subscription["status"] not in standing.ENDED:
            end(call, subscription, reason="cancellation_requested")


def expire(call: Call, subscription_id: str) -> None:
    """The invoice a subscription was to begin, or go on, with was not paid within 23 hours."""
    subscription = call.objects.find(standing.KIND, subscription_id)
    if subscription is None or subscription["status"] not in ("incomplete", "paused"):
        return
    invoice = call.objects.find(invoicing.KIND, subscription["latest_invoice"] or "")
    if invoice is None or invoice["status"] != "open":
        return
    if invoice["created"] + EXPIRES_SECONDS == now_of(call, subscription):
        standing.follow(call, invoicing.mark_void(call, invoice))


def resume_collection(call: Call, subscription_id: str) -> None:
    """A pause of collection is over."""
    subscription = call.objects.find(standing.KIND, subscription_id)
    pause = subscription and subscription["pause_collection"]
    if subscription and pause and pause["resumes_at"] == now_of(call, subscription):
        standing.change(call, subscription, {"pause_collection": None})


def pause_until(call: Call, subscription: Json, pause: Json) -> Json:
    """The pause as it is kept; it ends by itself when it says when."""
    resumes_at = pause.get("resumes_at")
    if resumes_at is not None:
        agenda.put(call, "resume_collection", subscription, resumes_at)
    return {"behavior": pause["behavior"], "resumes_at": resumes_at}
