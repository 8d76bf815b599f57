"""BalanceTransactions: every movement of an account's Stripe balance, with its fee.

Types and categories: https://docs.stripe.com/reports/balance-transaction-types,
https://docs.stripe.com/reports/reporting-categories.
"""

from dataclasses import dataclass

from stripe_sandbox.cards import card_of_charge
from stripe_sandbox.currencies import currency_of, debit_fee
from stripe_sandbox.errors import InvalidRequestError, Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.objects import APPLICATION, Objects
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "balance_transaction"


@dataclass(frozen=True, kw_only=True)
class Movement:
    """What moves: `amount` and each fee's amount in minor units, negative when money leaves the balance.

    `available_on`: seconds since the epoch; None: at once.
    """

    type: str
    category: str
    amount: int
    description: str | None = None
    fees: tuple[Json, ...] = ()
    available_on: int | None = None


def add(call: Call, source: Json, movement: Movement) -> Json:
    """Store a movement whose reason is `source`, in the currency of that object."""
    fee = sum(detail["amount"] for detail in movement.fees)
    body = {
        "id": new_id("txn"),
        "object": KIND,
        "amount": movement.amount,
        "available_on": call.now if movement.available_on is None else movement.available_on,
        "balance_type": "payments",
        "created": call.now,
        "currency": source["currency"],
        "description": movement.description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": list(movement.fees),
        "net": movement.amount - fee,
        "reporting_category": movement.category,
        "source": source["id"],
        "status": "pending",
        "type": movement.type,
    }
    return call.objects.add(as_of(body, call.now))


def fee_detail(currency: str, amount: int, description: str) -> Json:
    """One line of a movement's fees; `amount` in minor units, negative when given back."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def application_fee_detail(currency: str, amount: int) -> Json:
    """The platform's part of a movement's fees."""
    shared = {"application": APPLICATION, "type": "application_fee"}
    return fee_detail(currency, amount, "Sandbox platform application fee") | shared


def add_for_charge(call: Call, charge: Json) -> Json:
    """The credit of a captured charge less Stripe's fee, all in minor units of the charge's currency."""
    amount, currency = charge["amount_captured"], charge["currency"]
    card = card_of_charge(charge)
    waits = 0 if card and card.available_at_once else int(call.settings.available_delay.total_seconds())
    kind = charge["payment_method_details"]["type"]
    fee = currency_of(currency).fee(amount) if kind == "card" else debit_fee(kind, amount)
    fees = [fee_detail(currency, fee, "Stripe processing fees")]
    if charge["application_fee_amount"] is not None:
        fees.append(application_fee_detail(currency, charge["application_fee_amount"]))
    movement = Movement(
        type="charge",
        category="charge",
        amount=amount,
        description=charge["description"],
        fees=tuple(fees),
        available_on=call.now + waits,
    )
    return add(call, charge, movement)


def add_for_refund(call: Call, refund: Json, charge: Json, *, application_fee: int = 0) -> Json:
    """The debit of a refund. Stripe keeps its fee of the original charge; the platform may give its own back."""
    movement = Movement(
        type="refund",
        category="refund",
        amount=-refund["amount"],
        fees=(application_fee_detail(refund["currency"], -application_fee),) if application_fee else (),
        available_on=along_with(call, charge),
    )
    return add(call, refund, movement)


def along_with(call: Call, source: Json) -> int:
    """When a movement that takes the money of `source` back counts: with that money, or now if it is here already.

    Stripe does not say; so nothing available is spent on what is still pending.
    """
    if source["balance_transaction"] is None:
        return call.now
    booked: int = call.objects.get(KIND, source["balance_transaction"])["available_on"]
    return max(call.now, booked)


def as_of(body: Json, now: int) -> Json:
    """The movement with its status at this moment (seconds since the epoch)."""
    return body | {"status": "available" if body["available_on"] <= now else "pending"}


def find(objects: Objects, transaction_id: str) -> Json | None:
    """The movement as it is now, or None."""
    found = objects.find(KIND, transaction_id)
    return None if found is None else as_of(found, objects.now)


def retrieve(call: Call) -> Json:
    """One BalanceTransaction."""
    return as_of(call.objects.get(KIND, call.path["id"]), call.now)


def list_(call: Call) -> Json:
    """BalanceTransactions, newest first, by source, currency, type, or the automatic payout that paid them out.

    As at Stripe the payout's own movement is among its transactions, so that their net amounts sum up to zero.
    """
    filters = {"source": "source", "currency": "currency", "type": "type"}
    more = _paid_out_in(call, call.params["payout"]) if "payout" in call.params else None
    found = listed(call, KIND, "/v1/balance_transactions", filters=filters, more=more)
    return found | {"data": [as_of(body, call.now) for body in found["data"]]}


def _paid_out_in(call: Call, payout_id: str) -> list[Clause]:
    if not call.objects.get("payout", payout_id, param="payout")["automatic"]:
        raise InvalidRequestError(
            "Balance transaction history can only be filtered on automatic transfers, not manual.",
            param="payout",
        )
    return [("id IN (SELECT balance_transaction FROM paid_out WHERE payout = ?)", (payout_id,))]


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/balance_transactions",
        shape=shape(
            "_balance_transaction_list_params:BalanceTransactionListParams",
            f"{LIST_PARAMETERS} currency payout source type",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/balance_transactions/{id}",
        shape=shape("_balance_transaction_retrieve_params:BalanceTransactionRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
