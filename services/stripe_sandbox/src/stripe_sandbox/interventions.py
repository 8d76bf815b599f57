"""`/_sandbox/…`: actions of people and banks at Stripe that our API calls do not cause.

Each is a POST with a JSON object, or nothing, for a body; the answer is the object as it then is.
"""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_sandbox.clock import Clock, unix
from stripe_sandbox.currencies import currency_of
from stripe_sandbox.errors import Json, NoSuchObjectError, ParameterError, StripeError
from stripe_sandbox.later import do_due
from stripe_sandbox.objects import PLATFORM, Objects
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import (
    accounts,
    balance,
    chargebacks,
    early_fraud_warnings,
    payout_accounts,
    payouts,
    refund_outcomes,
    refunds,
)
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store

Act = Callable[[Call, Json], Json]
_OURS = "platform"  # in place of the id of a connected account


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The store, settings and clock of the sandbox. `wake`: call after a commit."""

    store: Store
    settings: Settings
    clock: Clock
    wake: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Intervention:
    """One hook on an object of `kind`. `fields`: what its body may hold. `act`: the call, and the object."""

    path: str
    kind: str
    act: Act
    fields: Mapping[str, type] = field(default_factory=dict)


def routes(stage: Stage) -> list[Route]:
    """One route a hook."""
    return [Route(found.path, _endpoint(stage, found), methods=["POST"]) for found in _INTERVENTIONS]


def _endpoint(stage: Stage, intervention: Intervention) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        try:
            params = _checked(await request.body(), intervention.fields)
            done = await run_in_threadpool(_intervene, stage, intervention, request.path_params["id"], params)
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        stage.wake()
        return JSONResponse(done)

    return respond


def _intervene(stage: Stage, intervention: Intervention, object_id: str, params: Json) -> Json:
    now = stage.clock()
    with stage.store.transaction() as connection:
        account, subject = _subject(connection, intervention.kind, object_id)
        call = Call.unasked(Objects(connection, account, unix(now)), stage.settings, params)
        done = intervention.act(call, subject)
        do_due(call, moment=now.timestamp())
        return done


def _subject(connection: sqlite3.Connection, kind: str, object_id: str) -> tuple[str, Json]:
    """An object, and the account whose it is; of an account, that itself."""
    if (kind, object_id) == (accounts.KIND, _OURS):
        return PLATFORM, {}
    row = connection.execute(
        "SELECT account, body FROM objects WHERE id = ? AND kind = ?", (object_id, kind)
    ).fetchone()
    if row is None:
        raise NoSuchObjectError(kind, object_id)
    return object_id if kind == accounts.KIND else row["account"], json.loads(row["body"])


def _checked(body: bytes, fields: Mapping[str, type]) -> Json:
    try:
        asked: Any = json.loads(body or b"{}")
    except ValueError as error:
        raise ParameterError("Invalid JSON: send an object, or no body.") from error
    if not isinstance(asked, dict):
        raise ParameterError("Invalid JSON: send an object, or no body.")
    for name, value in asked.items():
        if name not in fields:
            known = ", ".join(fields) or "nothing"
            raise ParameterError(f"This hook does not know '{name}'; it takes {known}.", param=name)
        if type(value) is not fields[name]:
            raise ParameterError(f"{name} must be of type {fields[name].__name__}.", param=name)
    return asked


def _refund(call: Call, charge: Json) -> Json:
    """In the dashboard."""
    params = refunds.CREATE.shape.check({"charge": charge["id"]} | call.params, form=False)
    return refunds.create(replace(call, params=params))


def _fail_refund(call: Call, refund: Json) -> Json:
    """By the donor's bank."""
    reason = call.params.get("reason", "declined")
    if reason not in refund_outcomes.FAILURE_REASONS:
        known = ", ".join(refund_outcomes.FAILURE_REASONS)
        raise ParameterError(f"reason must be one of {known}.", param="reason")
    return refund_outcomes.fail(call, refund, reason)


def _cancel_refund(call: Call, refund: Json) -> Json:
    """In the dashboard: the API cancels no refund of a card."""
    return refund_outcomes.cancel(call, refund)


def _dispute(call: Call, charge: Json) -> Json:
    """By the cardholder."""
    claim = call.params.get("claim", "fraudulent")
    if claim not in chargebacks.CLAIMS:
        raise ParameterError(f"claim must be one of {', '.join(chargebacks.CLAIMS)}.", param="claim")
    return chargebacks.open_(call, charge, claim, call.params.get("amount"))


def _warn(call: Call, charge: Json) -> Json:
    """By the cardholder's bank."""
    return early_fraud_warnings.add(call, charge)


