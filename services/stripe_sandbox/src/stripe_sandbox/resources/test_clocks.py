"""Test clocks: customers whose time a test sets (https://docs.stripe.com/billing/testing/test-clocks).

They move what Billing does: trials, periods, invoices, retries. Payments, balances and events stay in the sandbox's
own time, which its clock hook moves.
"""

from datetime import timedelta

from stripe_sandbox import schedule
from stripe_sandbox.billing import clocks, periods
from stripe_sandbox.billing.clocks import KIND
from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import listed
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

_KEPT = timedelta(days=7)
_NO_SUBSCRIPTION = {"interval": "year", "interval_count": 1}
_INTERVALS_MAX = 2
_ENDED = ("canceled", "incomplete_expired")
_EARLIEST, _LATEST = 0, 4102444800  # 1970, and 2100: beyond a century nothing here was thought through


def create(call: Call) -> Json:
    """A new clock, which stands still."""
    frozen = call.params["frozen_time"]
    if not _EARLIEST < frozen <= _LATEST:
        raise ParameterError("Invalid timestamp: must be an integer Unix timestamp.", param="frozen_time")
    clock: Json = {
        "id": new_id("clock"),
        "object": KIND,
        "created": call.now,
        "deletes_after": call.now + int(_KEPT.total_seconds()),
        "frozen_time": frozen,
        "livemode": False,
        "name": call.params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    call.objects.add(clock)
    schedule.put_off(call, "delete_clock", clock["id"], _KEPT)
    call.emit(f"{KIND}.created", clock)
    return clock


def retrieve(call: Call) -> Json:
    """One clock."""
    return call.objects.get(KIND, call.path["id"])


def advance(call: Call) -> Json:
    """Put a clock forward. The answer says that it is advancing; it is ready when next looked at."""
    clock = call.objects.get(KIND, call.path["id"])
    target = call.params["frozen_time"]
    if target <= clock["frozen_time"]:
        raise ParameterError(
            "The frozen_time must be after the test clock's current frozen_time.", param="frozen_time"
        )
    limit = _limit(call, clock)
    if target > limit:
        raise InvalidRequestError(
            "Cannot be more than two intervals in the future from the shortest subscription in this test clock; "
            f"without subscriptions, two years. The latest frozen_time is now {limit}.",
            param="frozen_time",
        )
    clock |= {
        "status": "advancing",
        "status_details": {"advancing": {"target_frozen_time": target}},
    }
    call.objects.save(clock)
    call.emit(f"{KIND}.advancing", clock)
    schedule.put_off(call, "advance_clock", clock["id"])
    return clock


def delete(call: Call) -> Json:
    """The clock, and what lives in its time."""
    return clocks.delete(call, call.objects.get(KIND, call.path["id"]))


def list_(call: Call) -> Json:
    """Clocks, newest first."""
    return listed(call, KIND, "/v1/test_helpers/test_clocks")


def _limit(call: Call, clock: Json) -> int:
    subscriptions = call.objects.where("subscription", {"test_clock": clock["id"]})
    intervals = [
        item["price"]["recurring"]
        for found in subscriptions
        if found["status"] not in _ENDED
        for item in found["items"]["data"]
    ]
    frozen = clock["frozen_time"]
    return min(periods.nth(frozen, found, _INTERVALS_MAX) for found in intervals or [_NO_SUBSCRIPTION])


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/test_helpers/test_clocks",
        shape=shape(
            "test_helpers._test_clock_create_params:TestClockCreateParams", "frozen_time name expand"
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/test_helpers/test_clocks",
        shape=shape(
            "test_helpers._test_clock_list_params:TestClockListParams",
            "ending_before expand limit starting_after",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/test_helpers/test_clocks/{id}",
        shape=shape("test_helpers._test_clock_retrieve_params:TestClockRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/test_helpers/test_clocks/{id}/advance",
        shape=shape("test_helpers._test_clock_advance_params:TestClockAdvanceParams", "frozen_time expand"),
        handler=advance,
    ),
    Operation(
        method="DELETE",
        path="/v1/test_helpers/test_clocks/{id}",
        shape=shape("test_helpers._test_clock_delete_params:TestClockDeleteParams"),
        handler=delete,
    ),
)
