"""Mandates: the donor's authorisation of direct debits (https://docs.stripe.com/api/mandates)."""

from stripe_sandbox.errors import InvalidRequestError, Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "mandate"


def required(call: Call, method: Json, code: str) -> Json:
    """The mandate of this request, or the one given before for the same PaymentMethod.

    Raises InvalidRequestError with `code` when there is neither.
    """
    acceptance = (call.params.get("mandate_data") or {}).get("customer_acceptance")
    if acceptance is not None:
        return call.objects.add(_new(call, method, acceptance))
    given = call.objects.where(KIND, {"payment_method": method["id"]})
    if not given:
        raise InvalidRequestError(
            "This payment method requires a mandate, but no existing mandate was found. Collect mandate acceptance "
            "from the customer and try again, providing acceptance data in the mandate_data parameter.",
            code=code,
        )
    return given[0]


def retrieve(call: Call) -> Json:
    """One mandate."""
    return call.objects.get(KIND, call.path["id"], param="mandate")


def _new(call: Call, method: Json, acceptance: Json) -> Json:
    mandate_id = new_id("mandate")
    kind = acceptance["type"]
    return {
        "id": mandate_id,
        "object": KIND,
        "customer_acceptance": {
            "accepted_at": acceptance.get("accepted_at", call.now),
            "type": kind,
            kind: acceptance.get(kind, {}),
        },
        "livemode": False,
        "multi_use": {},
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": {
            method["type"]: _details(call, mandate_id, method),
            "type": method["type"],
        },
        "status": "active",
        "type": "multi_use",
    }


def _details(call: Call, mandate_id: str, method: Json) -> Json:
    if method["type"] == "us_bank_account":
        return {}
    return {
        "reference": mandate_id[-16:].upper(),
        "url": f"{call.settings.public_url}/v1/mandates/{mandate_id}",
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/mandates/{id}",
        shape=shape("_mandate_retrieve_params:MandateRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
