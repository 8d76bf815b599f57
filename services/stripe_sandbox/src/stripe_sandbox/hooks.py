"""`/_sandbox/…`: extensions for health checks, inspection and fault injection."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stripe_sandbox.clock import ForwardClock, rfc3339
from stripe_sandbox.errors import Json, NoSuchObjectError, ParameterError, StripeError
from stripe_sandbox.faults import Fault, FaultKind, Faults
from stripe_sandbox.later import Later
from stripe_sandbox.store import Store
from stripe_sandbox.webhooks import deliveries, thin
from stripe_sandbox.webhooks.sender import Sender

_ADVANCE_SECONDS_MAX = 10 * 366 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the hooks look into."""

    store: Store
    sender: Sender
    later: Later
    clock: ForwardClock
    faults: Faults


def routes(parts: Parts) -> list[Route]:
    """The hooks' routes."""
    hooks = _Hooks(parts)
    return [
        Route("/_sandbox/health", hooks.health),
        Route("/_sandbox/deliveries", hooks.list_deliveries, methods=["GET"]),
        Route("/_sandbox/deliveries", hooks.deliver_now, methods=["POST"]),
        Route("/_sandbox/deliveries/{switch:str}", hooks.switch, methods=["POST"]),
        Route("/_sandbox/events/{id}/redeliver", hooks.redeliver, methods=["POST"]),
        Route("/_sandbox/clock", hooks.show_clock, methods=["GET"]),
        Route("/_sandbox/clock", hooks.advance_clock, methods=["POST"]),
        Route("/_sandbox/faults", hooks.count_faults, methods=["GET"]),
        Route("/_sandbox/faults", hooks.plan_fault, methods=["POST"]),
        Route("/_sandbox/faults/release", hooks.release, methods=["POST"]),
    ]


class _Hooks:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def health(self, _request: Request) -> Response:
        """Answers when the state file can be read."""

        def check() -> None:
            with self._parts.store.transaction() as connection:
                connection.execute("SELECT count(*) FROM objects").fetchone()

        await run_in_threadpool(check)
        return JSONResponse({"status": "ok"})

    async def list_deliveries(self, request: Request) -> Response:
        """All deliveries, newest first; `?event=evt_…` for those of one event."""

        def read() -> list[Json]:
            with self._parts.store.transaction() as connection:
                return deliveries.listed(connection, request.query_params.get("event"))

        return JSONResponse({"data": await run_in_threadpool(read)})

    async def deliver_now(self, request: Request) -> Response:
        """`{"events": ["evt_2", "evt_1", "evt_1"]}`: send these now, in this order, repetitions included."""
        try:
            asked = await _json(request)
            ids = asked.get("events")
            if not isinstance(ids, list):
                return _refused("events must be a list of event ids")
            found = await run_in_threadpool(self._events, ids)
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        outcomes = await run_in_threadpool(self._parts.sender.send_now, found)
        return JSONResponse(
            {"data": [{"status": outcome.status, "error": outcome.error} for outcome in outcomes]}
        )

    async def switch(self, request: Request) -> Response:
        """`pause` holds all deliveries back, `resume` lets them go."""
        wanted = request.path_params["switch"]
        if wanted not in ("pause", "resume"):
            return _refused("pause or resume")
        await run_in_threadpool(self._parts.sender.pause, paused=wanted == "pause")
        return JSONResponse({"paused": wanted == "pause"})

    async def redeliver(self, request: Request) -> Response:
        """One more delivery of an event, with retries of its own."""

        def owe() -> None:
            (event,) = self._events([request.path_params["id"]])
            with self._parts.store.transaction() as connection:
                deliveries.owe(connection, event["id"], due=self._parts.clock().timestamp())

        try:
            await run_in_threadpool(owe)
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        self._parts.sender.wake()
        return JSONResponse({"event": request.path_params["id"]}, 202)

    async def show_clock(self, _request: Request) -> Response:
        """What time it is here, and how far that is ahead."""
        clock = self._parts.clock
        return JSONResponse({"now": rfc3339(clock()), "ahead_seconds": clock.ahead.total_seconds()})

    async def advance_clock(self, request: Request) -> Response:
        """`{"seconds": 604800}`: put the clock forward, for ever, and do what is due by then."""
        try:
            seconds = (await _json(request)).get("seconds")
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        if type(seconds) is not int or not 0 < seconds <= _ADVANCE_SECONDS_MAX:
            return _refused(f"seconds must be a whole number from 1 to {_ADVANCE_SECONDS_MAX}")

        def advance() -> None:
            self._parts.store.put_forward(timedelta(seconds=seconds))
            self._parts.clock.ahead = self._parts.store.ahead()
            self._parts.later.catch_up()

        await run_in_threadpool(advance)
        self._parts.later.wake()
        self._parts.sender.wake()
        return await self.show_clock(request)

    async def count_faults(self, _request: Request) -> Response:
        """How many failures are still to come, and how many requests wait in one."""
        faults = self._parts.faults
        return JSONResponse({"planned": faults.planned, "held": faults.held})

    async def plan_fault(self, request: Request) -> Response:
        """`{"method": "POST", "path": "/v1/payment_intents", "kind": "lose_answer"}`, for the next such request."""
        try:
            asked = await _json(request)
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        if asked.get("kind") not in get_args(FaultKind):
            return _refused(f"kind must be one of {', '.join(get_args(FaultKind))}")
        self._parts.faults.plan(Fault(str(asked.get("method")), str(asked.get("path")), asked["kind"]))
        return JSONResponse(asked, 202)

    async def release(self, _request: Request) -> Response:
        """Let held requests go on."""
        self._parts.faults.release()
        return JSONResponse({})

    def _events(self, ids: list[str]) -> list[Json]:
        with self._parts.store.transaction() as connection:
            rows = {
                row["id"]: row["body"]
                for event_id in ids
                for row in connection.execute(
                    "SELECT id, body FROM objects WHERE id = ? AND kind IN ('event', ?)",
                    (event_id, thin.KIND),
                )
            }
        for event_id in ids:
            if event_id not in rows:
                raise NoSuchObjectError("event", event_id)
        return [json.loads(rows[event_id]) for event_id in ids]


async def _json(request: Request) -> Json:
    try:
        decoded: Any = await request.json()
    except ValueError as error:
        raise ParameterError("Invalid JSON") from error
    return decoded if isinstance(decoded, dict) else {}


def _refused(reason: str) -> Response:
    return JSONResponse(ParameterError(reason).body(), 400)
