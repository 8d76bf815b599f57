"""Actions of a cardholder's bank: inquiry, chargeback, decision.

https://docs.stripe.com/disputes/how-disputes-work. A chargeback withdraws the disputed amount and a fee at once; an
inquiry withdraws nothing. Which evidence decides: https://docs.stripe.com/testing#evidence.
"""

from typing import Literal, get_args

from stripe_sandbox.cards import Claim, card_of_charge
from stripe_sandbox.errors import InvalidRequestError, Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import balance_transactions, early_fraud_warnings
from stripe_sandbox.resources.balance_transactions import Movement, fee_detail

FEE = 1500  # minor units, whatever the currency
KIND = "dispute"
Verdict = Literal["winning_evidence", "losing_evidence", "escalate_inquiry_evidence"]
VERDICTS = frozenset(get_args(Verdict))
CLAIMS: tuple[str, ...] = get_args(Claim)
OPEN = frozenset({"needs_response", "under_review", "warning_needs_response", "warning_under_review"})
_DAYS_TO_ANSWER = 14
# https://docs.stripe.com/disputes/categories#network-code-map
_CODES = {
    ("visa", "fraudulent"): "10.4",
    ("visa", "product_not_received"): "13.1",
    ("mastercard", "fraudulent"): "4837",
    ("mastercard", "product_not_received"): "4855",
}
EVIDENCE_TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
EVIDENCE_FILES = (
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
)


def begin(call: Call, charge_id: str) -> None:
    """What the charge's test card asks for, unless all of it was refunded or disputed meanwhile."""
    charge = call.objects.get("charge", charge_id)
    card = card_of_charge(charge)
    nothing_left = charge["amount"] == charge["amount_refunded"] or _is_disputed(call, charge)
    if card is not None and card.disputed_as is not None and not nothing_left:
        open_(call, charge, card.disputed_as)


def open_(call: Call, charge: Json, claim: Claim, amount: int | None = None) -> Json:
    """A new dispute over `amount` minor units of a charge (None: all that was not refunded).

    Raises InvalidRequestError when the charge has no such amount, or an open dispute already.
    """
    left = charge["amount"] - charge["amount_refunded"]
    disputed = left if amount is None else amount
    if charge["status"] != "succeeded" or not 0 < disputed <= left:
        raise InvalidRequestError(
            f"Charge {charge['id']} has {left} left that can be disputed, and its status is {charge['status']}.",
            param="amount",
        )
    if _is_disputed(call, charge):
        raise InvalidRequestError(f"Charge {charge['id']} is disputed already.", param="charge")
    dispute = _new(call, charge, claim, disputed)
    if claim != "inquiry":
        _withdraw(call, dispute)
    call.objects.add(dispute)
    charge["disputed"] = True
    call.objects.save(charge)
    early_fraud_warnings.overtake(call, charge)
    call.emit("charge.dispute.created", dispute)
    if claim != "inquiry":
        call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def holds(call: Call, charge: Json) -> bool:
    """Whether a dispute forbids to refund this charge: an open or lost chargeback has taken its money back already."""
    return any(not found["is_charge_refundable"] for found in _of(call, charge))


def decide(call: Call, dispute_id: str) -> None:
    """The bank has read the evidence. Words that decide nothing leave the dispute under review."""
    dispute = call.objects.get(KIND, dispute_id)
    text = dispute["evidence"]["uncategorized_text"]
    if dispute["status"] in ("under_review", "warning_under_review") and text in VERDICTS:
        conclude(call, dispute, text)


def conclude(call: Call, dispute: Json, verdict: Verdict) -> Json:
    """End a dispute, or let an inquiry become a chargeback. Raises InvalidRequestError when it has ended."""
    if dispute["status"] not in OPEN:
        raise InvalidRequestError("This dispute is already closed.")
    if not dispute["status"].startswith("warning"):
        return _reinstate(call, dispute) if verdict == "winning_evidence" else close(call, dispute, "lost")
    if verdict == "escalate_inquiry_evidence":
        return _escalate(call, dispute)
    # Whichever evidence ends an inquiry, no money had moved.
    return close(call, dispute, "warning_closed")


def close(call: Call, dispute: Json, status: str) -> Json:
    """Nothing changes any more, and no money moves."""
    dispute["status"] = status
    call.objects.save(dispute)
    call.emit("charge.dispute.closed", dispute)
    return dispute


def _reinstate(call: Call, dispute: Json) -> Json:
    returned = FEE if call.settings.dispute_fee_returned else 0
    fees = (fee_detail(dispute["currency"], -returned, "Dispute fee refund"),) if returned else ()
    movement = Movement(
        type="adjustment",
        category="dispute_reversal",
        amount=dispute["amount"],
        description=f"Chargeback reversal for {dispute['charge']}",
        fees=fees,
    )
    dispute["balance_transactions"].append(balance_transactions.add(call, dispute, movement))
    dispute["is_charge_refundable"] = True
    close(call, dispute, "won")
    call.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def _escalate(call: Call, dispute: Json) -> Json:
    previous = {
        "status": dispute["status"],
        "network_reason_code": dispute["network_reason_code"],
        "payment_method_details": dispute["payment_method_details"],
        "is_charge_refundable": True,
    }
    charge = call.objects.get("charge", dispute["charge"])
    dispute |= _case(charge, dispute["reason"], inquiry=False) | {"status": "needs_response"}
    dispute["evidence_details"] |= {"due_by": _due(call)}
    _withdraw(call, dispute)
    call.objects.save(dispute)
    call.emit("charge.dispute.updated", dispute, previous=previous)
    call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _withdraw(call: Call, dispute: Json) -> None:
    charge = call.objects.get("charge", dispute["charge"])
    movement = Movement(
        type="adjustment",
        category="dispute",
        amount=-dispute["amount"],
        description=f"Chargeback withdrawal for {dispute['charge']}",
        fees=(fee_detail(dispute["currency"], FEE, "Dispute fee"),),
        available_on=balance_transactions.along_with(call, charge),
    )
    dispute["balance_transactions"].append(balance_transactions.add(call, dispute, movement))
    dispute["is_charge_refundable"] = False


def _of(call: Call, charge: Json) -> list[Json]:
    return call.objects.where(KIND, {"charge": charge["id"]})


def _is_disputed(call: Call, charge: Json) -> bool:
    return any(found["status"] in OPEN for found in _of(call, charge))


def _due(call: Call) -> int:
    return call.now + _DAYS_TO_ANSWER * 24 * 3600


def _case(charge: Json, reason: str, *, inquiry: bool) -> Json:
    card = charge["payment_method_details"].get("card")
    if card is None:
        return {"network_reason_code": None, "payment_method_details": None}
    code = _CODES.get((card["brand"], reason))
    if code is not None and inquiry:
        code = code.partition(".")[0]
    details = {
        "brand": card["brand"],
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": card["network"],
        "network_reason_code": code,
    }
    return {"network_reason_code": code, "payment_method_details": {"card": details, "type": "card"}}


def _new(call: Call, charge: Json, claim: Claim, amount: int) -> Json:
    inquiry = claim == "inquiry"
    reason = "fraudulent" if inquiry else claim
    return {
        "id": new_id("du"),
        "object": KIND,
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys((*EVIDENCE_TEXTS, *EVIDENCE_FILES)) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": _due(call),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": True,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    } | _case(charge, reason, inquiry=inquiry)
