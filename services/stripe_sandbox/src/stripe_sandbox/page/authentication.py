"""The bank's page of a 3-D Secure test: two buttons, and their effect on the PaymentIntent."""

from collections.abc import Callable
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox.dispatch import Answer, Dispatcher
from stripe_sandbox.dispatch import Request as ApiRequest
from stripe_sandbox.errors import Json
from stripe_sandbox.ids import new_id
from stripe_sandbox.objects import PLATFORM
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import client_secrets, confirmation, payment_intents, setup_intents

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Test bank</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1rem;margin-right:.5rem}}</style>
<main><h1>Test bank</h1><p>This page stands for the bank of the person who pays. Nothing here is real.</p>
<form method="post" action="{action}"><button name="outcome" value="succeed">Complete authentication</button>
<button name="outcome" value="fail">Fail authentication</button></form></main></html>"""


def _finish(call: Call) -> Json:
    succeeded = call.params["outcome"] == "succeed"
    if call.path["id"].startswith("seti_"):
        setup = client_secrets.opened(call, "setup_intent")
        finished = setup_intents.finish_authentication(call, setup, succeeded=succeeded)
        return setup_intents.seen_by(call, finished)
    intent = client_secrets.opened(call, "payment_intent")
    finished = confirmation.finish_authentication(call, intent, succeeded=succeeded)
    return payment_intents.seen_by(call, finished)


_FINISH = Operation(
    method="POST",
    path="/v1/_sandbox/authentications/{id}",
    shape=shape("stripe_sandbox.page.parameters:Authenticate", "client_secret outcome"),
    client_shape=shape("stripe_sandbox.page.parameters:Authenticate", "client_secret outcome"),
    handler=_finish,
)


def routes(dispatcher: Dispatcher, wake: Callable[[], None]) -> list[Route]:
    """GET shows the bank's page, POST (from it, or by fetch with `Accept: application/json`) decides."""

    async def show(request: Request) -> Response:
        action = f"{request.url.path}?{request.url.query}"
        return HTMLResponse(_PAGE.format(action=escape(action, quote=True)))

    async def decide(request: Request) -> Response:
        query = request.query_params
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        api_request = ApiRequest(
            headers={
                "authorization": f"Bearer {dispatcher.settings.publishable_key}",
                "stripe-account": query.get("account", PLATFORM),
            },
            path=request.url.path,
            path_values=request.path_params,
            params={
                "client_secret": query.get("client_secret", ""),
                "outcome": fields.get("outcome", [""])[0],
            },
            request_id=new_id("req"),
        )
        answer = await run_in_threadpool(dispatcher.answer, _FINISH, api_request)
        wake()
        return _back(request, answer)

    path = "/_sandbox/authentications/{id}"
    return [Route(path, show, methods=["GET"]), Route(path, decide, methods=["POST"])]


def _back(request: Request, answer: Answer) -> Response:
    return_url = request.query_params.get("return_url", "")
    if answer.status != 200 or urlsplit(return_url).scheme not in ("http", "https"):  # noqa: PLR2004  # OK
        return JSONResponse(answer.body, answer.status)
    parts = urlsplit(return_url)
    added = urlencode(
        {
            answer.body["object"]: answer.body["id"],
            f"{answer.body['object']}_client_secret": answer.body["client_secret"],
            "redirect_status": "succeeded" if answer.body["status"] == "succeeded" else "failed",
        }
    )
    query = f"{parts.query}&{added}" if parts.query else added
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 303)
