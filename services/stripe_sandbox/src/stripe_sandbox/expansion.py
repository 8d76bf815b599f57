"""`expand[]`: ids in an answer replaced by the objects they name (https://docs.stripe.com/api/expanding_objects)."""

from collections.abc import Callable

from stripe_sandbox.errors import Json, ParameterError
from stripe_sandbox.objects import Objects
from stripe_sandbox.resources import balance_transactions

MAXIMUM_DEPTH = 4
_FIELDS: dict[str, dict[str, str]] = {
    "application_fee": {"balance_transaction": "balance_transaction"},
    "fee_refund": {"balance_transaction": "balance_transaction", "fee": "application_fee"},
    "payment_intent": {
        "customer": "customer",
        "latest_charge": "charge",
        "payment_method": "payment_method",
    },
    "payment_method": {"customer": "customer"},
    "mandate": {"payment_method": "payment_method"},
    "setup_intent": {"customer": "customer", "mandate": "mandate", "payment_method": "payment_method"},
    "charge": {
        "customer": "customer",
        "balance_transaction": "balance_transaction",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "customer": {"test_clock": "test_helpers.test_clock"},
    "invoice": {
        "customer": "customer",
        "default_payment_method": "payment_method",
        "test_clock": "test_helpers.test_clock",
    },
    "invoice_payment": {"invoice": "invoice"},
    "invoiceitem": {
        "customer": "customer",
        "invoice": "invoice",
        "test_clock": "test_helpers.test_clock",
    },
    "payment": {"payment_intent": "payment_intent"},
    "price": {"product": "product"},
    "product": {"default_price": "price"},
    "subscription": {
        "customer": "customer",
        "default_payment_method": "payment_method",
        "latest_invoice": "invoice",
        "test_clock": "test_helpers.test_clock",
    },
    "payout": {
        "balance_transaction": "balance_transaction",
        "destination": "bank_account",
        "failure_balance_transaction": "balance_transaction",
    },
    "radar.early_fraud_warning": {"charge": "charge", "payment_intent": "payment_intent"},
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
    },
    "balance_transaction": {"source": ""},
}
_KIND_BY_PREFIX = {
    "ch": "charge",
    "du": "dispute",
    "fee": "application_fee",
    "fr": "fee_refund",
    "po": "payout",
    "re": "refund",
}


def expand(objects: Objects, body: Json, paths: list[str]) -> Json:
    """The same answer with every path expanded. Raises ParameterError for what has nothing to expand."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAXIMUM_DEPTH:
            raise ParameterError(
                f"You cannot expand more than {MAXIMUM_DEPTH} levels of a property.", param="expand"
            )
        _into(objects, body, parts, path)
    return body


def _into(objects: Objects, body: Json, parts: list[str], path: str, *, kind: str | None = None) -> None:
    first, rest = parts[0], parts[1:]
    if body.get("object") in ("list", "search_result"):
        if first != "data" or not rest:
            raise _impossible(path)
        for item in body["data"]:
            _into(objects, item, rest, path)
        return
    kind = kind or body.get("object", "")
    fields = _FIELDS.get(kind, {})
    if (kind, first) in _MADE and first not in body:
        body[first] = _MADE[kind, first](objects, body["id"])
    elif rest and (kind, first) in _WITHIN:
        # A hash that is no object: its own fields are what can be expanded.
        _into(objects, body[first], rest, path, kind=first)
        return
    elif first not in fields and (kind, first) not in _MADE:
        raise _impossible(path)
    elif isinstance(body.get(first), str):
        # What belongs to another account stays an id.
        body[first] = _found(objects, fields[first] or _kind_of(body[first]), body[first]) or body[first]
    if rest and isinstance(body.get(first), dict):
        _into(objects, body[first], rest, path)


def _found(objects: Objects, kind: str, object_id: str) -> Json | None:
    if kind == balance_transactions.KIND:
        return balance_transactions.find(objects, object_id)
    return objects.find(kind, object_id)


def _refunds(objects: Objects, charge_id: str) -> Json:
    data = objects.where("refund", {"charge": charge_id})
    return {"object": "list", "url": f"/v1/charges/{charge_id}/refunds", "has_more": False, "data": data}


def _payments(objects: Objects, invoice_id: str) -> Json:
    data = objects.where("invoice_payment", {"invoice": invoice_id})
    url = f"/v1/invoice_payments?invoice={invoice_id}"
    return {"object": "list", "url": url, "has_more": False, "data": data}


def _confirmation_secret(objects: Objects, invoice_id: str) -> Json | None:
    for payment in objects.where("invoice_payment", {"invoice": invoice_id}):
        intent = objects.get("payment_intent", payment["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


_MADE: dict[tuple[str, str], Callable[[Objects, str], Json | None]] = {
    ("charge", "refunds"): _refunds,
    ("invoice", "confirmation_secret"): _confirmation_secret,
    ("invoice", "payments"): _payments,
}
"""What is there only when it is asked for."""

_WITHIN = frozenset(
    {("invoice_payment", "payment"), ("subscription", "items"), ("subscription_item", "price")}
)


def _kind_of(object_id: str) -> str:
    return _KIND_BY_PREFIX[object_id.partition("_")[0]]


def _impossible(path: str) -> ParameterError:
    return ParameterError(
        f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' when it is a list.",
        param="expand",
    )
