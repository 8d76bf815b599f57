"""Collects invoices: on finalisation, by retries after a decline, and on request.

Attempts by themselves: when the invoice is final, then 3, 5 and 7 days after the last one. A subscription's first invoice
is tried once: its customer is there. Source: https://docs.stripe.com/billing/revenue-recovery (the days are ours).
"""

from dataclasses import replace

from stripe_sandbox import schedule
from stripe_sandbox.billing import agenda, ending, invoicing, standing
from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.errors import Json, StripeError
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import confirmation, invoice_payments

_DAY_SECONDS = 24 * 3600
RETRY_DAYS = (3, 5, 7)
_PAYABLE = frozenset({"open", "uncollectible"})


def collect(call: Call, invoice: Json, *, tries: bool = True) -> Json:
    """Make a draft final, and pay it with what its customer pays with. `tries`: False leaves that to the customer."""
    invoice = invoicing.finalize(call, invoice)
    if not invoice["amount_due"]:
        return settle(call, invoice)
    if tries:
        attempt(call, invoice, standing.payment_method(call, invoice))
        return call.objects.get(invoicing.KIND, invoice["id"])
    return invoice


def settle(call: Call, invoice: Json, *, out_of_band: bool = False) -> Json:
    """It is paid, and its subscription hears of it."""
    invoice = invoicing.mark_paid(call, invoice, out_of_band=out_of_band)
    standing.follow(call, invoice)
    return invoice


def attempt(
    call: Call,
    invoice: Json,
    method: str | None,
    *,
    off_session: bool = False,
    by_itself: bool = True,
) -> StripeError | None:
    """Try to pay a final invoice, and let it know. Returns why that was not possible, or None."""
    payment = invoice_payments.of_invoice(call, invoice["id"])
    if payment is None:
        raise AssertionError(f"{invoice['id']} is due and has no payment")
    intent_id = payment["payment"]["payment_intent"]
    refused: StripeError | None = None
    if method is not None:
        asked: Json = {"payment_method": method} | ({"off_session": True} if off_session else {})
        try:
            intent = call.objects.get("payment_intent", intent_id)
            confirmation.confirm(replace(call, params=asked), intent)
        except StripeError as error:
            refused = error
        schedule.drop(call, "follow_payment", intent_id)
    _hear(call, invoice, call.objects.get("payment_intent", intent_id), by_itself=by_itself)
    return refused


def follow_payment(call: Call, intent_id: str) -> None:
    """The customer, or a bank, has done something about a PaymentIntent that pays an invoice."""
    payment = invoice_payments.of_intent(call, intent_id)
    invoice = payment and call.objects.find(invoicing.KIND, payment["invoice"])
    if invoice and invoice["status"] in _PAYABLE:
        _hear(call, invoice, call.objects.get("payment_intent", intent_id), by_itself=False)


def finalize_when_due(call: Call, invoice_id: str) -> None:
    """An hour has passed since a draft was made."""
    invoice = call.objects.find(invoicing.KIND, invoice_id)
    if invoice is None or invoice["status"] != "draft":
        return
    if invoice["auto_advance"] and invoice["automatically_finalizes_at"] == now_of(call, invoice):
        collect(call, invoice)


def retry(call: Call, invoice_id: str) -> None:
    """The next attempt is due."""
    invoice = call.objects.find(invoicing.KIND, invoice_id)
    if invoice is None or invoice["status"] != "open":
        return
    if invoice["auto_advance"] and invoice["next_payment_attempt"] == now_of(call, invoice):
        attempt(call, invoice, standing.payment_method(call, invoice))


def _hear(call: Call, invoice: Json, intent: Json, *, by_itself: bool) -> None:
    """What became of an attempt."""
    if intent["status"] == "succeeded":
        _count(invoice, by_itself=by_itself)
        settle(call, invoice)
        return
    _count(invoice, by_itself=by_itself)
    if intent["status"] == "processing":
        invoicing.save(call, invoice | {"next_payment_attempt": None}, "invoice.updated")
        return
    if by_itself or invoice["next_payment_attempt"] is None:
        invoice["next_payment_attempt"] = _next_attempt(call, invoice)
    if intent["status"] == "requires_action":
        call.emit("invoice.payment_action_required", invoice)
    invoicing.save(call, invoice, "invoice.payment_failed")
    standing.fall_behind(call, invoice)
    if by_itself and invoice["attempt_count"] > len(RETRY_DAYS):
        _give_up(call, invoice)


def _count(invoice: Json, *, by_itself: bool) -> None:
    """Any attempt counts as the first; later on those that come by themselves do."""
    attempts = invoice["attempt_count"]
    invoice |= {"attempt_count": attempts + 1 if by_itself else max(attempts, 1), "attempted": True}


def _next_attempt(call: Call, invoice: Json) -> int | None:
    subscription = standing.owner(call, invoice)
    waits_for_customer = subscription is not None and subscription["status"] in ("incomplete", "paused")
    attempts = invoice["attempt_count"]
    if waits_for_customer or not invoice["auto_advance"] or attempts > len(RETRY_DAYS):
        return None
    due = now_of(call, invoice) + RETRY_DAYS[attempts - 1] * _DAY_SECONDS
    agenda.put(call, "retry", invoice, due)
    return due


def _give_up(call: Call, invoice: Json) -> None:
    invoicing.save(call, invoice | {"auto_advance": False}, "invoice.updated")
    subscription = standing.owner(call, invoice)
    if subscription is None or subscription["status"] in standing.ENDED:
        return
    if call.settings.after_retries == "cancel":
        ending.end(call, subscription, reason="payment_failed")
    elif call.settings.after_retries == "unpaid":
        standing.change(call, subscription, {"status": "unpaid"})