def _conclude(call: Call, dispute: Json) -> Json:
    """By the cardholder's bank, whatever evidence it has."""
    verdict: Any = call.params.get("verdict")
    if verdict not in chargebacks.VERDICTS:
        known = ", ".join(sorted(chargebacks.VERDICTS))
        raise ParameterError(f"verdict must be one of {known}.", param="verdict")
    return chargebacks.conclude(call, dispute, verdict)


def _make_available(call: Call, _account: Json) -> Json:
    """By waiting."""
    balance.make_available(call)
    return balance.retrieve(call)


def _pay_out(call: Call, _account: Json) -> Json:
    """By its schedule."""
    if call.params.get("include_pending"):
        balance.make_available(call)
    payout = payouts.pay_out_all(call, _currency(call.params))
    return _pay(call, payout) if call.params.get("paid") else payout


def _pay(call: Call, payout: Json) -> Json:
    """By the bank, at once."""
    payouts.submit(call, payout["id"])
    payouts.settle(call, payout["id"])
    return call.objects.get(payouts.KIND, payout["id"])


def _fail(call: Call, payout: Json) -> Json:
    """By the bank, also after it was paid."""
    code = call.params.get("failure_code", "could_not_process")
    if code not in payout_accounts.FAILURES:
        known = ", ".join(payout_accounts.FAILURES)
        raise ParameterError(f"failure_code must be one of {known}.", param="failure_code")
    return payouts.fail(call, payout, code)


def _use_bank_account(call: Call, _account: Json) -> Json:
    """By the organisation."""
    if "number" not in call.params:
        raise ParameterError("number is missing: an account number or IBAN.", param="number")
    return payout_accounts.use(call, call.params["number"], _currency(call.params))


def _decide_card_payments(call: Call, account: Json) -> Json:
    """By Stripe."""
    status = call.params.get("status")
    if status not in accounts.STATUSES:
        raise ParameterError(f"status must be one of {', '.join(accounts.STATUSES)}.", param="status")
    return accounts.set_card_payments(call, _whole(call, account), status)


def _disconnect(call: Call, account: Json) -> Json:
    """By the organisation."""
    return accounts.disconnect(call, _whole(call, account))


def _reconnect(call: Call, account: Json) -> Json:
    """By the organisation."""
    return accounts.reconnect(call, _whole(call, account))


def _close(call: Call, account: Json) -> Json:
    """By the organisation."""
    return accounts.close_(call, _whole(call, account))


def _whole(call: Call, account: Json) -> Json:
    """The platform itself has no such account."""
    if not account:
        raise NoSuchObjectError(accounts.KIND, _OURS)
    return call.on(PLATFORM).objects.get(accounts.KIND, account["id"])


def _currency(params: Json) -> str:
    return currency_of(params.get("currency", "eur")).code


_INTERVENTIONS = (
    Intervention(path="/_sandbox/accounts/{id}/available", kind=accounts.KIND, act=_make_available),
    Intervention(
        path="/_sandbox/accounts/{id}/payout",
        kind=accounts.KIND,
        act=_pay_out,
        fields={"currency": str, "include_pending": bool, "paid": bool},
    ),
    Intervention(
        path="/_sandbox/accounts/{id}/bank_account",
        kind=accounts.KIND,
        act=_use_bank_account,
        fields={"number": str, "currency": str},
    ),
    Intervention(
        path="/_sandbox/accounts/{id}/card_payments",
        kind=accounts.KIND,
        act=_decide_card_payments,
        fields={"status": str},
    ),
    Intervention(path="/_sandbox/accounts/{id}/disconnect", kind=accounts.KIND, act=_disconnect),
    Intervention(path="/_sandbox/accounts/{id}/reconnect", kind=accounts.KIND, act=_reconnect),
    Intervention(path="/_sandbox/accounts/{id}/close", kind=accounts.KIND, act=_close),
    Intervention(path="/_sandbox/payouts/{id}/pay", kind=payouts.KIND, act=_pay),
    Intervention(
        path="/_sandbox/payouts/{id}/fail", kind=payouts.KIND, act=_fail, fields={"failure_code": str}
    ),
    Intervention(
        path="/_sandbox/charges/{id}/refund",
        kind="charge",
        act=_refund,
        fields={"amount": int, "reason": str, "refund_application_fee": bool},
    ),
    Intervention(path="/_sandbox/refunds/{id}/fail", kind="refund", act=_fail_refund, fields={"reason": str}),
    Intervention(path="/_sandbox/refunds/{id}/cancel", kind="refund", act=_cancel_refund),
    Intervention(
        path="/_sandbox/charges/{id}/dispute",
        kind="charge",
        act=_dispute,
        fields={"claim": str, "amount": int},
    ),
    Intervention(path="/_sandbox/charges/{id}/fraud_warning", kind="charge", act=_warn),
    Intervention(
        path="/_sandbox/disputes/{id}/conclude",
        kind="dispute",
        act=_conclude,
        fields={"verdict": str},
    ),
)
