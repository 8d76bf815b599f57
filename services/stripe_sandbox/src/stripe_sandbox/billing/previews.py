"""Invoice previews (https://docs.stripe.com/api/invoices/create_preview).

What is previewed is done, seen and undone: a preview is what will be, to the cent.
"""

from dataclasses import replace

from stripe_sandbox.billing import changes, cycle, invoicing, standing, starting
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.operations import Call
from stripe_sandbox.parameters import refuse_unmodelled

_CHANGES = "billing_cycle_anchor cancel_at_period_end items proration_behavior proration_date trial_end"


class NoInvoiceToComeError(InvalidRequestError):
    """Nothing more is to be paid."""

    status = 404

    def __init__(self) -> None:
        super().__init__("No upcoming invoices for customer.", code="invoice_upcoming_none")


def preview(call: Call) -> Json:
    """The next invoice of a subscription, or the first of one that might be. Raises InvalidRequestError."""
    details: Json = call.params.get("subscription_details", {})
    if "subscription" in call.params:
        refuse_unmodelled(details, _CHANGES, "subscription_details")
        return _of_existing(call, call.params["subscription"], details)
    if "customer" not in call.params or "items" not in details:
        raise ParameterError(
            "You must provide a subscription, or a customer and subscription_details[items].",
            param="subscription",
        )
    refuse_unmodelled(details, "items proration_behavior trial_end", "subscription_details")
    return _of_new(call, details)


def _of_existing(call: Call, subscription_id: str, details: Json) -> Json:
    subscription = call.objects.get(standing.KIND, subscription_id, param="subscription")
    if subscription["status"] in standing.ENDED | {"paused"}:
        raise NoInvoiceToComeError
    anchor = details.get("billing_cycle_anchor")
    if isinstance(anchor, int):
        raise NotModelledError(
            "This sandbox models billing_cycle_anchor now and unchanged here.",
            param="subscription_details[billing_cycle_anchor]",
        )
    asked = details | ({"billing_cycle_anchor": {"type": anchor}} if anchor else {})

    def look(call: Call) -> Json:
        draft = changes.apply(call, subscription, asked)
        if draft is not None:
            return draft
        if subscription["cancel_at_period_end"]:
            raise NoInvoiceToComeError
        return cycle.renewal(call, subscription)

    return invoicing.previewed(call, look)


def _of_new(call: Call, details: Json) -> Json:
    asked = details | {"customer": call.params["customer"]}

    def look(call: Call) -> Json:
        _, draft = starting.begun(replace(call, params=asked))
        if draft is None:
            raise NoInvoiceToComeError
        return draft

    return invoicing.previewed(call, look)
