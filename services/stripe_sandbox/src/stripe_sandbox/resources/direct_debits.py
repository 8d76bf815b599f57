"""SEPA direct debits: the money is asked for now and comes, or does not, when the donor's bank has answered."""

from stripe_sandbox import schedule
from stripe_sandbox.bank_accounts import account_by_fingerprint, account_by_iban
from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import charges, mandates, payment_methods

_REFUSED = "The payment could not be processed: the bank refused the direct debit."


def payment_method(call: Call, data: Json) -> Json:
    """Store the PaymentMethod of `payment_method_data`. Raises ParameterError, InvalidRequestError."""
    billing = data.get("billing_details") or {}
    for name in ("name", "email"):
        if not billing.get(name):
            param = f"payment_method_data[billing_details][{name}]"
            raise ParameterError(f"Missing required param: {param}.", code="parameter_missing", param=param)
    account = account_by_iban(data.get("sepa_debit", {}).get("iban", ""))
    details = {
        "bank_code": account.iban[4:12],
        "branch_code": "",
        "country": account.country,
        "fingerprint": account.fingerprint,
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": account.iban[-4:],
    }
    return payment_methods.add(call, "sepa_debit", details, billing=billing)


def begin(call: Call, intent: Json, method: Json) -> Json:
    """Ask the bank. Raises InvalidRequestError for another currency than EUR and without a mandate."""
    if intent["currency"] != "eur":
        raise InvalidRequestError(
            "The payment method type `sepa_debit` takes payments in eur alone.",
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
    if account_by_fingerprint(method["sepa_debit"]["fingerprint"]).honours:
        charges.mark_paid(call, charge)
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        call.objects.save(intent)
        call.emit("payment_intent.succeeded", intent)
        return
    charges.mark_failed(call, charge, code="debit_not_authorized", message=_REFUSED)
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
