"""Prices: one-time or recurring amounts (https://docs.stripe.com/api/prices).

Amounts are integers in the currency's minor unit. What is billed by use, in tiers or by the customer's choice is not
modelled.
"""

from stripe_sandbox.currencies import MAXIMUM_AMOUNT, currency_of
from stripe_sandbox.errors import Json, NotModelledError, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import refuse_unmodelled, shape
from stripe_sandbox.resources import products

KIND = "price"
# "Maximum of three years interval allowed" (https://docs.stripe.com/api/prices/create).
_INTERVALS_MAX = {"day": 1095, "week": 156, "month": 36, "year": 3}


def create(call: Call) -> Json:
    """A new price, of a product that is there or comes with it."""
    params = call.params
    if ("product" in params) == ("product_data" in params):
        raise ParameterError("You must provide exactly one of product and product_data.", param="product")
    if "product_data" in params:
        refuse_unmodelled(
            params["product_data"], "active id metadata name statement_descriptor unit_label", "product_data"
        )
        product = products.add(call, params["product_data"])["id"]
    else:
        product = call.objects.get(products.KIND, params["product"], param="product")["id"]
    return add(call, params | {"product": product}, active=params.get("active", True))


def add(call: Call, given: Json, *, active: bool) -> Json:
    """A price of these parameters, stored and told of. Raises ParameterError, NotModelledError."""
    check_metadata(given.get("metadata", {}))
    currency, amount = currency_of(given["currency"]), _amount(given)
    key = given.get("lookup_key")
    if key is not None:
        _free(call, key, transfer=given.get("transfer_lookup_key", False))
    recurring = _recurring(given["recurring"]) if "recurring" in given else None
    price: Json = {
        "id": new_id(KIND),
        "object": KIND,
        "active": active,
        "billing_scheme": "per_unit",
        "created": call.now,
        "currency": currency.code,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": key,
        "metadata": merged({}, given.get("metadata", {})),
        "nickname": given.get("nickname"),
        "product": given["product"],
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    call.objects.add(price)
    call.emit("price.created", price)
    return price


def one_of(call: Call, given: Json, path: str) -> Json:
    """The active price that an item names, or the one made of its `price_data`. Raises ParameterError."""
    if ("price" in given) == ("price_data" in given):
        raise ParameterError(
            f"You must provide exactly one of {path}[price] and {path}[price_data].", param=f"{path}[price]"
        )
    if "price" in given:
        price = call.objects.get(KIND, given["price"], param=f"{path}[price]")
        if not price["active"]:
            raise ParameterError(
                "The price specified is inactive. This field only accepts active prices.",
                param=f"{path}[price]",
            )
        return price
    data = given["price_data"]
    refuse_unmodelled(data, "currency product recurring unit_amount", f"{path}[price_data]")
    call.objects.get(products.KIND, data["product"], param=f"{path}[price_data][product]")
    # Made for this once, as at Stripe: nobody else can use it.
    return add(call, data, active=False)


def retrieve(call: Call) -> Json:
    """One price."""
    return call.objects.get(KIND, call.path["id"])


def update(call: Call) -> Json:
    """Change what may be changed: never the amount."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    price = call.objects.get(KIND, call.path["id"])
    changed: Json = {name: params[name] for name in ("active", "nickname") if name in params}
    if "lookup_key" in params:
        if params["lookup_key"] != price["lookup_key"]:
            _free(call, params["lookup_key"], transfer=params.get("transfer_lookup_key", False))
        changed["lookup_key"] = params["lookup_key"]
    if "metadata" in params:
        changed["metadata"] = merged(price["metadata"], params["metadata"])
    previous = {name: price[name] for name in changed if price[name] != changed[name]}
    call.objects.save(price | changed)
    call.emit("price.updated", price | changed, previous=previous)
    return price | changed


def list_(call: Call) -> Json:
    """Prices, newest first, by product, currency, type, lookup keys, or whether they are active."""
    more: list[Clause] = []
    if "lookup_keys" in call.params:
        marks = ", ".join("?" * len(call.params["lookup_keys"]))
        more.append((f"json_extract(body, '$.lookup_key') IN ({marks})", tuple(call.params["lookup_keys"])))
    for name, value in call.params.get("recurring", {}).items():
        more.append(("json_extract(body, ?) = ?", (f"$.recurring.{name}", value)))
    filters = {name: name for name in ("active", "currency", "product", "type")}
    return listed(call, KIND, "/v1/prices", filters=filters, more=more)


def _amount(given: Json) -> int:
    amount = given.get("unit_amount")
    if amount is None:
        raise NotModelledError("This sandbox models prices with a unit_amount.", param="unit_amount")
    if not 0 <= amount <= MAXIMUM_AMOUNT:
        raise ParameterError(
            f"Invalid integer: unit_amount must be from 0 to {MAXIMUM_AMOUNT}.",
            code="parameter_invalid_integer",
            param="unit_amount",
        )
    return int(amount)


def _recurring(given: Json) -> Json:
    refuse_unmodelled(given, "interval interval_count usage_type", "recurring")
    if given.get("usage_type", "licensed") != "licensed":
        raise NotModelledError("This sandbox does not model prices by use.", param="recurring[usage_type]")
    count = given.get("interval_count", 1)
    if not 1 <= count <= _INTERVALS_MAX[given["interval"]]:
        raise ParameterError(
            f"Invalid integer: interval_count must be from 1 to {_INTERVALS_MAX[given['interval']]} for "
            f"{given['interval']}.",
            code="parameter_invalid_integer",
            param="recurring[interval_count]",
        )
    return {
        "interval": given["interval"],
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _free(call: Call, key: str, *, transfer: bool) -> None:
    """Take a lookup key from the price that has it, if that is asked for. Raises ParameterError."""
    for holder in call.objects.where(KIND, {"lookup_key": key}):
        if not transfer:
            raise ParameterError(
                f"A price (`{holder['id']}`) already uses that lookup key.",
                code="resource_already_exists",
                param="lookup_key",
            )
        call.objects.save(holder | {"lookup_key": None})
        call.emit("price.updated", holder | {"lookup_key": None}, previous={"lookup_key": key})


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/prices",
        shape=shape(
            "_price_create_params:PriceCreateParams",
            "active currency lookup_key metadata nickname product product_data recurring transfer_lookup_key "
            "unit_amount expand",
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/prices",
        shape=shape(
            "_price_list_params:PriceListParams",
            f"{LIST_PARAMETERS} active currency lookup_keys product recurring type",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/prices/{id}",
        shape=shape("_price_retrieve_params:PriceRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/prices/{id}",
        shape=shape(
            "_price_update_params:PriceUpdateParams",
            "active lookup_key metadata nickname transfer_lookup_key expand",
        ),
        handler=update,
    ),
)
