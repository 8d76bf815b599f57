"""InvoicePayments: which PaymentIntent pays which invoice (https://docs.stripe.com/api/invoice-payment)."""

from stripe_sandbox import schedule
from stripe_sandbox.errors import Json, NotModelledError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "invoice_payment"


def add(call: Call, invoice: Json, intent: Json, at: int) -> Json:
    """The PaymentIntent that an invoice is to be paid with."""
    return call.objects.add(
        {
            "id": new_id("inpay"),
            "object": KIND,
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": at,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def of_invoice(call: Call, invoice_id: str) -> Json | None:
    """The default payment of a finalised invoice, or None when nothing was due."""
    found = call.objects.where(KIND, {"invoice": invoice_id})
    return found[0] if found else None


def of_intent(call: Call, intent_id: str) -> Json | None:
    """Which invoice a PaymentIntent pays, or None for one that stands by itself."""
    found = call.objects.where(KIND, {"payment.payment_intent": intent_id})
    return found[0] if found else None


def mark_paid(call: Call, payment: Json, at: int) -> None:
    """The PaymentIntent has succeeded."""
    payment |= {"amount_paid": payment["amount_requested"], "status": "paid"}
    payment["status_transitions"]["paid_at"] = at
    call.objects.save(payment)
    call.emit("invoice_payment.paid", payment)


def mark_canceled(call: Call, payment: Json, at: int) -> None:
    """The invoice needs it no more."""
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = at
    call.objects.save(payment)


def tell(call: Call, intent: Json) -> None:
    """Let the invoice hear what became of its PaymentIntent, once the request is over."""
    if intent["object"] == "payment_intent" and of_intent(call, intent["id"]) is not None:
        schedule.put_off(call, "follow_payment", intent["id"])


def retrieve(call: Call) -> Json:
    """One InvoicePayment."""
    return call.objects.get(KIND, call.path["id"])


def list_(call: Call) -> Json:
    """InvoicePayments, newest first, by invoice, status or PaymentIntent."""
    more: list[Clause] = []
    payment = call.params.get("payment")
    if payment is not None:
        if "payment_intent" not in payment:
            raise NotModelledError(
                "This sandbox models payments of type payment_intent alone.", param="payment[type]"
            )
        more.append(("json_extract(body, '$.payment.payment_intent') = ?", (payment["payment_intent"],)))
    filters = {"invoice": "invoice", "status": "status"}
    return listed(call, KIND, "/v1/invoice_payments", filters=filters, more=more)


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/invoice_payments",
        shape=shape(
            "_invoice_payment_list_params:InvoicePaymentListParams",
            f"{LIST_PARAMETERS} invoice payment status",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/invoice_payments/{id}",
        shape=shape("_invoice_payment_retrieve_params:InvoicePaymentRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
