"""`/v3/`: the double of Stripe.js, for pages that would load it from js.stripe.com."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def routes() -> list[Route]:
    """Both addresses of Stripe.js."""
    return [Route("/v3/", _script), Route("/v3/stripe.js", _script)]


def source() -> str:
    """The script; it finds the sandbox at the origin it was loaded from."""
    return files("stripe_sandbox.page").joinpath("stripe.js").read_text("utf-8")


async def _script(_request: Request) -> Response:
    # Never cached: a page must not run yesterday's double against today's sandbox.
    return Response(source(), media_type="text/javascript", headers={"Cache-Control": "no-store"})
