"""Later outcomes of a refund (https://docs.stripe.com/refunds#failed-refunds).

A refund that fails or is canceled returns to the balance with a movement of its own, and its charge is refunded by that
much less. `refund.updated` tells of every change, `charge.refund.updated` tells the same.
"""

from stripe_sandbox.cards import card_of_charge
from stripe_sandbox.errors import InvalidRequestError, Json
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import balance_transactions
from stripe_sandbox.resources.balance_transactions import Movement

FAILURE_REASONS = (
    "lost_or_stolen_card",
    "expired_or_canceled_card",
    "charge_for_pending_refund_disputed",
    "insufficient_funds",
    "declined",
    "unknown",
)


def finish(call: Call, refund_id: str) -> None:
    """The donor's bank has answered, as the test card has it. A refund that ended meanwhile stays as it is."""
    refund = call.objects.get("refund", refund_id)
    card = card_of_charge(call.objects.get("charge", refund["charge"]))
    if card is not None and card.refunds == "fails" and refund["status"] == "succeeded":
        fail(call, refund, "expired_or_canceled_card")
    elif refund["status"] == "pending":
        _change(call, refund, {"status": "succeeded", "pending_reason": None})


def fail(call: Call, refund: Json, reason: str) -> Json:
    """The bank could not take it, even after it looked successful. Raises InvalidRequestError when it has ended."""
    if refund["status"] not in ("pending", "succeeded"):
        raise InvalidRequestError(f"This refund is {refund['status']}: its money is back already.")
    _take_back(call, refund, {"status": "failed", "failure_reason": reason, "pending_reason": None})
    call.emit("refund.failed", refund)
    return refund


def cancel(call: Call, refund: Json) -> Json:
    """Take back a refund that the bank does not have yet. Raises InvalidRequestError."""
    if refund["status"] != "pending":
        raise InvalidRequestError(f"Only a pending refund can be canceled; this one is {refund['status']}.")
    return _take_back(
        call, refund, {"status": "canceled", "failure_reason": "merchant_request", "pending_reason": None}
    )


def tell(call: Call, refund: Json, previous: Json) -> None:
    """Both events of a change."""
    call.emit("refund.updated", refund, previous=previous)
    call.emit("charge.refund.updated", refund, previous=previous)


def _take_back(call: Call, refund: Json, changes: Json) -> Json:
    charge = call.objects.get("charge", refund["charge"])
    returned = Movement(
        type="refund_failure",
        category="refund_failure",
        amount=refund["amount"],
        description="REFUND FAILURE",
        available_on=balance_transactions.along_with(call, charge),
    )
    booked = balance_transactions.add(call, refund, returned)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    call.objects.save(charge)
    return _change(call, refund, changes | {"failure_balance_transaction": booked["id"]})


def _change(call: Call, refund: Json, changes: Json) -> Json:
    previous = {name: refund.get(name) for name in changes if refund.get(name) != changes[name]}
    refund |= changes
    call.objects.save(refund)
    tell(call, refund, previous)
    return refund
