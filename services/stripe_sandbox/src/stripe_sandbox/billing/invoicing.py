"""The life of an invoice: draft, open, paid, void or uncollectible (https://docs.stripe.com/invoicing/overview).

Only the invoice and what pays it. What a subscription makes of it is in `standing`, when money is asked for in
`collection`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from stripe_sandbox.billing import agenda, lines
from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.objects import APPLICATION, PLATFORM
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import invoice_payments, payment_intents
from stripe_sandbox.store import savepoint

KIND = "invoice"
# https://docs.stripe.com/billing/invoices/subscription#update-first-invoice: time to change it before it is final.
FINALIZES_AFTER = timedelta(hours=1)
_WORDS = {
    "manual": "Payment for Invoice",
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def advances(call: Call, invoice: Json, *, by_itself: bool) -> Json:
    """What changes when an invoice goes on by itself, or no longer: a draft is made final an hour from now."""
    due = None
    if by_itself and invoice["status"] == "draft":
        due = now_of(call, invoice) + int(FINALIZES_AFTER.total_seconds())
        agenda.put(call, "finalize", invoice, due)
    return {"auto_advance": by_itself, "automatically_finalizes_at": due}


class _Enough(Exception):  # no error: it only undoes
    """Raised to roll back after a preview."""


@dataclass(frozen=True, kw_only=True)
class InvoiceDraft:
    """A draft to be made. `period`: what it is over, by Stripe's reckoning the time before a renewal.

    `finalizes_itself`: an hour after it was made.
    """

    customer: Json
    currency: str
    reason: str
    period: lines.Period
    data: list[Json] = field(default_factory=list)
    subscription: Json | None = None
    auto_advance: bool = True
    finalizes_itself: bool = False
    description: str | None = None
    metadata: Json = field(default_factory=dict)
    default_payment_method: str | None = None


def draft(call: Call, wanted: InvoiceDraft, *, takes_waiting: bool = True) -> Json:
    """A new draft, with its lines and the invoice items that waited for it."""
    at = now_of(call, wanted.customer)
    invoice_id = new_id("in")
    waiting = pending_items(call, wanted) if takes_waiting else []
    data = [*[lines.of_invoice_item(item) for item in waiting], *wanted.data]
    invoice = _body(call, wanted, invoice_id, at)
    invoice["lines"] = lines.listed(invoice_id, data)
    invoice |= lines.priced(invoice, wanted.customer["balance"])
    if wanted.finalizes_itself:
        invoice |= advances(call, invoice, by_itself=True)
    call.objects.add(invoice)
    for item in waiting:
        call.objects.save(item | {"invoice": invoice_id})
    call.emit("invoice.created", invoice)
    return invoice


def previewed(call: Call, look: Callable[[Call], Json]) -> Json:
    """The draft that `look` makes, of which nothing is kept: what is previewed is what will be."""
    with suppress(_Enough), savepoint(call.objects.connection):
        seen = look(call)
        raise _Enough
    invoice_id = f"upcoming_{seen['id']}"
    seen["lines"] = lines.listed(invoice_id, seen["lines"]["data"])
    return seen | {"id": invoice_id}


def pending_items(call: Call, wanted: InvoiceDraft) -> list[Json]:
    """The customer's invoice items that no invoice has yet: of this subscription, or of none. Oldest first."""
    subscription = None if wanted.subscription is None else wanted.subscription["id"]
    found = call.objects.where(
        "invoiceitem", {"customer": wanted.customer["id"], "currency": wanted.currency}
    )
    return [item for item in reversed(found) if item["invoice"] is None and _of(item) in (None, subscription)]


def finalize(call: Call, invoice: Json) -> Json:
    """No more changes: it has a number, the customer's balance is spent, and a PaymentIntent stands ready.

    With nothing due it is not paid yet: `mark_paid`.
    """
    at = now_of(call, invoice)
    customer = call.objects.get("customer", invoice["customer"])
    invoice |= lines.priced(invoice, customer["balance"])
    number = customer["next_invoice_sequence"]
    customer |= {"balance": invoice["ending_balance"], "next_invoice_sequence": number + 1}
    call.objects.save(customer)
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": at,
        "number": f"{customer['invoice_prefix']}-{number:04d}",
        "status": "open",
    }
    invoice["status_transitions"]["finalized_at"] = at
    call.objects.save(invoice)
    if invoice["amount_due"]:
        invoice_payments.add(call, invoice, _intent(call, invoice), at)
    call.emit("invoice.finalized", invoice)
    return invoice


