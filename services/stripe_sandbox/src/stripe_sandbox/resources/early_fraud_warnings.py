"""Early fraud warnings: an issuer reports fraud before a dispute.

https://docs.stripe.com/api/radar/early_fraud_warnings. One is actionable until its charge is disputed or refunded whole.
"""

from stripe_sandbox.errors import InvalidRequestError, Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "radar.early_fraud_warning"


def begin(call: Call, charge_id: str) -> None:
    """What the charge's test card brings."""
    add(call, call.objects.get("charge", charge_id))


def add(call: Call, charge: Json) -> Json:
    """A warning about a charge that succeeded. Raises InvalidRequestError."""
    if charge["status"] != "succeeded":
        raise InvalidRequestError(f"Charge {charge['id']} is {charge['status']}: nobody was defrauded.")
    warning = call.objects.add(
        {
            "id": new_id("issfr"),
            "object": KIND,
            "actionable": not (charge["disputed"] or charge["refunded"]),
            "charge": charge["id"],
            "created": call.now,
            "fraud_type": "misc",
            "livemode": False,
            "payment_intent": charge["payment_intent"],
        }
    )
    call.emit("radar.early_fraud_warning.created", warning)
    return warning


def overtake(call: Call, charge: Json) -> None:
    """The charge was disputed or refunded: its warnings ask for nothing any more."""
    for warning in call.objects.where(KIND, {"charge": charge["id"], "actionable": 1}):
        call.objects.save(warning | {"actionable": False})
        call.emit(
            "radar.early_fraud_warning.updated",
            warning | {"actionable": False},
            previous={"actionable": True},
        )


def retrieve(call: Call) -> Json:
    """One warning."""
    return call.objects.get(KIND, call.path["id"], param="early_fraud_warning")


def list_(call: Call) -> Json:
    """Warnings, newest first, by charge or PaymentIntent."""
    filters = {"charge": "charge", "payment_intent": "payment_intent"}
    return listed(call, KIND, "/v1/radar/early_fraud_warnings", filters=filters)


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/radar/early_fraud_warnings",
        shape=shape(
            "radar._early_fraud_warning_list_params:EarlyFraudWarningListParams",
            f"{LIST_PARAMETERS} charge payment_intent",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/radar/early_fraud_warnings/{id}",
        shape=shape("radar._early_fraud_warning_retrieve_params:EarlyFraudWarningRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
