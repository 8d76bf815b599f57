"""Direct debits (SEPA and ACH), which settle or fail days after confirmation."""

from stripe_sandbox import schedule
from stripe_sandbox.bank_accounts import account_by_fingerprint, account_of
from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import charges, invoice_payments, mandates, payment_methods

CURRENCIES = {"sepa_debit": "eur", "us_bank_account": "usd"}
"""Kinds of PaymentMethods that are debited, and the one currency each takes."""

_REFUSED = "The payment could not be processed: the bank refused the direct debit."
_BILLING = {"sepa_debit": ("name", "email"), "us_bank_account": ("name",)}


def payment_method(call: Call, data: Json) -> Json:
    """Store the PaymentMethod of `payment_method_data`. Raises ParameterError, InvalidRequestError."""
    billing = data.get("billing_details") or {}
    for name in _BILLING[data["type"]]:
        if not billing.get(name):
            param = f"payment_method_data[billing_details][{name}]"
            raise ParameterError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    return payment_methods.add(call, data["type"], account_of(data).details(), billing=billing)


def begin(call: Call, intent: Json, method: Json) -> Json:
    """Ask the bank. Raises InvalidRequestError for another currency than the method's and without a mandate.

    A US account is taken as verified; at Stripe one that is typed in has to be verified first.
    """
    kind = method["type"]
    if intent["currency"] != CURRENCIES[kind]:
        raise InvalidRequestError(
            f"The payment method type `{kind}` takes payments in {CURRENCIES[kind]} alone.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    mandate = mandates.required(call, method, "payment_intent_mandate_invalid")
    charge = charges.add_pending(call, intent, method, mandate=mandate["id"])
    schedule.put_off(call, "debit", charge["id"], call.settings.debit_delay)
    intent |= {"status": "processing", "latest_charge": charge["id"]}
    call.objects.save(intent)
    if intent["setup_future_usage"] is not None and intent["customer"] is not None:
        payment_methods.keep_with(call, method, intent["customer"])
    call.emit("payment_intent.processing", intent)
    return intent


def finish(call: Call, charge_id: str) -> None:
    """The bank has answered. A PaymentIntent that was canceled meanwhile stays so."""
    charge = call.objects.get("charge", charge_id)
    intent = call.objects.get("payment_intent", charge["payment_intent"])
    if intent["status"] != "processing":
        return
    method = call.objects.get("payment_method", charge["payment_method"])
    failure = account_by_fingerprint(method[method["type"]]["fingerprint"]).failure
    if failure is None:
        charges.mark_paid(call, charge)
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        call.objects.save(intent)
        call.emit("payment_intent.succeeded", intent)
        invoice_payments.tell(call, intent)
        return
    charges.mark_failed(call, charge, code=failure, message=_REFUSED)
    error = {
        "charge": charge_id,
        "code": "payment_intent_payment_attempt_failed",
        "message": _REFUSED,
        "payment_method": method,
        "type": "card_error",
    }
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": error}
    call.objects.save(intent)
    call.emit("payment_intent.payment_failed", intent)
    invoice_payments.tell(call, intent)
