"""Invoices API (https://docs.stripe.com/api/invoices).

What they do by themselves is in `billing`; here is what may be asked of them.
"""

from stripe_sandbox.billing import collection, invoicing, lines, previews, standing
from stripe_sandbox.billing.clocks import now_of
from stripe_sandbox.billing.invoicing import KIND
from stripe_sandbox.currencies import currency_of
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed, within
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Handler, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import customers, invoice_items

_PAYABLE = frozenset({"draft", "open", "uncollectible"})


def create(call: Call) -> Json:
    """A draft beside the periods of a subscription, empty unless the items that wait are to be on it."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    _check_common(params)
    if "customer" not in params:
        raise ParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = customers.get(call, params["customer"])
    subscription = None
    if "subscription" in params:
        subscription = call.objects.get(standing.KIND, params["subscription"], param="subscription")
    at = now_of(call, customer)
    method = params.get("default_payment_method")
    advances = params.get("auto_advance", False)
    wanted = invoicing.InvoiceDraft(
        customer=customer,
        currency=_currency(call, customer, subscription),
        reason="manual",
        period=lines.Period(at, at),
        subscription=subscription,
        auto_advance=advances,
        finalizes_itself=advances,
        description=params.get("description"),
        metadata=merged({}, params.get("metadata", {})),
        default_payment_method=method and customers.own_payment_method(call, customer, method),
    )
    includes = params.get("pending_invoice_items_behavior", "exclude") == "include"
    return invoicing.draft(call, wanted, takes_waiting=includes)


def retrieve(call: Call) -> Json:
    """One invoice."""
    return call.objects.get(KIND, call.path["id"])


def update(call: Call) -> Json:
    """Change an invoice's words, or whether it goes on by itself."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    invoice = call.objects.get(KIND, call.path["id"])
    changed: Json = {}
    if "description" in params:
        changed["description"] = params["description"] or None
    if "metadata" in params:
        changed["metadata"] = merged(invoice["metadata"], params["metadata"])
    if "default_payment_method" in params:
        customer = customers.get(call, invoice["customer"])
        changed["default_payment_method"] = customers.own_payment_method(
            call, customer, params["default_payment_method"]
        )
    if "auto_advance" in params:
        changed |= invoicing.advances(call, invoice, by_itself=params["auto_advance"])
    previous = {name: invoice[name] for name in changed if invoice[name] != changed[name]}
    call.objects.save(invoice | changed)
    call.emit("invoice.updated", invoice | changed, previous=previous)
    return invoice | changed


def finalize(call: Call) -> Json:
    """Make a draft final; its money is asked for if it goes on by itself."""
    invoice = _in(call, "draft", "finalized")
    if "auto_advance" in call.params:
        invoice["auto_advance"] = call.params["auto_advance"]
    return collection.collect(call, invoice, tries=bool(invoice["auto_advance"]))


def pay(call: Call) -> Json:
    """Try to pay an invoice now, or say that it was paid elsewhere. Raises CardError: the attempt is kept."""
    params = call.params
    invoice = call.objects.get(KIND, call.path["id"])
    if invoice["status"] not in _PAYABLE:
        raise InvalidRequestError(
            "Invoice is already paid"
            if invoice["status"] == "paid"
            else "This invoice can no longer be paid",
            code="invoice_not_editable",
        )
    if invoice["status"] == "draft":
        invoice = collection.collect(call, invoice, tries=False)
    if invoice["status"] == "paid":
        return invoice
    if params.get("paid_out_of_band"):
        return collection.settle(call, invoice, out_of_band=True)
    method = params.get("payment_method") or standing.payment_method(call, invoice)
    if method is None:
        raise InvalidRequestError(
            "There is no payment method to pay this invoice with: name one, or set the customer's default.",
            code="resource_missing",
        )
    refused = collection.attempt(
        call, invoice, method, off_session=params.get("off_session", False), by_itself=False
    )
    if refused is not None:
        raise refused
    return call.objects.get(KIND, invoice["id"])


def void(call: Call) -> Json:
    """Take back a final invoice, as if it had never been."""
    invoice = _in(call, ("open", "uncollectible"), "voided")
    invoice = invoicing.mark_void(call, invoice)
    standing.follow(call, invoice)
    return invoice


def mark_uncollectible(call: Call) -> Json:
    """Write a debt off."""
    invoice = invoicing.mark_uncollectible(call, _in(call, "open", "marked uncollectible"))
    standing.follow(call, invoice)
    return invoice


