"""Links to Stripe's hosted onboarding (https://docs.stripe.com/api/v2/core/account-links).

A link is good for one visit within ten minutes. Who visits it here has answered everything at once.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from stripe_sandbox.clock import rfc3339
from stripe_sandbox.errors import (
    InvalidRequestError,
    Json,
    NoSuchObjectError,
    NotModelledError,
    ParameterError,
)
from stripe_sandbox.ids import new_id
from stripe_sandbox.objects import PLATFORM
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import accounts

KIND = "v2.core.account_link"
PATH = "/_sandbox/onboarding/{id}"
_LIFETIME = timedelta(minutes=10)


def create(call: Call) -> Json:
    """A link that was not used yet. It is in this answer alone."""
    account_id = str(call.params["account"])
    account = call.objects.find(accounts.KIND, account_id)
    if account is None:
        raise NoSuchObjectError("account", account_id, param="account")
    accounts.require_exists(call.objects, account_id)
    use_case: Any = call.params["use_case"]
    kind = use_case.get("type")
    if kind not in ("account_onboarding", "account_update"):
        raise NotModelledError(
            "This sandbox models account_onboarding and account_update.", param="use_case.type"
        )
    asked = use_case.get(kind)
    if asked is None:
        raise ParameterError(f"Missing required param: use_case.{kind}.", param=f"use_case.{kind}")
    if kind == "account_update" and account["dashboard"] == "full":
        raise InvalidRequestError(
            "Accounts with a full dashboard are updated there, by those whose they are."
        )
    for name in ("refresh_url", "return_url"):
        if name in asked and urlsplit(asked[name]).scheme not in ("http", "https"):
            raise ParameterError(f"Not a valid URL: {asked[name]}", param=f"use_case.{kind}.{name}")
    made = datetime.fromtimestamp(call.now, UTC)
    link_id = new_id("alu")
    body: Json = {
        "object": KIND,
        "account": account_id,
        "created": rfc3339(made),
        "expires_at": rfc3339(made + _LIFETIME),
        "livemode": False,
        "url": call.settings.public_url + PATH.format(id=link_id),
        "use_case": {"account_onboarding": None, "account_update": None, **use_case},
    }
    call.objects.add(body | {"id": link_id, "visited": False})
    return body


def visit(call: Call, link_id: str) -> str | None:
    """Somebody opens a link: where their browser goes next. None: there is no such link.

    The first visit in time answers all questions and leads back; a later one leads to where a new link is made.
    """
    platform = call.on(PLATFORM)
    link = platform.objects.find(KIND, link_id)
    if link is None:
        return None
    asked = link["use_case"][link["use_case"]["type"]]
    is_over = rfc3339(datetime.fromtimestamp(call.now, UTC)) >= link["expires_at"]
    refresh: str = asked["refresh_url"]
    if link["visited"] or is_over:
        return refresh
    platform.objects.save(link | {"visited": True})
    accounts.complete(platform, link["account"])
    back: str = asked.get("return_url") or refresh
    return back


OPERATIONS = (
    Operation(
        method="POST",
        path="/v2/core/account_links",
        shape=shape("v2.core._account_link_create_params:AccountLinkCreateParams", "account use_case"),
        handler=create,
    ),
)
