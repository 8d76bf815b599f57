"""Subscriptions API (https://docs.stripe.com/api/subscriptions).

What they do is in `billing`; here is what may be asked of them.
"""

from stripe_sandbox.billing import changes, starting
from stripe_sandbox.billing.standing import ENDED, KIND
from stripe_sandbox.errors import InvalidRequestError, Json, NotModelledError, ParameterError
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.metadata import check_metadata
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

_AFTER_THE_END = frozenset({"cancellation_details", "metadata", "expand"})


def create(call: Call) -> Json:
    """A new subscription."""
    check_metadata(call.params.get("metadata", {}))
    _check_common(call.params)
    for name in ("customer", "items"):
        if name not in call.params:
            raise ParameterError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return starting.begin(call)


def retrieve(call: Call) -> Json:
    """One subscription."""
    return call.objects.get(KIND, call.path["id"])


def update(call: Call) -> Json:
    """Change a subscription, and pay for it if that is due at once."""
    _check_common(call.params)
    subscription = call.objects.get(KIND, call.path["id"])
    if subscription["status"] in ENDED and call.params.keys() - _AFTER_THE_END:
        raise InvalidRequestError(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    draft = changes.apply(call, subscription, call.params)
    if draft is not None:
        behavior = call.params.get("payment_behavior", "allow_incomplete")
        starting.pay(call, draft, behavior)
    return call.objects.get(KIND, subscription["id"])


def cancel(call: Call) -> Json:
    """End a subscription now."""
    subscription = call.objects.get(KIND, call.path["id"])
    if subscription["status"] in ENDED:
        raise InvalidRequestError(f"No such subscription: '{subscription['id']}'", code="resource_missing")
    return changes.cancel(call, subscription)


def resume(call: Call) -> Json:
    """Let a paused subscription go on."""
    _check_common(call.params)
    return changes.resume(call, call.objects.get(KIND, call.path["id"]))


def list_(call: Call) -> Json:
    """Subscriptions that were not cancelled, newest first; by customer, price, test clock or status."""
    params = call.params
    more: list[Clause] = []
    match params.get("status"):
        case None:
            more.append(("json_extract(body, '$.status') <> 'canceled'", ()))
        case "ended":
            more.append(("json_extract(body, '$.status') IN ('canceled', 'incomplete_expired')", ()))
        case "all":
            pass
        case status:
            more.append(("json_extract(body, '$.status') = ?", (status,)))
    if "test_clock" not in params and "customer" not in params:
        more.append(("json_extract(body, '$.test_clock') IS NULL", ()))
    if "price" in params:
        has = "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') i WHERE json_extract(i.value, '$.price.id') = ?)"
        more.append((has, (params["price"],)))
    filters = {"customer": "customer", "test_clock": "test_clock"}
    return listed(call, KIND, "/v1/subscriptions", filters=filters, more=more)


def _check_common(params: Json) -> None:
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise NotModelledError(
            "This sandbox does not model collection_method send_invoice.", param="collection_method"
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise NotModelledError("This sandbox does not model pending updates.", param="payment_behavior")


_BOTH = (
    "cancel_at_period_end collection_method default_payment_method description expand items metadata off_session "
    "payment_behavior payment_settings proration_behavior trial_end trial_settings billing_cycle_anchor"
)
OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/subscriptions",
        shape=shape(
            "_subscription_create_params:SubscriptionCreateParams",
            f"{_BOTH} billing_mode customer trial_period_days",
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/subscriptions",
        shape=shape(
            "_subscription_list_params:SubscriptionListParams",
            f"{LIST_PARAMETERS} customer price status test_clock",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/subscriptions/{id}",
        shape=shape("_subscription_retrieve_params:SubscriptionRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/subscriptions/{id}",
        shape=shape(
            "_subscription_update_params:SubscriptionUpdateParams",
            f"{_BOTH} cancellation_details pause_collection proration_date",
        ),
        handler=update,
    ),
    Operation(
        method="DELETE",
        path="/v1/subscriptions/{id}",
        shape=shape(
            "_subscription_cancel_params:SubscriptionCancelParams",
            "cancellation_details expand invoice_now prorate",
        ),
        handler=cancel,
    ),
    Operation(
        method="POST",
        path="/v1/subscriptions/{id}/resume",
        shape=shape(
            "_subscription_resume_params:SubscriptionResumeParams",
            "billing_cycle_anchor expand payment_behavior",
        ),
        handler=resume,
    ),
)
