"""`expand[]`: ids in an answer replaced by the objects they name (https://docs.stripe.com/api/expanding_objects)."""

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


def _into(objects: Objects, body: Json, parts: list[str], path: str) -> None:
    first, rest = parts[0], parts[1:]
    if body.get("object") in ("list", "search_result"):
        if first != "data" or not rest:
            raise _impossible(path)
        for item in body["data"]:
            _into(objects, item, rest, path)
        return
    fields = _FIELDS.get(body.get("object", ""), {})
    if first == "refunds" and body.get("object") == "charge":
        body["refunds"] = _refunds(objects, body["id"])
    elif first not in fields:
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


def _kind_of(object_id: str) -> str:
    return _KIND_BY_PREFIX[object_id.partition("_")[0]]


def _impossible(path: str) -> ParameterError:
    return ParameterError(
        f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' when it is a list.",
        param="expand",
    )
