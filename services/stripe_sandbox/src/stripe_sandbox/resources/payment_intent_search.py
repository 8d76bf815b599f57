"""Search over PaymentIntents, by metadata above all (https://docs.stripe.com/search)."""

import re

from stripe_sandbox.errors import Json, ParameterError
from stripe_sandbox.lists import limit_of
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.search import parse


def search(call: Call) -> Json:
    """PaymentIntents matching a query; as at Stripe, not for reading what was written a moment ago."""
    limit, start = limit_of(call.params), _page_start(call.params.get("page"))
    clauses = [
        parse(call.params["query"]),
        ("updated <= ?", (call.now - call.settings.search_lag.total_seconds(),)),
    ]
    if start is not None:
        clauses.append(("sequence < ?", (start,)))
    page = call.objects.page("payment_intent", clauses=clauses, limit=limit)
    last = (
        call.objects.sequence_of("payment_intent", page.data[-1]["id"], param="page")
        if page.has_more
        else None
    )
    return {
        "object": "search_result",
        "url": "/v1/payment_intents/search",
        "has_more": page.has_more,
        "data": page.data,
        "next_page": None if last is None else f"page_{last}",
    }


def _page_start(page: str | None) -> int | None:
    if page is None:
        return None
    if not re.fullmatch(r"page_[0-9]{1,18}", page):
        raise ParameterError("Invalid page: use the `next_page` of an earlier search.", param="page")
    return int(page.removeprefix("page_"))


OPERATION = Operation(
    method="GET",
    path="/v1/payment_intents/search",
    shape=shape("_payment_intent_search_params:PaymentIntentSearchParams", "query limit page expand"),
    handler=search,
)
