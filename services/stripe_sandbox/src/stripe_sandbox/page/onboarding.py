"""Hosted onboarding, reduced to one visit: opening the link completes it."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox.clock import Clock, unix
from stripe_sandbox.errors import NoSuchObjectError, StripeError
from stripe_sandbox.objects import PLATFORM, Objects
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import account_links
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store


def routes(store: Store, settings: Settings, clock: Clock, wake: Callable[[], None]) -> list[Route]:
    """GET, as a browser opens it; answers with a redirection to the platform."""

    def visited(link_id: str) -> str | None:
        with store.transaction() as connection:
            call = Call.unasked(Objects(connection, PLATFORM, unix(clock())), settings)
            return account_links.visit(call, link_id)

    async def visit(request: Request) -> Response:
        try:
            goes_to = await run_in_threadpool(visited, request.path_params["id"])
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        wake()
        if goes_to is None:
            missing = NoSuchObjectError(account_links.KIND, request.path_params["id"])
            return JSONResponse(missing.body(), missing.status)
        return RedirectResponse(goes_to, 303)

    return [Route(account_links.PATH, visit, methods=["GET"])]
