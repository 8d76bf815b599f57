"""Payouts: from the balance to the bank (https://docs.stripe.com/api/payouts, https://docs.stripe.com/payouts).

A payout takes its amount out of the balance when it is made; it is `pending` until the bank has it (`in_transit`),
then `paid`. One that fails or is canceled puts the amount back. An automatic payout pays out everything available, and
tells which movements that were; a manual one has an amount of its own, and cannot tell.
"""

from stripe_sandbox import schedule
from stripe_sandbox.currencies import currency_of
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, between, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import balance, balance_transactions, payout_accounts
from stripe_sandbox.resources.balance_transactions import Movement

KIND = "payout"
_UNPAID = """
SELECT id, json_extract(body, '$.net') AS net
FROM objects
WHERE account = ? AND kind = 'balance_transaction'
  AND json_extract(body, '$.currency') = ?
  AND json_extract(body, '$.available_on') <= ?
  AND id NOT IN (SELECT balance_transaction FROM paid_out)
"""


def create(call: Call) -> Json:
    """A manual payout."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    if params.get("method", "standard") != "standard":
        raise NotModelledError("This sandbox models payouts of method standard.", param="method")
    if params["amount"] < 1:
        raise ParameterError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    currency = currency_of(params["currency"]).code
    if "destination" in params:
        call.objects.get(payout_accounts.KIND, params["destination"], param="destination")
    if params["amount"] > balance.available(call, currency):
        raise InvalidRequestError(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. "
            "You can use the /v1/balance endpoint to view your Stripe balance.",
            code="balance_insufficient",
        )
    return _begin(call, _new(call, params["amount"], currency, automatic=False))


def pay_out_all(call: Call, currency: str) -> Json:
    """An automatic payout of everything available in this currency. Raises InvalidRequestError when that is nothing."""
    rows = call.objects.connection.execute(_UNPAID, (call.objects.account, currency, call.now)).fetchall()
    amount = sum(row["net"] for row in rows)
    if amount < 1:
        raise InvalidRequestError(
            f"Nothing to pay out: {amount} {currency} are available. Send "
            '{"include_pending": true} for what is still pending.'
        )
    payout = _begin(call, _new(call, amount, currency, automatic=True))
    paid = [*(row["id"] for row in rows), payout["balance_transaction"]]
    call.objects.connection.executemany(
        "INSERT INTO paid_out (balance_transaction, payout) VALUES (?, ?)",
        [(transaction_id, payout["id"]) for transaction_id in paid],
    )
    return payout


def submit(call: Call, payout_id: str) -> None:
    """The bank has it. What an automatic payout paid out is known from here on."""
    payout = call.objects.get(KIND, payout_id)
    if payout["status"] != "pending":
        return
    payout["status"] = "in_transit"
    _update(call, payout, {"status": "pending"})
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
        call.objects.save(payout)
        call.emit("payout.reconciliation_completed", payout)


def settle(call: Call, payout_id: str) -> None:
    """The bank has taken the money, or could not."""
    payout = call.objects.get(KIND, payout_id)
    if payout["status"] != "in_transit":
        return
    code = payout_accounts.failure_of(call.objects.get(payout_accounts.KIND, payout["destination"]))
    if code is not None:
        fail(call, payout, code)
        return
    payout["status"] = "paid"
    call.objects.save(payout)
    call.emit("payout.paid", payout)
    previous = {"trace_id": payout["trace_id"]}
    payout["trace_id"] = {"status": "supported", "value": f"SANDBOX{payout['id'][-16:].upper()}"}
    _update(call, payout, previous)


def fail(call: Call, payout: Json, code: str) -> Json:
    """The bank sends the money back, even after it was `paid`. Raises InvalidRequestError when it has come back."""
    if payout["status"] not in ("pending", "in_transit", "paid"):
        raise InvalidRequestError(f"This payout is {payout['status']}: its money is back already.")
    payout |= {
        "status": "failed",
        "failure_code": code,
        "failure_message": payout_accounts.FAILURES[code],
    }
    _put_back(call, payout, "payout_failure", "STRIPE PAYOUT FAILURE")
    call.emit("payout.failed", payout)
    return payout


def cancel(call: Call) -> Json:
    """Take back a manual payout that the bank does not have yet."""
    payout = call.objects.get(KIND, call.path["id"], param="payout")
    if payout["automatic"]:
        raise InvalidRequestError("Automatic payouts cannot be canceled.")
    if payout["status"] != "pending":
        raise InvalidRequestError(
            f"Payouts to bank accounts can only be canceled while they are pending; this one is {payout['status']}."
        )
    payout["status"] = "canceled"
    _put_back(call, payout, "payout_cancel", "STRIPE PAYOUT CANCEL")
    call.emit("payout.canceled", payout)
    return payout


def update(call: Call) -> Json:
    """Change a payout's metadata."""
    check_metadata(call.params.get("metadata", {}))
    payout = call.objects.get(KIND, call.path["id"], param="payout")
    previous = {"metadata": payout["metadata"]}
    payout["metadata"] = merged(payout["metadata"], call.params.get("metadata", {}))
    return _update(call, payout, previous)


