"""Events: what happened, kept for 30 days at Stripe and for ever here (https://docs.stripe.com/api/events)."""

from stripe_sandbox.errors import Json, ParameterError
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.webhooks import deliveries


def retrieve(call: Call) -> Json:
    """One event, with the number of deliveries still owed."""
    return _with_pending(call, call.objects.get("event", call.path["id"]))


def list_(call: Call) -> Json:
    """Events, newest first, by type (`charge.*` too), types, or whether they were delivered."""
    body = listed(call, "event", "/v1/events", more=[*_types(call.params), *_delivered(call.params)])
    body["data"] = [_with_pending(call, event) for event in body["data"]]
    return body


def _with_pending(call: Call, event: Json) -> Json:
    return event | {"pending_webhooks": deliveries.pending_for(call.objects.connection, event["id"])}


def _types(params: Json) -> list[Clause]:
    if "type" in params and "types" in params:
        raise ParameterError(
            "You may only specify one of these parameters: type, types.", code="parameters_exclusive"
        )
    if "types" in params:
        marks = ", ".join("?" * len(params["types"]))
        return [(f"json_extract(body, '$.type') IN ({marks})", tuple(params["types"]))]
    if "type" in params:
        return [
            ("json_extract(body, '$.type') GLOB ?", (params["type"].replace("[", "[[]").replace("?", "[?]"),))
        ]
    return []


def _delivered(params: Json) -> list[Clause]:
    if "delivery_success" not in params:
        return []
    owed = "EXISTS (SELECT 1 FROM deliveries d WHERE d.event = objects.id AND d.state <> 'delivered')"
    return [(f"NOT {owed}" if params["delivery_success"] else owed, ())]


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/events",
        shape=shape("_event_list_params:EventListParams", f"{LIST_PARAMETERS} type types delivery_success"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/events/{id}",
        shape=shape("_event_retrieve_params:EventRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
