"""The items of a subscription: which price, how often (https://docs.stripe.com/api/subscription_items)."""

from copy import deepcopy
from dataclasses import dataclass

from stripe_sandbox.billing import lines
from stripe_sandbox.currencies import MAXIMUM_AMOUNT
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call
from stripe_sandbox.parameters import refuse_unmodelled
from stripe_sandbox.resources import prices

_NEW = "metadata price price_data quantity"
ITEMS_MAX = 20
QUANTITY_MAX = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Of:
    """The subscription, time and period of new items."""

    subscription: str
    at: int
    period: lines.Period


def made(call: Call, given: list[Json], of: Of) -> list[Json]:
    """The items of a new subscription. Raises ParameterError, NotModelledError."""
    items = []
    for index, one in enumerate(given):
        path = f"items[{index}]"
        refuse_unmodelled(one, _NEW, path)
        items.append(_new(call, one, of, path))
    check(items)
    return items


def changed(call: Call, current: list[Json], given: list[Json], of: Of) -> list[Json]:
    """What the items are after an update: named ones changed or deleted, others added, the rest as before.

    Raises ParameterError, InvalidRequestError, NotModelledError.
    """
    items = {item["id"]: deepcopy(item) for item in current}
    added = []
    for index, one in enumerate(given):
        path = f"items[{index}]"
        refuse_unmodelled(one, f"{_NEW} deleted id", path)
        if "id" not in one:
            added.append(_new(call, one, of, path))
            continue
        if one["id"] not in items:
            raise ParameterError(
                f"No such subscription item: '{one['id']}'", code="resource_missing", param=f"{path}[id]"
            )
        if one.get("deleted"):
            del items[one["id"]]
        else:
            _change(call, items[one["id"]], one, path)
    result = [*items.values(), *added]
    check(result)
    return result


def check(items: list[Json]) -> None:
    """Raises InvalidRequestError, NotModelledError for items that cannot stand side by side."""
    if not 1 <= len(items) <= ITEMS_MAX:
        raise InvalidRequestError(
            f"A subscription must have at least one active item, and no more than {ITEMS_MAX}.", param="items"
        )
    found = [item["price"] for item in items]
    if any(price["recurring"] is None for price in found):
        raise ParameterError(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param="items",
        )
    if len({price["id"] for price in found}) < len(found):
        raise InvalidRequestError(
            "Cannot add multiple subscription items with the same price.", param="items"
        )
    if len({price["currency"] for price in found}) > 1:
        raise InvalidRequestError("All prices on a subscription must have the same currency.", param="items")
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in found}) > 1:
        raise NotModelledError("This sandbox does not model items with different intervals.", param="items")
    if sum(lines.amount_of(item) for item in items) > MAXIMUM_AMOUNT:
        raise ParameterError("The amount of a period is too large.", code="amount_too_large", param="items")


def _new(call: Call, given: Json, of: Of, path: str) -> Json:
    check_metadata(given.get("metadata", {}))
    item: Json = {
        "id": new_id("si"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": of.at,
        "current_period_end": of.period.end,
        "current_period_start": of.period.start,
        "discounts": [],
        "metadata": merged({}, given.get("metadata", {})),
        "quantity": _quantity(given, path),
        "subscription": of.subscription,
        "tax_rates": [],
    }
    return item | _priced(prices.one_of(call, given, path))


def _change(call: Call, item: Json, given: Json, path: str) -> None:
    if "price" in given or "price_data" in given:
        item |= _priced(prices.one_of(call, given, path))
    if "quantity" in given:
        item["quantity"] = _quantity(given, path)
    if "metadata" in given:
        check_metadata(given["metadata"])
        item["metadata"] = merged(item["metadata"], given["metadata"])


def _quantity(given: Json, path: str) -> int:
    quantity = given.get("quantity", 1)
    if not 0 <= quantity <= QUANTITY_MAX:
        raise ParameterError(
            f"Invalid integer: quantity must be from 0 to {QUANTITY_MAX}.",
            code="parameter_invalid_integer",
            param=f"{path}[quantity]",
        )
    return int(quantity)


def _priced(price: Json) -> Json:
    """An item's price, and the same as a plan for those who still read it so."""
    recurring = price["recurring"] or {}
    plan: Json = {name: price[name] for name in ("active", "billing_scheme", "created", "currency", "id")}
    plan |= {name: price[name] for name in ("livemode", "metadata", "nickname", "product", "tiers_mode")}
    plan |= {
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count"),
        "meter": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {"plan": plan, "price": price}
