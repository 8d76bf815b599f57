"""Customers, the owners of stored payment methods (https://docs.stripe.com/api/customers)."""

from stripe_sandbox import schedule
from stripe_sandbox.billing import clocks
from stripe_sandbox.errors import InvalidRequestError, Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import refuse_unmodelled, shape

KIND = "customer"
_PLAIN = ("description", "email", "name", "phone")


def create(call: Call) -> Json:
    """A new customer."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    clock = clocks.of_new_customer(call, params["test_clock"]) if "test_clock" in params else None
    customer_id = new_id("cus")
    customer: Json = {name: params.get(name) for name in _PLAIN} | {
        "id": customer_id,
        "object": KIND,
        "address": params.get("address") or None,
        "balance": 0,
        "created": call.now if clock is None else clock["frozen_time"],
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": customer_id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "next_invoice_sequence": 1,
        "preferred_locales": params.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None if clock is None else clock["id"],
    }
    if "invoice_settings" in params:
        customer["invoice_settings"] |= _invoice_settings(call, customer)
    call.objects.add(customer)
    call.emit("customer.created", customer)
    return customer


def get(call: Call, customer_id: str) -> Json:
    """A customer who was not deleted. Raises NoSuchObjectError, InvalidRequestError."""
    customer = call.objects.get(KIND, customer_id, param="customer")
    if customer.get("deleted"):
        raise InvalidRequestError(
            f"No such customer: '{customer_id}'; a deleted customer cannot be used.", code="resource_missing"
        )
    return customer


def retrieve(call: Call) -> Json:
    """One customer, or the sign that there was one."""
    return call.objects.get(KIND, call.path["id"])


def update(call: Call) -> Json:
    """Change what is known of a customer."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    customer = get(call, call.path["id"])
    changed: Json = {name: params[name] or None for name in (*_PLAIN, "address") if name in params}
    if "metadata" in params:
        changed["metadata"] = merged(customer["metadata"], params["metadata"])
    if "preferred_locales" in params:
        changed["preferred_locales"] = params["preferred_locales"]
    if "invoice_settings" in params:
        changed["invoice_settings"] = customer["invoice_settings"] | _invoice_settings(call, customer)
    previous = {name: customer[name] for name in changed if customer[name] != changed[name]}
    call.objects.save(customer | changed)
    call.emit("customer.updated", customer | changed, previous=previous)
    return customer | changed


def _invoice_settings(call: Call, customer: Json) -> Json:
    """How invoices are paid when nothing else is said. Raises InvalidRequestError, NotModelledError."""
    given = call.params["invoice_settings"]
    refuse_unmodelled(given, "default_payment_method", "invoice_settings")
    name = given.get("default_payment_method")
    if not name:
        return {"default_payment_method": None}
    return {"default_payment_method": own_payment_method(call, customer, name)}


def own_payment_method(call: Call, customer: Json, name: str) -> str:
    """The id of a PaymentMethod that is kept with this customer. Raises InvalidRequestError, NoSuchObjectError."""
    method = call.objects.get("payment_method", name, param="payment_method")
    if method["customer"] != customer["id"]:
        raise InvalidRequestError(
            f"The customer does not have a payment method with the ID {name}. The payment method must be attached "
            "to the customer.",
            code="resource_missing",
            param="payment_method",
        )
    return str(method["id"])


def delete(call: Call) -> Json:
    """Forget a customer, for ever."""
    customer = get(call, call.path["id"])
    call.emit("customer.deleted", customer)
    schedule.put_off(call, "forget_customer", customer["id"])
    return call.objects.save({"id": customer["id"], "object": KIND, "deleted": True})


def list_(call: Call) -> Json:
    """Customers, newest first, by e-mail address; those of a test clock when it is named."""
    alive: list[Clause] = [("json_extract(body, '$.deleted') IS NULL", ())]
    if "test_clock" not in call.params:
        alive.append(("json_extract(body, '$.test_clock') IS NULL", ()))
    filters = {"email": "email", "test_clock": "test_clock"}
    return listed(call, KIND, "/v1/customers", filters=filters, more=alive)


_KNOWN = "address description email invoice_settings metadata name phone preferred_locales expand"
OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/customers",
        shape=shape("_customer_create_params:CustomerCreateParams", f"{_KNOWN} test_clock"),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/customers",
        shape=shape("_customer_list_params:CustomerListParams", f"{LIST_PARAMETERS} email test_clock"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/customers/{id}",
        shape=shape("_customer_retrieve_params:CustomerRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/customers/{id}",
        shape=shape("_customer_update_params:CustomerUpdateParams", _KNOWN),
        handler=update,
    ),
    Operation(
        method="DELETE",
        path="/v1/customers/{id}",
        shape=shape("_customer_delete_params:CustomerDeleteParams"),
        handler=delete,
    ),
)