def delete(call: Call) -> Json:
    """Forget a draft that is no subscription's; its items wait again."""
    invoice = _in(call, "draft", "deleted")
    if invoicing.subscription_of(invoice) is not None:
        raise InvalidRequestError("You can't delete invoices created by subscriptions.")
    for item in call.objects.where(invoice_items.KIND, {"invoice": invoice["id"]}):
        call.objects.save(item | {"invoice": None})
    call.emit("invoice.deleted", invoice)
    call.objects.remove(invoice)
    return {"id": invoice["id"], "object": KIND, "deleted": True}


def create_preview(call: Call) -> Json:
    """The next invoice as it would be, with changes or without; nothing of it is kept."""
    return previews.preview(call)


def list_(call: Call) -> Json:
    """Invoices, newest first, by customer, subscription or status."""
    more: list[Clause] = []
    if "subscription" in call.params:
        of = "json_extract(body, '$.parent.subscription_details.subscription') = ?"
        more.append((of, (call.params["subscription"],)))
    filters = {"customer": "customer", "status": "status"}
    return listed(call, KIND, "/v1/invoices", filters=filters, more=more)


def list_lines(call: Call) -> Json:
    """An invoice's lines, in their order."""
    invoice = call.objects.get(KIND, call.path["id"])
    return within(call, invoice["lines"]["data"], f"/v1/invoices/{invoice['id']}/lines")


def _in(call: Call, states: str | tuple[str, ...], wanted: str) -> Json:
    """The invoice of the path. Raises InvalidRequestError when its state does not allow this."""
    invoice = call.objects.get(KIND, call.path["id"])
    allowed = (states,) if isinstance(states, str) else states
    if invoice["status"] not in allowed:
        raise InvalidRequestError(
            f"You can only have an invoice {wanted} that is {' or '.join(allowed)}. This invoice is "
            f"{invoice['status']}.",
            code="invoice_not_editable",
        )
    return invoice


def _currency(call: Call, customer: Json, subscription: Json | None) -> str:
    if "currency" in call.params:
        return currency_of(call.params["currency"]).code
    if subscription is not None:
        return str(subscription["currency"])
    waiting = call.objects.where(invoice_items.KIND, {"customer": customer["id"]})
    if waiting:
        return str(waiting[0]["currency"])
    raise ParameterError(
        "Missing required param: currency. Stripe would take the account's own, which this sandbox does not know.",
        code="parameter_missing",
        param="currency",
    )


def _check_common(params: Json) -> None:
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise NotModelledError(
            "This sandbox does not model collection_method send_invoice.", param="collection_method"
        )


def _act(name: str, source: str, modelled: str, handler: Handler) -> Operation:
    return Operation(
        method="POST",
        path=f"/v1/invoices/{{id}}/{name}",
        shape=shape(source, f"{modelled} expand"),
        handler=handler,
    )


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/invoices",
        shape=shape(
            "_invoice_create_params:InvoiceCreateParams",
            "auto_advance collection_method currency customer default_payment_method description metadata "
            "pending_invoice_items_behavior subscription expand",
        ),
        handler=create,
    ),
    Operation(
        method="POST",
        path="/v1/invoices/create_preview",
        shape=shape(
            "_invoice_create_preview_params:InvoiceCreatePreviewParams",
            "customer subscription subscription_details expand",
        ),
        handler=create_preview,
    ),
    Operation(
        method="GET",
        path="/v1/invoices",
        shape=shape(
            "_invoice_list_params:InvoiceListParams", f"{LIST_PARAMETERS} customer status subscription"
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/invoices/{id}",
        shape=shape("_invoice_retrieve_params:InvoiceRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="GET",
        path="/v1/invoices/{id}/lines",
        shape=shape(
            "_invoice_line_item_list_params:InvoiceLineItemListParams",
            "ending_before expand limit starting_after",
        ),
        handler=list_lines,
    ),
    Operation(
        method="POST",
        path="/v1/invoices/{id}",
        shape=shape(
            "_invoice_update_params:InvoiceUpdateParams",
            "auto_advance default_payment_method description metadata expand",
        ),
        handler=update,
    ),
    Operation(
        method="DELETE",
        path="/v1/invoices/{id}",
        shape=shape("_invoice_delete_params:InvoiceDeleteParams"),
        handler=delete,
    ),
    _act(
        "finalize",
        "_invoice_finalize_invoice_params:InvoiceFinalizeInvoiceParams",
        "auto_advance",
        finalize,
    ),
    _act("pay", "_invoice_pay_params:InvoicePayParams", "off_session paid_out_of_band payment_method", pay),
    _act("void", "_invoice_void_invoice_params:InvoiceVoidInvoiceParams", "", void),
    _act(
        "mark_uncollectible",
        "_invoice_mark_uncollectible_params:InvoiceMarkUncollectibleParams",
        "",
        mark_uncollectible,
    ),
)