def mark_paid(call: Call, invoice: Json, *, out_of_band: bool = False) -> Json:
    """All that was due has come."""
    at = now_of(call, invoice)
    invoice |= {
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
    }
    if out_of_band:
        invoice["amount_paid_off_stripe"] = invoice["amount_due"]
    invoice["status_transitions"]["paid_at"] = at
    payment = invoice_payments.of_invoice(call, invoice["id"])
    if payment is not None and not out_of_band:
        invoice_payments.mark_paid(call, payment, at)
    elif payment is not None:
        _cancel(call, payment, at)
    call.objects.save(invoice)
    call.emit("invoice.paid", invoice)
    call.emit("invoice.payment_succeeded", invoice)
    return invoice


def mark_void(call: Call, invoice: Json) -> Json:
    """As if it had never been: what it took from the customer's balance goes back, its PaymentIntent ends."""
    at = now_of(call, invoice)
    customer = call.objects.get("customer", invoice["customer"])
    if not customer.get("deleted"):
        customer["balance"] -= invoice["ending_balance"] - invoice["starting_balance"]
        call.objects.save(customer)
    payment = invoice_payments.of_invoice(call, invoice["id"])
    if payment is not None:
        _cancel(call, payment, at)
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": "void"}
    invoice["status_transitions"]["voided_at"] = at
    return save(call, invoice, "invoice.voided")


def mark_uncollectible(call: Call, invoice: Json) -> Json:
    """Nobody expects the money any more; it may still come."""
    invoice |= {"auto_advance": False, "next_payment_attempt": None, "status": "uncollectible"}
    invoice["status_transitions"]["marked_uncollectible_at"] = now_of(call, invoice)
    return save(call, invoice, "invoice.marked_uncollectible")


def save(call: Call, invoice: Json, event: str) -> Json:
    """Store it and tell of it."""
    call.objects.save(invoice)
    call.emit(event, invoice)
    return invoice


def subscription_of(invoice: Json) -> str | None:
    """The id of the subscription an invoice belongs to, or None."""
    if invoice["parent"] is None:
        return None
    return str(invoice["parent"]["subscription_details"]["subscription"])


def _of(item: Json) -> str | None:
    return None if item["parent"] is None else str(item["parent"]["subscription_details"]["subscription"])


def _cancel(call: Call, payment: Json, at: int) -> None:
    invoice_payments.mark_canceled(call, payment, at)
    intent = call.objects.get("payment_intent", payment["payment"]["payment_intent"])
    if intent["status"] in ("succeeded", "canceled", "processing"):
        return
    intent |= {
        "canceled_at": call.now,
        "cancellation_reason": "void_invoice",
        "next_action": None,
        "status": "canceled",
    }
    call.objects.save(intent)
    call.emit("payment_intent.canceled", intent)


def _intent(call: Call, invoice: Json) -> Json:
    """What the invoice is paid with, in the time payments live in: the sandbox's own."""
    asked: Json = {
        "amount": invoice["amount_due"],
        "capture_method": "automatic",
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": _WORDS[invoice["billing_reason"]],
    }
    if subscription_of(invoice) is not None:
        # The periods to come are paid without the customer.
        asked["setup_future_usage"] = "off_session"
    intent = payment_intents.new(replace(call, params=asked)) | {"automatic_payment_methods": None}
    call.objects.add(intent)
    call.emit("payment_intent.created", intent)
    return intent


def _parent(subscription: Json | None) -> Json | None:
    if subscription is None:
        return None
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def _whose(call: Call, customer: Json) -> Json:
    return {
        "account_country": None,
        "account_name": None,
        "account_tax_ids": None,
        "application": None if call.objects.account == PLATFORM else APPLICATION,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "issuer": {"type": "self"},
        "on_behalf_of": None,
    }


def _not_modelled() -> Json:
    """Fields of what the sandbox does not do: taxes, discounts, credit notes, pages and papers."""
    return {
        "amount_overpaid": 0,
        "amount_paid_off_stripe": 0,
        "amount_shipping": 0,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "custom_fields": None,
        "default_source": None,
        "default_tax_rates": [],
        "discounts": [],
        "due_date": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "last_finalization_error": None,
        "latest_revision": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "statement_descriptor": None,
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
    }


def _body(call: Call, wanted: InvoiceDraft, invoice_id: str, at: int) -> Json:
    return (
        _not_modelled()
        | _whose(call, wanted.customer)
        | {
            "id": invoice_id,
            "object": KIND,
            "amount_paid": 0,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": wanted.auto_advance,
            "automatically_finalizes_at": None,
            "billing_reason": wanted.reason,
            "collection_method": "charge_automatically",
            "created": at,
            "currency": wanted.currency,
            "default_payment_method": wanted.default_payment_method,
            "description": wanted.description,
            "effective_at": None,
            "livemode": False,
            "metadata": wanted.metadata,
            "next_payment_attempt": None,
            "number": None,
            "parent": _parent(wanted.subscription),
            "period_end": wanted.period.end,
            "period_start": wanted.period.start,
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "test_clock": wanted.customer["test_clock"],
        }
    )
