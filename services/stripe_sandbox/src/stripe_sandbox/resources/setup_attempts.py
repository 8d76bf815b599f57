"""SetupAttempts: one confirmation of a SetupIntent each, and what came of it (https://docs.stripe.com/api/setup_attempts)."""

from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "setup_attempt"


def begin(call: Call, intent: Json, method: Json) -> None:
    """A confirmation with this method, as the SetupIntent's latest attempt. The caller stores the SetupIntent."""
    attempt: Json = {
        "id": new_id("setatt"),
        "object": KIND,
        "application": intent["application"],
        "created": call.now,
        "customer": intent["customer"],
        "customer_account": None,
        "flow_directions": None,
        "livemode": False,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_details": _details(method),
        "setup_error": None,
        "setup_intent": intent["id"],
        "status": "requires_confirmation",
        "usage": intent["usage"],
    }
    intent["latest_attempt"] = call.objects.add(attempt)["id"]


def note(call: Call, intent: Json, status: str, error: Json | None = None) -> None:
    """What has become of the SetupIntent's latest attempt: `requires_action`, `succeeded`, `failed` or `abandoned`."""
    if intent["latest_attempt"] is not None:
        attempt = call.objects.get(KIND, intent["latest_attempt"])
        call.objects.save(attempt | {"status": status, "setup_error": error})


def list_(call: Call) -> Json:
    """The attempts of one SetupIntent, newest first."""
    call.objects.get("setup_intent", call.params["setup_intent"], param="setup_intent")
    return listed(call, KIND, "/v1/setup_attempts", filters={"setup_intent": "setup_intent"})


def _details(method: Json) -> Json:
    """Of a card its digest and what else tells it from others; the rest is null, as where the bank says nothing."""
    kind = method["type"]
    if kind != "card":
        return {"type": kind, kind: {}}
    names = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {
        "type": kind,
        kind: {name: method["card"][name] for name in names}
        | {"checks": None, "network": None, "three_d_secure": None, "wallet": None},
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/setup_attempts",
        shape=shape("_setup_attempt_list_params:SetupAttemptListParams", f"{LIST_PARAMETERS} setup_intent"),
        handler=list_,
    ),
)
