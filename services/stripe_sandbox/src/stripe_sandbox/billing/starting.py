"""Starts a subscription: first period, first invoice, first payment."""

from dataclasses import dataclass

from stripe_sandbox.billing import (
    agenda,
    clocks,
    collection,
    cycle,
    ending,
    invoicing,
    items,
    lines,
    periods,
    prorations,
    standing,
)
from stripe_sandbox.errors import (
    CardError,
    InvalidRequestError,
    Json,
    NotModelledError,
    ParameterError,
    StripeError,
    UndoneCardError,
)
from stripe_sandbox.ids import new_id
from stripe_sandbox.metadata import merged
from stripe_sandbox.objects import APPLICATION, PLATFORM
from stripe_sandbox.operations import Call
from stripe_sandbox.parameters import refuse_unmodelled
from stripe_sandbox.resources import customers

_DAY_SECONDS = 24 * 3600
_TRIAL_DAYS_MAX = 730
_UNPAYABLE = (
    "This customer has no attached payment source or default payment method. Please consider adding a default "
    "payment method. For more information, visit "
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The first period, and when whole ones begin. `prorated`: shorter than a whole one. Seconds since the epoch."""

    period: lines.Period
    anchor: int
    trial_end: int | None = None
    prorated: bool = False


def begin(call: Call) -> Json:
    """A new subscription with its first invoice, paid as `payment_behavior` says.

    Raises UndoneCardError with `error_if_incomplete`, InvalidRequestError, ParameterError, NotModelledError.
    """
    subscription, invoice = begun(call)
    if subscription["status"] == "incomplete":
        expire_unless_paid(call, subscription)
    if invoice is not None:
        pay(call, invoice, call.params.get("payment_behavior", "allow_incomplete"))
    return call.objects.get(standing.KIND, subscription["id"])


def begun(call: Call) -> tuple[Json, Json | None]:
    """A new subscription, and the draft it begins with, if it does with one."""
    customer = customers.get(call, call.params["customer"])
    _check_room(call, customer)
    at = clocks.now_of(call, customer)
    subscription_id = new_id("sub")
    of = items.Of(subscription=subscription_id, at=at, period=lines.Period(at, at))
    made = items.made(call, call.params["items"], of)
    beginning = _beginning(call.params, made[0]["price"]["recurring"], at)
    for item in made:
        item["current_period_start"] = beginning.period.start
        item["current_period_end"] = beginning.period.end
    subscription = _body(call, customer, subscription_id, made, beginning)
    invoice = _first_invoice(call, customer, subscription, beginning)
    due = 0 if invoice is None else invoice["amount_due"]
    subscription["status"] = _first_status(beginning, due)
    subscription["latest_invoice"] = None if invoice is None else invoice["id"]
    call.objects.add(subscription)
    call.emit("customer.subscription.created", subscription)
    cycle.schedule(call, subscription)
    return subscription, invoice


def expire_unless_paid(call: Call, subscription: Json) -> None:
    """23 hours to pay the invoice that it begins, or goes on, with."""
    at = clocks.now_of(call, subscription)
    agenda.put(call, "expire", subscription, at + ending.EXPIRES_SECONDS)


def pay(call: Call, invoice: Json, behavior: str) -> None:
    """Make an invoice final and collect it as a payment behaviour says.

    Raises UndoneCardError with `error_if_incomplete` when that fails.
    """
    method = standing.payment_method(call, invoice)
    invoice = collection.collect(call, invoice, tries=False)
    if invoice["status"] != "open":
        return
    if behavior == "default_incomplete":
        standing.fall_behind(call, invoice)
        return
    if method is None:
        raise InvalidRequestError(_UNPAYABLE, code="resource_missing")
    off_session = bool(call.params.get("off_session"))
    refused = collection.attempt(call, invoice, method, off_session=off_session)
    if behavior == "error_if_incomplete":
        _require_paid(call, invoice, refused)
    elif refused is not None and not isinstance(refused, CardError):
        raise refused


def _require_paid(call: Call, invoice: Json, refused: StripeError | None) -> None:
    if refused is not None:
        raise UndoneCardError(refused.message, code=refused.code, **_decline(refused))
    if call.objects.get(invoicing.KIND, invoice["id"])["status"] == "open":
        raise UndoneCardError(
            "Payment for this subscription requires additional user action before it can be completed successfully.",
            code="subscription_payment_intent_requires_action",
        )


def _decline(refused: StripeError) -> Json:
    return {name: refused.more[name] for name in ("decline_code",) if name in refused.more}


def _first_status(beginning: Beginning, due: int) -> str:
    if beginning.trial_end is not None:
        return "trialing"
    return "incomplete" if due else "active"


def _check_room(call: Call, customer: Json) -> None:
    if customer["test_clock"] is None:
        return
    found = call.objects.where(standing.KIND, {"customer": customer["id"]})
    if len([one for one in found if one["status"] not in standing.ENDED]) >= clocks.SUBSCRIPTIONS_MAX:
        raise InvalidRequestError(
            f"A customer on a test clock can have at most {clocks.SUBSCRIPTIONS_MAX} subscriptions."
        )


def _beginning(params: Json, recurring: Json, at: int) -> Beginning:
    """Raises ParameterError, NotModelledError."""
    trial_end, anchor = trial_end_of(params, at), params.get("billing_cycle_anchor")
    if trial_end is not None:
        if anchor is not None:
            raise NotModelledError(
                "This sandbox does not model a trial with a billing_cycle_anchor.",
                param="billing_cycle_anchor",
            )
        return Beginning(period=lines.Period(at, trial_end), anchor=trial_end, trial_end=trial_end)
    if anchor is None:
        return Beginning(period=lines.Period(at, periods.first_after(at, recurring, at)), anchor=at)
    if not at < anchor <= periods.nth(at, recurring, 1):
        raise ParameterError(
            "billing_cycle_anchor must be in the future, and not later than the next natural billing date.",
            param="billing_cycle_anchor",
        )
    whole = anchor == periods.nth(at, recurring, 1)
    return Beginning(period=lines.Period(at, anchor), anchor=anchor, prorated=not whole)


def trial_end_of(params: Json, at: int) -> int | None:
    """When the trial that is asked for ends, or None. Raises ParameterError."""
    if "trial_end" in params and "trial_period_days" in params:
        raise ParameterError(
            "You may only specify one of these parameters: trial_end, trial_period_days.",
            code="parameters_exclusive",
        )
    days = params.get("trial_period_days", 0)
    if not 0 <= days <= _TRIAL_DAYS_MAX:
        raise ParameterError(
            f"Invalid integer: trial_period_days must be from 0 to {_TRIAL_DAYS_MAX}.",
            param="trial_period_days",
        )
    end = params.get("trial_end", at + days * _DAY_SECONDS if days else "now")
    if end == "now":
        return None
    if not at < end <= at + _TRIAL_DAYS_MAX * _DAY_SECONDS:
        raise ParameterError(
            f"Invalid timestamp: trial_end must be in the future, within {_TRIAL_DAYS_MAX} days.",
            param="trial_end",
        )
    return int(end)


def _first_invoice(call: Call, customer: Json, subscription: Json, beginning: Beginning) -> Json | None:
    """None when the time until the anchor is given away: there is not even an invoice over nothing."""
    if beginning.prorated and call.params.get("proration_behavior") == "none":
        return None
    period, data = beginning.period, []
    for item in subscription["items"]["data"]:
        amount = None
        if beginning.prorated:
            start = periods.whole_before(beginning.anchor, item["price"]["recurring"], period.end)
            amount = prorations.share(lines.amount_of(item), period.end - period.start, period.end - start)
        line = lines.of_item(call, item, period, amount=amount, trial=beginning.trial_end is not None)
        prorations.debited(call, item["id"], line["amount"], start=period.start, end=period.end)
        data.append(line)
    wanted = invoicing.InvoiceDraft(
        customer=customer,
        currency=subscription["currency"],
        reason="subscription_create",
        period=lines.Period(period.start, period.start),
        data=data,
        subscription=subscription,
        description=subscription["description"],
    )
    return invoicing.draft(call, wanted)


def _billing_mode(params: Json) -> Json:
    mode = params.get("billing_mode", {"type": "flexible"})
    if mode["type"] != "flexible":
        raise NotModelledError("This sandbox models billing_mode flexible alone.", param="billing_mode[type]")
    refuse_unmodelled(mode, "type", "billing_mode")
    return {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": None}


def trial_settings(given: Json | None) -> Json:
    """What is done when a trial ends with nothing to pay with. Raises NotModelledError."""
    behavior: Json = {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}
    if given is not None:
        refuse_unmodelled(given["end_behavior"], "missing_payment_method", "trial_settings[end_behavior]")
        behavior |= given["end_behavior"]
    return {"end_behavior": behavior}


def payment_settings(given: Json | None) -> Json:
    """Raises NotModelledError."""
    settings: Json = {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    }
    refuse_unmodelled(given or {}, "save_default_payment_method", "payment_settings")
    return settings | (given or {})


def _not_modelled() -> Json:
    return {
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor_config": None,
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "collection_method": "charge_automatically",
        "customer_account": None,
        "days_until_due": None,
        "default_source": None,
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "transfer_data": None,
    }


def _body(call: Call, customer: Json, subscription_id: str, made: list[Json], beginning: Beginning) -> Json:
    params, at = call.params, beginning.period.start
    method = params.get("default_payment_method")
    ends = params.get("cancel_at_period_end", False)
    return _not_modelled() | {
        "id": subscription_id,
        "object": standing.KIND,
        "application": None if call.objects.account == PLATFORM else APPLICATION,
        "billing_cycle_anchor": beginning.anchor,
        "billing_mode": _billing_mode(params),
        "cancel_at": beginning.period.end if ends else None,
        "cancel_at_period_end": ends,
        "canceled_at": at if ends else None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "created": at,
        "currency": made[0]["price"]["currency"],
        "customer": customer["id"],
        "default_payment_method": method and customers.own_payment_method(call, customer, method),
        "description": params.get("description"),
        "ended_at": None,
        "items": {
            "object": "list",
            "data": made,
            "has_more": False,
            "total_count": len(made),
            "url": f"/v1/subscription_items?subscription={subscription_id}",
        },
        "latest_invoice": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "pause_collection": None,
        "payment_settings": payment_settings(params.get("payment_settings")),
        "start_date": at,
        "status": "active",
        "status_details": None,
        "test_clock": customer["test_clock"],
        "trial_end": beginning.trial_end,
        "trial_settings": trial_settings(params.get("trial_settings")),
        "trial_start": None if beginning.trial_end is None else at,
    }
