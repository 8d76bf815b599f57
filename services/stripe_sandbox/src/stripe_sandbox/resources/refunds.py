"""Refunds: money back to the donor (https://docs.stripe.com/api/refunds).

A refund leaves the balance when it is made, whatever the donor's bank does about it later (see `refund_outcomes`).
"""

from stripe_sandbox import schedule
from stripe_sandbox.cards import card_of_charge
from stripe_sandbox.currencies import currency_of
from stripe_sandbox.errors import InvalidRequestError, Json, NoSuchObjectError, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import (
    application_fees,
    balance_transactions,
    chargebacks,
    early_fraud_warnings,
    refund_outcomes,
)


def create(call: Call) -> Json:
    """Refund a charge, or the charge of a PaymentIntent, in whole or in part."""
    check_metadata(call.params.get("metadata", {}))
    charge = _charge(call)
    amount = _amount(call, charge)
    card = card_of_charge(charge)
    course = card.refunds if card else "at_once"
    refund = _new(call, charge, amount)
    if course == "pending":
        refund |= {"status": "pending", "pending_reason": "processing"}
    returned = 0
    if call.params.get("refund_application_fee"):
        returned = application_fees.give_back_with(call, charge, amount)
    booked = balance_transactions.add_for_refund(call, refund, charge, application_fee=returned)
    refund["balance_transaction"] = booked["id"]
    call.objects.add(refund)
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    call.objects.save(charge)
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge, previous=previous)
    if charge["refunded"]:
        early_fraud_warnings.overtake(call, charge)
    if course != "at_once":
        schedule.put_off(call, "finish_refund", refund["id"], call.settings.refund_delay)
    return refund


def update(call: Call) -> Json:
    """Change a refund's metadata."""
    check_metadata(call.params.get("metadata", {}))
    refund = call.objects.get("refund", call.path["id"])
    previous = {"metadata": refund["metadata"]}
    refund["metadata"] = merged(refund["metadata"], call.params.get("metadata", {}))
    call.objects.save(refund)
    refund_outcomes.tell(call, refund, previous)
    return refund


def retrieve(call: Call) -> Json:
    """One refund."""
    return call.objects.get("refund", call.path["id"])


def list_(call: Call) -> Json:
    """Refunds, newest first, by charge or PaymentIntent."""
    filters = {"charge": "charge", "payment_intent": "payment_intent"}
    return listed(call, "refund", "/v1/refunds", filters=filters)


def _charge(call: Call) -> Json:
    charge_id, intent_id = call.params.get("charge"), call.params.get("payment_intent")
    if charge_id is None and intent_id is None:
        raise ParameterError(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    if intent_id is None:
        return call.objects.get("charge", charge_id or "", param="charge")
    intent = call.objects.get("payment_intent", intent_id, param="payment_intent")
    if charge_id is not None and charge_id != intent["latest_charge"]:
        raise NoSuchObjectError("charge", charge_id, param="charge")
    if intent["status"] != "succeeded":
        raise InvalidRequestError(
            "This PaymentIntent does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return call.objects.get("charge", intent["latest_charge"])


def _amount(call: Call, charge: Json) -> int:
    if charge["status"] != "succeeded":
        raise InvalidRequestError("This charge did not succeed and cannot be refunded.", param="charge")
    if chargebacks.holds(call, charge):
        raise InvalidRequestError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            param="charge",
        )
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise InvalidRequestError(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            param="charge",
        )
    amount = int(call.params.get("amount", left))
    if amount < 1:
        raise ParameterError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        written = currency_of(charge["currency"]).written
        raise InvalidRequestError(
            f"Refund amount ({written(amount)}) is greater than unrefunded amount on charge ({written(left)})",
            param="amount",
        )
    return amount


def _new(call: Call, charge: Json, amount: int) -> Json:
    destination = {
        "card": {
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        }
    }
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "customer": None,
        "customer_account": None,
        "description": None,
        "destination_details": destination | {"type": "card"},
        "metadata": merged({}, call.params.get("metadata", {})),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": None,
        "presentment_details": None,
        "reason": call.params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


CREATE = Operation(
    method="POST",
    path="/v1/refunds",
    shape=shape(
        "_refund_create_params:RefundCreateParams",
        "amount charge payment_intent metadata reason refund_application_fee expand",
    ),
    handler=create,
)
OPERATIONS = (
    CREATE,
    Operation(
        method="GET",
        path="/v1/refunds",
        shape=shape("_refund_list_params:RefundListParams", f"{LIST_PARAMETERS} charge payment_intent"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/refunds/{id}",
        shape=shape("_refund_retrieve_params:RefundRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/refunds/{id}",
        shape=shape("_refund_update_params:RefundUpdateParams", "metadata expand"),
        handler=update,
    ),
)
