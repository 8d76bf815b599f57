"""The sandbox as an ASGI application: Stripe's API, Stripe.js, and hooks for people and tests."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from stripe_sandbox import hooks, interventions
from stripe_sandbox.clock import Clock, ForwardClock, system_clock
from stripe_sandbox.dispatch import Answer, Dispatcher, Request
from stripe_sandbox.errors import Json, ParameterError, StripeError
from stripe_sandbox.faults import Faults
from stripe_sandbox.ids import new_id
from stripe_sandbox.later import Later
from stripe_sandbox.operations import Operation, api_version
from stripe_sandbox.page import authentication, onboarding, stripe_js
from stripe_sandbox.resources import (
    account_links,
    accounts,
    application_fees,
    balance,
    balance_transactions,
    charges,
    customers,
    disputes,
    early_fraud_warnings,
    events,
    invoice_items,
    invoice_payments,
    invoices,
    mandates,
    payment_intents,
    payment_methods,
    payouts,
    prices,
    products,
    refunds,
    setup_attempts,
    setup_intents,
    subscription_items,
    subscriptions,
    test_clocks,
    thin_events,
)
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store
from stripe_sandbox.webhooks.sender import Sender
from stripe_sandbox.wire import decode_form

_RESOURCES = (
    account_links,
    accounts,
    application_fees,
    balance,
    balance_transactions,
    charges,
    customers,
    disputes,
    early_fraud_warnings,
    events,
    invoice_items,
    invoice_payments,
    invoices,
    mandates,
    payment_intents,
    payment_methods,
    payouts,
    prices,
    products,
    refunds,
    setup_attempts,
    setup_intents,
    subscription_items,
    subscriptions,
    test_clocks,
    thin_events,
)
_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
_LOOPBACK_ORIGIN = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
_BODY_BYTES_MAX = 1 << 20

Endpoint = Callable[[HttpRequest], Awaitable[Response]]


def operations() -> list[Operation]:
    """Every endpoint of Stripe's API that the sandbox has."""
    return [operation for resource in _RESOURCES for operation in resource.OPERATIONS]


def build(settings: Settings, base: Clock = system_clock) -> Starlette:
    """The application; opening it opens the state file and begins to send what is owed."""
    store = Store(settings.state)
    clock = ForwardClock(base, store.ahead())
    faults = Faults()
    sender = Sender(store, settings, clock, signs_at=base)
    later = Later(store, settings, clock, after=sender.wake)
    dispatcher = Dispatcher(store=store, settings=settings, clock=clock, faults=faults)

    def wake() -> None:
        later.wake()
        sender.wake()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        later.start()
        sender.start()
        try:
            yield
        finally:
            faults.release()
            await run_in_threadpool(later.stop)
            await run_in_threadpool(sender.stop)
            store.close()

    return Starlette(
        routes=[
            *_routes(dispatcher, wake),
            *hooks.routes(hooks.Parts(store=store, sender=sender, later=later, clock=clock, faults=faults)),
            *interventions.routes(
                interventions.Stage(store=store, settings=settings, clock=clock, wake=wake)
            ),
            *onboarding.routes(store, settings, clock, wake),
        ],
        middleware=_middleware(),
        exception_handlers={404: _unknown_url, 405: _unknown_url},
        lifespan=lifespan,
    )


def _routes(dispatcher: Dispatcher, wake: Callable[[], None]) -> list[BaseRoute]:
    """Stripe's own: its API, the page that authenticates a card, and Stripe.js."""
    return [
        *(
            Route(operation.path, _endpoint(dispatcher, operation, wake), methods=[operation.method])
            for operation in operations()
        ),
        *authentication.routes(dispatcher, wake),
        *stripe_js.routes(),
    ]


def _middleware() -> list[Middleware]:
    return [
        # Another site's name that resolves to this machine must not reach the sandbox.
        Middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK),
        Middleware(
            CORSMiddleware,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=["GET", "POST"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "Stripe-Account",
                "Stripe-Version",
            ],
        ),
    ]


def _endpoint(dispatcher: Dispatcher, operation: Operation, wake: Callable[[], None]) -> Endpoint:
    async def respond(http: HttpRequest) -> Response:
        request_id = new_id("req")
        try:
            params = await _decoded(http, operation)
        except StripeError as error:
            return JSONResponse(error.body(), error.status, {"Request-Id": request_id})
        request = Request(
            headers=http.headers,
            path=http.url.path,
            path_values=http.path_params,
            params=params,
            request_id=request_id,
        )
        answer: Answer = await run_in_threadpool(dispatcher.answer, operation, request)
        wake()
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    return respond


async def _decoded(http: HttpRequest, operation: Operation) -> Json:
    if operation.method == "GET":
        return decode_form(http.url.query)
    body = await _body(http)
    if operation.method == "DELETE" and not body:
        # There is no body when the SDK deletes: what it has to say stands in the query.
        return decode_form(http.url.query)
    if operation.version == "v1":
        return decode_form(body)
    try:
        decoded: Any = json.loads(body or "{}")
    except ValueError as error:
        raise ParameterError(f"Invalid JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise ParameterError("Invalid JSON: the body must be an object.")
    return decoded


async def _body(http: HttpRequest) -> str:
    received = bytearray()
    async for chunk in http.stream():
        received += chunk
        if len(received) > _BODY_BYTES_MAX:
            raise ParameterError("The request body is too large.")
    try:
        return received.decode()
    except UnicodeDecodeError as error:
        raise ParameterError("Invalid request body: not UTF-8.") from error


async def _unknown_url(http: HttpRequest, _error: Exception) -> Response:
    error = StripeError(
        f"Unrecognized request URL ({http.method}: {http.url.path}). This sandbox models only a part of Stripe's API "
        f"({api_version()})."
    )
    return JSONResponse(error.body(), 404, {"Request-Id": new_id("req")})
