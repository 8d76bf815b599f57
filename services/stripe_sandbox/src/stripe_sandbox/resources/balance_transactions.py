"""BalanceTransactions: every movement of an account's Stripe balance, with its fee."""

from stripe_sandbox.currencies import currency_of
from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

# When money becomes available for payout: the usual delay for card payments in Europe.
_AVAILABLE_AFTER_SECONDS = 7 * 24 * 3600


def add_for_charge(call: Call, charge: Json) -> Json:
    """The credit of a captured charge less Stripe's fee, all in minor units of the charge's currency."""
    currency = currency_of(charge["currency"])
    fee = currency.fee(charge["amount_captured"])
    return _add(call, charge, kind="charge", amount=charge["amount_captured"], fee=fee, category="charge")


def add_for_refund(call: Call, refund: Json) -> Json:
    """The debit of a refund. Stripe keeps the fee of the original charge."""
    return _add(call, refund, kind="refund", amount=-refund["amount"], fee=0, category="refund")


def _add(call: Call, source: Json, *, kind: str, amount: int, fee: int, category: str) -> Json:
    description = "Stripe processing fees"
    detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": description,
        "type": "stripe_fee",
    }
    return call.objects.add(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": call.now + _AVAILABLE_AFTER_SECONDS,
            "balance_type": "payments",
            "created": call.now,
            "currency": source["currency"],
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "pending",
            "type": kind,
        }
    )


def retrieve(call: Call) -> Json:
    """One BalanceTransaction."""
    return call.objects.get("balance_transaction", call.path["id"])


def list_(call: Call) -> Json:
    """BalanceTransactions, newest first, by source, currency or type."""
    filters = {"source": "source", "currency": "currency", "type": "type"}
    return listed(call, "balance_transaction", "/v1/balance_transactions", filters=filters)


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/balance_transactions",
        shape=shape(
            "_balance_transaction_list_params:BalanceTransactionListParams",
            f"{LIST_PARAMETERS} currency source type",
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