def retrieve(call: Call) -> Json:
    """One payout."""
    return call.objects.get(KIND, call.path["id"], param="payout")


def list_(call: Call) -> Json:
    """Payouts, newest first, by status, destination or day of arrival."""
    more = between("json_extract(body, '$.arrival_date')", call.params.get("arrival_date"))
    filters = {"status": "status", "destination": "destination"}
    return listed(call, KIND, "/v1/payouts", filters=filters, more=more)


def _begin(call: Call, payout: Json) -> Json:
    taken = Movement(type=KIND, category=KIND, amount=-payout["amount"], description="STRIPE PAYOUT")
    payout["balance_transaction"] = balance_transactions.add(call, payout, taken)["id"]
    call.objects.add(payout)
    call.emit("payout.created", payout)
    delay = call.settings.payout_delay
    schedule.put_off(call, "submit_payout", payout["id"], delay / 2)
    schedule.put_off(call, "settle_payout", payout["id"], delay)
    return payout


def _put_back(call: Call, payout: Json, kind: str, description: str) -> None:
    returned = Movement(
        type=kind, category="payout_reversal", amount=payout["amount"], description=description
    )
    payout["failure_balance_transaction"] = balance_transactions.add(call, payout, returned)["id"]
    payout["trace_id"] = {"status": "unsupported", "value": None}
    call.objects.save(payout)


def _update(call: Call, payout: Json, previous: Json) -> Json:
    call.objects.save(payout)
    call.emit("payout.updated", payout, previous=previous)
    return payout


def _new(call: Call, amount: int, currency: str, *, automatic: bool) -> Json:
    params = {} if automatic else call.params
    destination = params.get("destination") or payout_accounts.destination(call, currency)["id"]
    return {
        "id": new_id("po"),
        "object": KIND,
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": call.now + int(call.settings.payout_delay.total_seconds()),
        "automatic": automatic,
        "balance_transaction": None,
        "created": call.now,
        "currency": currency,
        "description": "STRIPE PAYOUT" if automatic else params.get("description"),
        "destination": destination,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": params.get("statement_descriptor"),
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/payouts",
        shape=shape(
            "_payout_create_params:PayoutCreateParams",
            "amount currency description destination metadata method statement_descriptor expand",
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/payouts",
        shape=shape(
            "_payout_list_params:PayoutListParams", f"{LIST_PARAMETERS} arrival_date destination status"
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/payouts/{id}",
        shape=shape("_payout_retrieve_params:PayoutRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/payouts/{id}",
        shape=shape("_payout_update_params:PayoutUpdateParams", "metadata expand"),
        handler=update,
    ),
    Operation(
        method="POST",
        path="/v1/payouts/{id}/cancel",
        shape=shape("_payout_cancel_params:PayoutCancelParams", "expand"),
        handler=cancel,
    ),
)
