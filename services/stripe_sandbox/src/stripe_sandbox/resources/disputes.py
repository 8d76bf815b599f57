"""Disputes API: retrieve, submit evidence, close (https://docs.stripe.com/api/disputes)."""

from copy import deepcopy

from stripe_sandbox import schedule
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import balance_transactions, chargebacks
from stripe_sandbox.resources.chargebacks import KIND

_EVIDENCE_CHARACTERS_MAX = 150_000
_REVIEW = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}


def retrieve(call: Call) -> Json:
    """One dispute."""
    return _current(call, call.objects.get(KIND, call.path["id"], param="dispute"))


def list_(call: Call) -> Json:
    """Disputes, newest first, by charge or PaymentIntent."""
    filters = {"charge": "charge", "payment_intent": "payment_intent"}
    found = listed(call, KIND, "/v1/disputes", filters=filters)
    return found | {"data": [_current(call, dispute) for dispute in found["data"]]}


def update(call: Call) -> Json:
    """Stage evidence, submit it (which is once and for all), or change metadata."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    dispute = call.objects.get(KIND, call.path["id"], param="dispute")
    before = deepcopy(dispute)
    if "metadata" in params:
        dispute["metadata"] = merged(dispute["metadata"], params["metadata"])
    submits = params.get("submit", "evidence" in params)
    if submits or "evidence" in params:
        _take_evidence(dispute, params.get("evidence", {}))
    if submits:
        _submit(call, dispute)
    call.objects.save(dispute)
    changed = {name: before[name] for name in dispute if dispute[name] != before[name]}
    call.emit("charge.dispute.updated", dispute, previous=changed)
    return dispute


def close(call: Call) -> Json:
    """Accept a chargeback as lost."""
    dispute = call.objects.get(KIND, call.path["id"], param="dispute")
    if dispute["status"].startswith("warning"):
        raise NotModelledError(
            "This sandbox does not model closing an inquiry: refund its charge, or answer it."
        )
    if dispute["status"] not in chargebacks.OPEN:
        raise InvalidRequestError("This dispute is already closed.")
    return chargebacks.close(call, dispute, "lost")


def _current(call: Call, dispute: Json) -> Json:
    movements = [
        balance_transactions.find(call.objects, booked["id"]) for booked in dispute["balance_transactions"]
    ]
    return dispute | {"balance_transactions": movements}


def _take_evidence(dispute: Json, given: Json) -> None:
    if dispute["status"] not in _REVIEW:
        closed = dispute["status"] not in chargebacks.OPEN
        reason = "is already closed" if closed else "has its evidence already: it is submitted once"
        raise InvalidRequestError(f"This dispute {reason}.", param="evidence")
    for name in given:
        if name not in chargebacks.EVIDENCE_TEXTS:
            raise NotModelledError(
                f"This sandbox models evidence in words alone, not '{name}': it has no files.",
                param=f"evidence[{name}]",
            )
    if sum(len(text) for text in given.values()) > _EVIDENCE_CHARACTERS_MAX:
        raise ParameterError(
            f"The combined character count of all evidence is limited to {_EVIDENCE_CHARACTERS_MAX}.",
            param="evidence",
        )
    dispute["evidence"] |= given
    dispute["evidence_details"]["has_evidence"] |= bool(given)


def _submit(call: Call, dispute: Json) -> None:
    details = dispute["evidence_details"]
    details["past_due"] = call.now > details["due_by"]
    details["submission_count"] += 1
    details["submission_method"] = "manual"
    dispute["status"] = _REVIEW[dispute["status"]]
    schedule.put_off(call, "decide_dispute", dispute["id"], call.settings.dispute_delay)


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/disputes",
        shape=shape("_dispute_list_params:DisputeListParams", f"{LIST_PARAMETERS} charge payment_intent"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/disputes/{id}",
        shape=shape("_dispute_retrieve_params:DisputeRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/disputes/{id}",
        shape=shape("_dispute_update_params:DisputeUpdateParams", "evidence metadata submit expand"),
        handler=update,
    ),
    Operation(
        method="POST",
        path="/v1/disputes/{id}/close",
        shape=shape("_dispute_close_params:DisputeCloseParams", "expand"),
        handler=close,
    ),
)
