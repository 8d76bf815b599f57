"""Events v2: thin events of v1's objects, and those of v2's own (https://docs.stripe.com/api/v2/core/events)."""

from stripe_sandbox.errors import Json, NoSuchObjectError
from stripe_sandbox.lists import Clause
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.webhooks import thin

_MAXIMUM_LIST = 100


def retrieve(call: Call) -> Json:
    """One event, with what changed."""
    native = call.objects.find(thin.KIND, call.path["id"])
    if native is not None:
        return native
    found = call.objects.find("event", thin.snapshot_id(call.path["id"]))
    if found is None:
        raise NoSuchObjectError("event", call.path["id"])
    return thin.event(found)


def list_(call: Call) -> Json:
    """The newest events of v1's objects, on one page, of one object or of some types."""
    clauses: list[Clause] = []
    if "object_id" in call.params:
        clauses.append(("json_extract(body, '$.data.object.id') = ?", (call.params["object_id"],)))
    if "types" in call.params:
        types = tuple(name.removeprefix("v1.") for name in call.params["types"])
        clauses.append((f"json_extract(body, '$.type') IN ({', '.join('?' * len(types))})", types))
    limit = min(int(call.params.get("limit", _MAXIMUM_LIST)), _MAXIMUM_LIST)
    page = call.objects.page("event", clauses=clauses, limit=limit)
    return {
        "data": [thin.event(found) for found in page.data],
        "next_page_url": None,
        "previous_page_url": None,
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/v2/core/events",
        shape=shape("v2.core._event_list_params:EventListParams", "limit object_id types"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v2/core/events/{id}",
        shape=shape("v2.core._event_retrieve_params:EventRetrieveParams"),
        handler=retrieve,
    ),
)
