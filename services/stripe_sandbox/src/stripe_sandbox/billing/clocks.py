"""The current time of an object: its test clock's, or the sandbox's."""

from dataclasses import replace

from stripe_sandbox.billing import agenda
from stripe_sandbox.errors import Json, ParameterError
from stripe_sandbox.operations import Call

KIND = "test_helpers.test_clock"
CUSTOMERS_MAX = 3
SUBSCRIPTIONS_MAX = 3
_OF_A_CLOCK = ("subscription", "invoice", "invoiceitem")


def now_of(call: Call, body: Json) -> int:
    """The time a customer, a subscription or an invoice lives in, in seconds since the epoch."""
    if body["test_clock"] is None:
        return call.now
    return int(call.objects.get(KIND, body["test_clock"])["frozen_time"])


def set_to(call: Call, body: Json, moment: int) -> Call:
    """The call as it is when the time of `body` is `moment`: a test clock is put there, the sandbox's is only said."""
    if body["test_clock"] is None:
        return replace(call, objects=replace(call.objects, now=moment))
    call.objects.save(call.objects.get(KIND, body["test_clock"]) | {"frozen_time": moment})
    return call


def of_new_customer(call: Call, clock_id: str) -> Json:
    """The clock that a customer is made with. Raises NoSuchObjectError, ParameterError."""
    clock = call.objects.get(KIND, clock_id, param="test_clock")
    if len(call.objects.where("customer", {"test_clock": clock_id})) >= CUSTOMERS_MAX:
        raise ParameterError(
            f"You have reached the maximum of {CUSTOMERS_MAX} customers on this test clock.",
            param="test_clock",
        )
    return clock


def delete(call: Call, clock: Json) -> Json:
    """The clock goes, and with it all that lived in its time."""
    for kind in _OF_A_CLOCK:
        for body in call.objects.where(kind, {"test_clock": clock["id"]}):
            call.objects.remove(body)
    for customer in call.objects.where("customer", {"test_clock": clock["id"]}):
        call.objects.save({"id": customer["id"], "object": "customer", "deleted": True})
    agenda.clear(call, clock["id"])
    call.emit(f"{KIND}.deleted", clock)
    call.objects.remove(clock)
    return {"id": clock["id"], "object": KIND, "deleted": True}


def delete_when_due(call: Call, clock_id: str) -> None:
    """Stripe keeps no clock for ever."""
    clock = call.objects.find(KIND, clock_id)
    if clock is not None:
        delete(call, clock)
