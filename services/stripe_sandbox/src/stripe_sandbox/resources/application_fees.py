"""Application fees: the platform's part of a direct charge (https://docs.stripe.com/connect/direct-charges#collect-fees).

The fee is the platform's own object and its events are the platform's; the connected account sees it among the fees of
its charge. It is collected when the charge is settled, and given back only when somebody asks for that, neither by a
refund of its own accord nor by a dispute.
"""

from stripe_sandbox.currencies import currency_of
from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.objects import APPLICATION, PLATFORM
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import balance_transactions
from stripe_sandbox.resources.balance_transactions import Movement

KIND = "application_fee"
_REFUND = "fee_refund"


def collect(call: Call, charge: Json, available_on: int) -> Json:
    """The fee of a charge of a connected account, available when the charge's own money is."""
    platform = call.on(PLATFORM)
    fee: Json = {
        "id": new_id("fee"),
        "object": KIND,
        "account": call.objects.account,
        "amount": charge["application_fee_amount"],
        "amount_refunded": 0,
        "application": APPLICATION,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "fee_source": {"charge": charge["id"], "type": "charge"},
        "livemode": False,
        "originating_transaction": None,
        "refunded": False,
    }
    earned = Movement(type=KIND, category="platform_earning", amount=fee["amount"], available_on=available_on)
    fee["balance_transaction"] = balance_transactions.add(platform, fee, earned)["id"]
    platform.objects.add(fee)
    platform.emit("application_fee.created", _shown(platform, fee))
    return fee


def give_back_with(call: Call, charge: Json, refunded: int) -> int:
    """The part of a charge's fee that goes with a refund of `refunded` minor units; returns its amount.

    Raises InvalidRequestError when the charge has no fee.
    """
    if charge["application_fee"] is None:
        raise InvalidRequestError(
            f"Attempting to refund_application_fee on {charge['id']} that has no application fee.",
            param="refund_application_fee",
        )
    platform = call.on(PLATFORM)
    fee = platform.objects.get(KIND, charge["application_fee"])
    part = (fee["amount"] * refunded + charge["amount"] // 2) // charge["amount"]
    amount: int = min(part, fee["amount"] - fee["amount_refunded"])
    if amount:
        _give_back(platform, fee, amount, {})
    return amount


def refund(call: Call) -> Json:
    """Give a fee back to the connected account, in whole or in part, apart from any refund to a donor."""
    check_metadata(call.params.get("metadata", {}))
    fee = call.objects.get(KIND, call.path["id"])
    left = fee["amount"] - fee["amount_refunded"]
    amount = int(call.params.get("amount", left))
    written = currency_of(fee["currency"]).written
    if amount < 1 and left:
        raise ParameterError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left or not left:
        raise InvalidRequestError(
            f"Refund amount ({written(amount)}) is greater than unrefunded amount on fee ({written(left)})",
            param="amount",
        )
    given = _give_back(call, fee, amount, call.params.get("metadata", {}))
    received = Movement(
        type="adjustment",
        category="other_adjustment",
        amount=amount,
        description="Application fee refund",
        available_on=balance_transactions.along_with(call, fee),
    )
    balance_transactions.add(call.on(fee["account"]), given, received)
    return given


def list_refunds(call: Call) -> Json:
    """What was given back of one fee, newest first."""
    fee = call.objects.get(KIND, call.path["id"])
    more: list[Clause] = [("json_extract(body, '$.fee') = ?", (fee["id"],))]
    return listed(call, _REFUND, f"/v1/application_fees/{fee['id']}/refunds", more=more)


def retrieve(call: Call) -> Json:
    """One fee."""
    return _shown(call, call.objects.get(KIND, call.path["id"]))


def list_(call: Call) -> Json:
    """Fees, newest first, by charge."""
    found = listed(call, KIND, "/v1/application_fees", filters={"charge": "charge"})
    return found | {"data": [_shown(call, fee) for fee in found["data"]]}


def _give_back(platform: Call, fee: Json, amount: int, metadata: Json) -> Json:
    given: Json = {
        "id": new_id("fr"),
        "object": _REFUND,
        "amount": amount,
        "balance_transaction": None,
        "created": platform.now,
        "currency": fee["currency"],
        "fee": fee["id"],
        "metadata": merged({}, metadata),
    }
    spent = Movement(
        type="application_fee_refund",
        category="platform_earning_refund",
        amount=-amount,
        available_on=balance_transactions.along_with(platform, fee),
    )
    given["balance_transaction"] = balance_transactions.add(platform, given, spent)["id"]
    platform.objects.add(given)
    previous = {"amount_refunded": fee["amount_refunded"], "refunded": fee["refunded"]}
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    platform.objects.save(fee)
    platform.emit("application_fee.refunded", _shown(platform, fee), previous=previous)
    return given


def _shown(call: Call, fee: Json) -> Json:
    url = f"/v1/application_fees/{fee['id']}/refunds"
    data = call.objects.where(_REFUND, {"fee": fee["id"]})
    return fee | {"refunds": {"object": "list", "url": url, "has_more": False, "data": data}}


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/application_fees",
        shape=shape("_application_fee_list_params:ApplicationFeeListParams", f"{LIST_PARAMETERS} charge"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/application_fees/{id}",
        shape=shape("_application_fee_retrieve_params:ApplicationFeeRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="GET",
        path="/v1/application_fees/{id}/refunds",
        shape=shape(
            "_application_fee_refund_list_params:ApplicationFeeRefundListParams",
            "ending_before expand limit starting_after",
        ),
        handler=list_refunds,
    ),
    Operation(
        method="POST",
        path="/v1/application_fees/{id}/refunds",
        shape=shape(
            "_application_fee_refund_create_params:ApplicationFeeRefundCreateParams", "amount metadata expand"
        ),
        handler=refund,
    ),
)
