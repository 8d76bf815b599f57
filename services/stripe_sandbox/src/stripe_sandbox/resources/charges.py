"""Charges: one attempt to move money (https://docs.stripe.com/api/charges)."""

from stripe_sandbox import schedule
from stripe_sandbox.cards import card_of_charge
from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import application_fees, balance_transactions

_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def decline_message(decline_code: str) -> str:
    """The sentence that a donor may be shown."""
    return _MESSAGES[decline_code]


def add_succeeded(call: Call, intent: Json, payment_method: Json, *, authenticated: bool) -> Json:
    """A captured charge. Its balance transaction comes later, unless `capture_method` is `automatic`."""
    charge = call.objects.add(_charge(call, intent, payment_method, authenticated=authenticated))
    charge["outcome"] = _outcome("approved_by_network", "authorized", "Payment complete.")
    return mark_paid(call, charge, at_once=intent["capture_method"] == "automatic")


def add_pending(call: Call, intent: Json, payment_method: Json, *, mandate: str) -> Json:
    """A charge that waits for a bank."""
    charge = _charge(call, intent, payment_method, authenticated=False)
    charge["outcome"] = _outcome("approved_by_network", "authorized", "Payment pending.")
    charge["payment_method_details"][payment_method["type"]]["mandate"] = mandate
    call.objects.add(charge)
    call.emit("charge.pending", charge)
    return charge


def add_failed(call: Call, intent: Json, payment_method: Json, decline_code: str) -> Json:
    """What is left of an attempt that the card's bank refused."""
    charge = call.objects.add(_charge(call, intent, payment_method, authenticated=False))
    words = f"The bank returned the decline code `{decline_code}`."
    charge["outcome"] = _outcome("declined_by_network", "issuer_declined", words) | {
        "advice_code": "try_again_later" if decline_code == "insufficient_funds" else None,
        "network_decline_code": "05" if decline_code == "generic_decline" else "51",
        "reason": decline_code,
    }
    return mark_failed(call, charge, code="card_declined", message=decline_message(decline_code))


def mark_paid(call: Call, charge: Json, *, at_once: bool = False) -> Json:
    """The money is the account's. `at_once`: with its balance transaction, which otherwise follows."""
    charge |= {"amount_captured": charge["amount"], "captured": True, "paid": True, "status": "succeeded"}
    if at_once:
        _book(call, charge)
    else:
        schedule.put_off(call, "settle", charge["id"], call.settings.settlement_delay)
    call.objects.save(charge)
    call.emit("charge.succeeded", charge)
    if at_once:
        _let_follow(call, charge)
    return charge


def mark_failed(call: Call, charge: Json, *, code: str, message: str) -> Json:
    """No money moved."""
    charge |= {"failure_code": code, "failure_message": message, "status": "failed"}
    call.objects.save(charge)
    call.emit("charge.failed", charge)
    return charge


def settle(call: Call, charge_id: str) -> None:
    """Give a captured charge its balance transaction."""
    charge = call.objects.get("charge", charge_id)
    _book(call, charge)
    call.objects.save(charge)
    previous: Json = {"balance_transaction": None}
    if charge["application_fee"] is not None:
        previous["application_fee"] = None
    call.emit("charge.updated", charge, previous=previous)
    _let_follow(call, charge)


def _book(call: Call, charge: Json) -> None:
    movement = balance_transactions.add_for_charge(call, charge)
    charge["balance_transaction"] = movement["id"]
    if charge["application_fee_amount"] is not None:
        charge["application_fee"] = application_fees.collect(call, charge, movement["available_on"])["id"]


def _let_follow(call: Call, charge: Json) -> None:
    """What the test card brings after its money."""
    card = card_of_charge(charge)
    if card is not None and card.disputed_as is not None:
        schedule.put_off(call, "dispute", charge["id"])
    if card is not None and card.reported_as_fraud:
        schedule.put_off(call, "warn", charge["id"])


def retrieve(call: Call) -> Json:
    """One charge."""
    return call.objects.get("charge", call.path["id"])


def list_(call: Call) -> Json:
    """Charges, newest first, by PaymentIntent."""
    return listed(call, "charge", "/v1/charges", filters={"payment_intent": "payment_intent"})


def update(call: Call) -> Json:
    """Change a charge's description or metadata."""
    charge = call.objects.get("charge", call.path["id"])
    previous: Json = {}
    if "metadata" in call.params:
        check_metadata(call.params["metadata"])
        previous["metadata"] = charge["metadata"]
        charge["metadata"] = merged(charge["metadata"], call.params["metadata"])
    if "description" in call.params:
        previous["description"] = charge["description"]
        charge["description"] = call.params["description"]
    call.objects.save(charge)
    call.emit("charge.updated", charge, previous=previous)
    return charge


def _charge(call: Call, intent: Json, payment_method: Json, *, authenticated: bool) -> Json:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": intent["application"],
        "application_fee": None,
        "application_fee_amount": intent["application_fee_amount"],
        "balance_transaction": None,
        "billing_details": payment_method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "created": call.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": payment_method["id"],
        "payment_method_details": _details(payment_method, intent["amount"], authenticated=authenticated),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


def _outcome(network_status: str, kind: str, words: str) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": words,
        "type": kind,
    }


def _details(payment_method: Json, amount: int, *, authenticated: bool) -> Json:
    if payment_method["type"] == "sepa_debit":
        debit = payment_method["sepa_debit"]
        kept = {name: debit[name] for name in ("bank_code", "branch_code", "country", "fingerprint", "last4")}
        return {"sepa_debit": kept | {"mandate": None}, "type": "sepa_debit"}
    if payment_method["type"] == "us_bank_account":
        account = payment_method["us_bank_account"]
        names = (
            "account_holder_type",
            "account_type",
            "bank_name",
            "fingerprint",
            "last4",
            "routing_number",
        )
        kept = {name: account[name] for name in names}
        unknown = {"expected_debit_date": None, "mandate": None, "payment_reference": None}
        return {"us_bank_account": kept | unknown, "type": "us_bank_account"}
    return {
        "card": _card_details(payment_method["card"], amount, authenticated=authenticated),
        "type": "card",
    }


def _card_details(card: Json, amount: int, *, authenticated: bool) -> Json:
    kept = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "wallet",
    )
    secure = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
    return {name: card[name] for name in kept} | {
        "amount_authorized": amount,
        "authorization_code": None,
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_token": {"used": False},
        "regulated_status": "unregulated",
        "three_d_secure": secure if authenticated else None,
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/charges",
        shape=shape("_charge_list_params:ChargeListParams", f"{LIST_PARAMETERS} payment_intent"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/charges/{id}",
        shape=shape("_charge_retrieve_params:ChargeRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/charges/{id}",
        shape=shape("_charge_update_params:ChargeUpdateParams", "description metadata expand"),
        handler=update,
    ),
)
