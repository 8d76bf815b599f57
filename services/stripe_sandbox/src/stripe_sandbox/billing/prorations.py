"""Prorations to the second, in integers (https://docs.stripe.com/billing/subscriptions/prorations).

As billing mode `flexible` has it, a credit is a part of what was debited, not of today's price: what an item was last
debited, and for which time, is kept beside it.
"""

from stripe_sandbox.errors import Json
from stripe_sandbox.operations import Call

_DEBIT = "sandbox.billing_debit"


def share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole`, rounded half away from zero. `part` and `whole`: seconds, whole above 0."""
    rounded = (2 * abs(amount) * part + whole) // (2 * whole)
    return rounded if amount >= 0 else -rounded


def debited(call: Call, item_id: str, amount: int, *, start: int, end: int) -> None:
    """Remember what an item was debited for the time from `start` to `end`."""
    body: Json = {
        "id": f"{item_id}_debit",
        "object": _DEBIT,
        "amount": amount,
        "start": start,
        "end": end,
    }
    if call.objects.find(_DEBIT, body["id"]) is None:
        call.objects.add(body)
    else:
        call.objects.save(body)


def unused(call: Call, item_id: str, at: int) -> int:
    """The part of an item's last debit that is for time after `at`, in minor units; nothing when none is left."""
    debit = call.objects.find(_DEBIT, f"{item_id}_debit")
    if debit is None or debit["end"] <= at:
        return 0
    length = debit["end"] - debit["start"]
    return share(debit["amount"], min(debit["end"] - at, length), length)
