"""InvoiceItems: additional charges on an invoice (https://docs.stripe.com/api/invoiceitems)."""

from stripe_sandbox.billing import clocks, lines
from stripe_sandbox.currencies import MAXIMUM_AMOUNT, currency_of
from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import customers, prices

KIND = "invoiceitem"


def create(call: Call) -> Json:
    """A new item: on a draft that is named, or waiting for the customer's next invoice."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    if "customer" not in params:
        raise ParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = customers.get(call, params["customer"])
    at = clocks.now_of(call, customer)
    item = _new(customer, at) | _worth(call) | {"metadata": merged({}, params.get("metadata", {}))}
    item["net_amount"] = item["amount"]
    item["period"] = params.get("period", {"end": at, "start": at})
    if "subscription" in params:
        subscription = call.objects.get("subscription", params["subscription"], param="subscription")
        if subscription["customer"] != customer["id"]:
            raise ParameterError("The subscription belongs to another customer.", param="subscription")
        item["parent"] = _parent(subscription["id"], None)
    call.objects.add(item)
    if "invoice" in params:
        _put_on(call, item, customer)
    call.emit("invoiceitem.created", item)
    return item


def add_proration(call: Call, customer: Json, of: Json, amount: int, words: str, *, since: int) -> Json:
    """What a change of a subscription item costs, or gives back when below 0, from `since` to its period's end."""
    item = _new(customer, clocks.now_of(call, customer)) | {
        "amount": amount,
        "currency": of["price"]["currency"],
        "description": words,
        "discountable": False,
        "net_amount": amount,
        "parent": _parent(of["subscription"], of["id"]),
        "period": {"end": of["current_period_end"], "start": since},
        "pricing": lines.pricing(of["price"]),
        "proration": True,
        "proration_details": {"credited_items": None, "discount_amounts": []},
        "quantity": of["quantity"],
        "quantity_decimal": str(of["quantity"]),
    }
    call.objects.add(item)
    call.emit("invoiceitem.created", item)
    return item


def remove(call: Call, item: Json) -> Json:
    """Forget an item that is on no invoice."""
    call.emit("invoiceitem.deleted", item)
    call.objects.remove(item)
    return {"id": item["id"], "object": KIND, "deleted": True}


def retrieve(call: Call) -> Json:
    """One item."""
    return call.objects.get(KIND, call.path["id"])


def update(call: Call) -> Json:
    """Change an item that waits for an invoice."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    item = _changeable(call)
    changed: Json = {}
    if "amount" in params:
        changed |= {"amount": _checked(params["amount"]), "net_amount": params["amount"]}
    if "description" in params:
        changed["description"] = params["description"] or None
    if "metadata" in params:
        changed["metadata"] = merged(item["metadata"], params["metadata"])
    return call.objects.save(item | changed)


def delete(call: Call) -> Json:
    """Take back an item that waits for an invoice."""
    return remove(call, _changeable(call))


def list_(call: Call) -> Json:
    """Items, newest first, by customer, invoice, or whether they wait for one."""
    more: list[Clause] = []
    if "pending" in call.params:
        waits = "json_extract(body, '$.invoice') IS NULL"
        more.append((waits if call.params["pending"] else f"NOT {waits}", ()))
    filters = {"customer": "customer", "invoice": "invoice"}
    return listed(call, KIND, "/v1/invoiceitems", filters=filters, more=more)


def _changeable(call: Call) -> Json:
    item = call.objects.get(KIND, call.path["id"])
    if item["invoice"] is not None:
        raise InvalidRequestError("This invoice item is on an invoice and can no longer be changed here.")
    return item


def _put_on(call: Call, item: Json, customer: Json) -> None:
    invoice = call.objects.get("invoice", call.params["invoice"], param="invoice")
    if invoice["status"] != "draft" or invoice["customer"] != customer["id"]:
        raise InvalidRequestError(
            "Invoice items can be added to a draft invoice of the same customer alone.", param="invoice"
        )
    if invoice["currency"] != item["currency"]:
        raise ParameterError("The currency of the invoice is another one.", param="currency")
    data = [*invoice["lines"]["data"], lines.of_invoice_item(item)]
    invoice["lines"] = lines.listed(invoice["id"], data)
    invoice |= lines.priced(invoice, customer["balance"])
    call.objects.save(invoice)
    call.objects.save(item | {"invoice": invoice["id"]})
    item["invoice"] = invoice["id"]
    call.emit("invoice.updated", invoice)


def _worth(call: Call) -> Json:
    """The amount, or the price and how often. Raises ParameterError."""
    params = call.params
    words = params.get("description")
    if ("amount" in params) == ("pricing" in params):
        raise ParameterError("You must provide exactly one of amount and pricing.", param="amount")
    if "amount" in params:
        if "currency" not in params:
            raise ParameterError(
                "Missing required param: currency.", code="parameter_missing", param="currency"
            )
        currency = currency_of(params["currency"]).code
        return {"amount": _checked(params["amount"]), "currency": currency, "description": words}
    price = prices.one_of(call, params["pricing"], "pricing")
    if price["type"] != "one_time":
        raise ParameterError("The price must have `type=one_time`.", param="pricing[price]")
    quantity = params.get("quantity", 1)
    if quantity < 0:
        raise ParameterError("Invalid integer: quantity must not be negative.", param="quantity")
    product = call.objects.find("product", price["product"]) or {}
    return {
        "amount": _checked(price["unit_amount"] * quantity),
        "currency": price["currency"],
        "description": words or product.get("name"),
        "pricing": lines.pricing(price),
        "quantity": quantity,
        "quantity_decimal": str(quantity),
    }


def _checked(amount: int) -> int:
    if abs(amount) > MAXIMUM_AMOUNT:
        raise ParameterError("The amount is too large.", code="amount_too_large", param="amount")
    return amount


def _parent(subscription: str, item: str | None) -> Json:
    details = {"subscription": subscription, "subscription_item": item}
    return {"subscription_details": details, "type": "subscription_details"}


def _new(customer: Json, at: int) -> Json:
    return {
        "id": new_id("ii"),
        "object": KIND,
        "customer": customer["id"],
        "customer_account": None,
        "date": at,
        "discountable": True,
        "discounts": [],
        "frozen_fields": None,
        "invoice": None,
        "invoicing_rules": None,
        "livemode": False,
        "parent": None,
        "pricing": None,
        "proration": False,
        "proration_details": None,
        "quantity": 1,
        "quantity_decimal": "1",
        "tax_rates": [],
        "test_clock": customer["test_clock"],
        "metadata": {},
    }


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/invoiceitems",
        shape=shape(
            "_invoice_item_create_params:InvoiceItemCreateParams",
            "amount currency customer description invoice metadata period pricing quantity subscription expand",
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/invoiceitems",
        shape=shape(
            "_invoice_item_list_params:InvoiceItemListParams", f"{LIST_PARAMETERS} customer invoice pending"
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/invoiceitems/{id}",
        shape=shape("_invoice_item_retrieve_params:InvoiceItemRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/invoiceitems/{id}",
        shape=shape(
            "_invoice_item_update_params:InvoiceItemUpdateParams", "amount description metadata expand"
        ),
        handler=update,
    ),
    Operation(
        method="DELETE",
        path="/v1/invoiceitems/{id}",
        shape=shape("_invoice_item_delete_params:InvoiceItemDeleteParams"),
        handler=delete,
    ),
)
