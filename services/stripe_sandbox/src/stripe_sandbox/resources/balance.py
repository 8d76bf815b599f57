"""An account's balance: the sum of its balance transactions (https://docs.stripe.com/api/balance)."""

from stripe_sandbox.errors import Json
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

_DEFAULT_CURRENCY = "eur"  # shown with nothing in it when nothing has moved yet
# The movements' bodies hold net amounts in minor units; what is available by now is told by time alone.
_SUMS = """
SELECT json_extract(body, '$.currency') AS currency,
       json_extract(body, '$.available_on') <= ? AS available,
       sum(json_extract(body, '$.net')) AS net
FROM objects
WHERE account = ? AND kind = 'balance_transaction'
GROUP BY 1, 2
"""


def available(call: Call, currency: str) -> int:
    """What the call's account can pay out now, in minor units; below zero when it owes."""
    return _sums(call).get((currency, True), 0)


def retrieve(call: Call) -> Json:
    """Available and pending money, by currency."""
    sums = _sums(call)
    currencies = sorted({currency for currency, _ in sums}) or [_DEFAULT_CURRENCY]
    return {
        "object": "balance",
        "available": [_line(currency, sums.get((currency, True), 0)) for currency in currencies],
        "livemode": False,
        "pending": [_line(currency, sums.get((currency, False), 0)) for currency in currencies],
        "refund_and_dispute_prefunding": {
            "available": [_line(currency, 0) for currency in currencies],
            "pending": [_line(currency, 0) for currency in currencies],
        },
    }


def make_available(call: Call) -> None:
    """Let all that is pending on the call's account have waited long enough."""
    call.objects.connection.execute(
        "UPDATE objects SET body = json_set(body, '$.available_on', ?)"
        " WHERE account = ? AND kind = 'balance_transaction' AND json_extract(body, '$.available_on') > ?",
        (call.now, call.objects.account, call.now),
    )


def _sums(call: Call) -> dict[tuple[str, bool], int]:
    rows = call.objects.connection.execute(_SUMS, (call.now, call.objects.account)).fetchall()
    return {(row["currency"], bool(row["available"])): row["net"] for row in rows}


def _line(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/balance",
        shape=shape("_balance_retrieve_params:BalanceRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
