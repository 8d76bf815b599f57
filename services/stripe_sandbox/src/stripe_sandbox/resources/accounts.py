"""Accounts v2: organisations connected to the platform (https://docs.stripe.com/api/v2/core/accounts).

Onboarding is reduced to one rule: an account that asked for `card_payments` and named its country and contact
e-mail is `pending` in the answer to its creation and `active` when it is next looked at; otherwise it stays
`restricted`, with what is missing among its requirements.
"""

from datetime import UTC, datetime

from stripe_sandbox.clock import rfc3339
from stripe_sandbox.errors import (
    InvalidRequestError,
    Json,
    NoSuchObjectError,
    NotModelledError,
    PermissionDeniedError,
)
from stripe_sandbox.ids import new_id
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.objects import APPLICATION, PLATFORM, Objects
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "v2.core.account"
_STATUS_DETAILS: dict[str, list[Json]] = {
    "active": [],
    "pending": [{"code": "determining_status", "resolution": "no_resolution"}],
    "restricted": [{"code": "requirements_past_due", "resolution": "provide_info"}],
    "rejected": [{"code": "rejected_other", "resolution": "contact_stripe"}],
    "unsupported": [{"code": "unsupported_business", "resolution": "no_resolution"}],
}
STATUSES = tuple(_STATUS_DETAILS)
# Left out of every answer unless asked for with `include`.
_INCLUDABLE = ("defaults", "future_requirements", "identity", "requirements")
# What the sandbox keeps of an account beside what Stripe shows, or shows in its own way.
_OURS = ("configuration", "disconnected", "held")
_MAXIMUM_LIST = 100


def create(call: Call) -> Json:
    """A new connected account."""
    _check(call)
    account_id = new_id("acct")
    body: Json = {"id": account_id, "object": KIND, "closed": False, "livemode": False}
    body |= {"created": rfc3339(datetime.fromtimestamp(call.now, UTC)), "metadata": {}, "configuration": {}}
    _apply(body, call.params)
    if "merchant" in body["configuration"]:
        _set_card_payments(body, "pending" if not _missing(body) else "restricted")
    call.objects.add(body)
    return _shown(body, call.params.get("include", []))


def retrieve(call: Call) -> Json:
    """One account, with what `include` names."""
    return _shown(_current(call, call.path["id"]), call.params.get("include", []))


def update(call: Call) -> Json:
    """Add to what is known about an account."""
    _check(call)
    body = _current(call, call.path["id"])
    if body["closed"]:
        raise InvalidRequestError(f"The account {body['id']} is closed and cannot be changed.")
    _apply(body, call.params)
    if "merchant" in body["configuration"] and not body.get("held"):
        _decide(call, body, "active" if not _missing(body) else "restricted")
    call.objects.save(body)
    return _shown(body, call.params.get("include", []))


def close(call: Call) -> Json:
    """End an account for good. It can still be looked at."""
    return _shown(close_(call, _current(call, call.path["id"])), [])


def list_(call: Call) -> Json:
    """The newest accounts, on one page."""
    limit = min(int(call.params.get("limit", _MAXIMUM_LIST)), _MAXIMUM_LIST)
    page = call.objects.page(KIND, clauses=[], limit=limit)
    return {
        "data": [_shown(body, []) for body in page.data],
        "next_page_url": None,
        "previous_page_url": None,
    }


def require_exists(objects: Objects, account_id: str) -> None:
    """For the Stripe-Account header. Raises PermissionDeniedError."""
    platform = Objects(objects.connection, PLATFORM, objects.now)
    _require_access(platform.find(KIND, account_id), account_id)


def _require_access(body: Json | None, account_id: str) -> None:
    if body is None or body["closed"] or body.get("disconnected"):
        raise PermissionDeniedError(
            f"The provided key does not have access to account '{account_id}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )


def require_card_payments(call: Call) -> None:
    """Raises InvalidRequestError when the call's account may not take cards."""
    body = _current(call.on(PLATFORM), call.objects.account)
    merchant = body["configuration"].get("merchant", {})
    if merchant.get("capabilities", {}).get("card_payments", {}).get("status") != "active":
        raise InvalidRequestError(
            f"The account {body['id']} cannot accept card payments: its card_payments capability is not active."
        )


def set_card_payments(call: Call, body: Json, status: str) -> Json:
    """A person's decision at Stripe about an account's capability, until another one: a word of `STATUSES`."""
    body["held"] = status != "active"
    _decide(call, body, status)
    return call.on(PLATFORM).objects.save(body)


def disconnect(call: Call, body: Json) -> Json:
    """By the organisation, in its dashboard: the platform can do nothing with the account any more."""
    body["disconnected"] = True
    saved = call.on(PLATFORM).objects.save(body)
    call.on(body["id"]).emit("account.application.deauthorized", _application())
    return saved


def reconnect(call: Call, body: Json) -> Json:
    """By the organisation, which lets the platform in again."""
    body["disconnected"] = False
    saved = call.on(PLATFORM).objects.save(body)
    call.on(body["id"]).emit("account.application.authorized", _application())
    return saved


def close_(call: Call, body: Json) -> Json:
    """By the organisation, or by the platform that opened it."""
    body["closed"] = True
    saved = call.on(PLATFORM).objects.save(body)
    call.on(PLATFORM).emit_thin("v2.core.account.closed", body)
    return saved


def complete(call: Call, account_id: str) -> Json:
    """What a person leaves behind who has answered everything that Stripe asked."""
    platform = call.on(PLATFORM)
    body = _get(platform.objects, account_id)
    _require_access(body, account_id)
    body["contact_email"] = body["contact_email"] or "completed@example.org"
    body["identity"] = {"country": "us"} | (body["identity"] or {})
    return set_card_payments(platform, body, "active")


def _application() -> Json:
    return {"id": APPLICATION, "object": "application", "name": "Amply"}


def _decide(call: Call, body: Json, status: str) -> None:
    """Decide about the capability, and tell of it where that is news: by a snapshot, and by a thin event of v2's own."""
    before = _card_payments(body)
    _set_card_payments(body, status)
    if _card_payments(body) == before:
        return
    call.on(body["id"]).emit("account.updated", _as_v1(body))
    call.on(PLATFORM).emit_thin(
        "v2.core.account[configuration.merchant].capability_status_updated",
        body,
        data={"updated_capability": "card_payments"},
    )


def _card_payments(body: Json) -> str | None:
    capabilities = body["configuration"].get("merchant", {}).get("capabilities", {})
    status: str | None = capabilities.get("card_payments", {}).get("status")
    return status


def _as_v1(body: Json) -> Json:
    """The account as v1's events show it, which know fewer words for a capability."""
    status = _card_payments(body) or "inactive"
    return {
        "id": body["id"],
        "object": "account",
        "capabilities": {"card_payments": status if status in ("active", "pending") else "inactive"},
        "charges_enabled": status == "active",
        "metadata": body["metadata"],
    }


def _get(objects: Objects, account_id: str) -> Json:
    found = objects.find(KIND, account_id)
    if found is None:
        raise NoSuchObjectError("account", account_id)
    return found


def _current(call: Call, account_id: str) -> Json:
    """The account as it is now: whoever looks after creation finds the decision made, and no event tells of it."""
    body = _get(call.objects, account_id)
    if not body["closed"]:
        _require_access(body, account_id)
    if _card_payments(body) == "pending" and not body.get("held"):
        _set_card_payments(body, "active")
        call.objects.save(body)
    return body


def _check(call: Call) -> None:
    check_metadata(call.params.get("metadata", {}))
    for name, value in call.params.get("configuration", {}).items():
        if name != "merchant":
            raise NotModelledError(
                "This sandbox models the merchant configuration alone.", param=f"configuration.{name}"
            )
        for capability in value.get("capabilities", {}):
            if capability != "card_payments":
                raise NotModelledError(
                    "This sandbox models the capability card_payments alone.",
                    param=f"configuration.merchant.capabilities.{capability}",
                )


def _apply(body: Json, params: Json) -> None:
    for name in ("contact_email", "contact_phone", "dashboard", "display_name"):
        body[name] = params.get(name, body.get(name))
    for name in ("defaults", "identity"):
        body[name] = (body.get(name) or {}) | params.get(name, {})
    responsibilities = body["defaults"].get("responsibilities")
    if responsibilities is not None:
        body["defaults"]["responsibilities"] = responsibilities | {"requirements_collector": "stripe"}
    if "country" in body["identity"]:
        body["identity"]["country"] = body["identity"]["country"].lower()
    if "metadata" in params:
        body["metadata"] = merged(body["metadata"], params["metadata"])
    merchant = params.get("configuration", {}).get("merchant")
    if merchant is not None:
        body["configuration"]["merchant"] = (
            body["configuration"].get("merchant", {"applied": True}) | merchant
        )


def _set_card_payments(body: Json, status: str) -> None:
    merchant = body["configuration"].setdefault("merchant", {"applied": True})
    requested = merchant.get("capabilities", {}).get("card_payments")
    if requested is not None and requested.get("requested", True):
        merchant["capabilities"] = {
            "card_payments": {"status": status, "status_details": _STATUS_DETAILS[status]}
        }


def _missing(body: Json) -> list[str]:
    wanted = {"contact_email": body["contact_email"], "identity.country": body["identity"].get("country")}
    return [name for name, value in wanted.items() if not value]


def _requirements(body: Json) -> Json:
    entries = [
        {
            "awaiting_action_from": "user",
            "description": name,
            "errors": [],
            "impact": {
                "restricts_capabilities": [
                    {
                        "capability": "card_payments",
                        "configuration": "merchant",
                        "deadline": {"status": "past_due"},
                    }
                ]
            },
            "minimum_deadline": {"status": "past_due"},
            "reference": None,
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for name in _missing(body)
    ]
    return {"alternatives": [], "entries": entries, "summary": None}


def _shown(body: Json, include: list[str]) -> Json:
    whole = body | {
        "requirements": _requirements(body),
        "future_requirements": {
            "alternatives": [],
            "entries": [],
            "minimum_transition_date": None,
            "summary": None,
        },
    }
    shown = {name: value for name, value in whole.items() if name not in (*_INCLUDABLE, *_OURS)}
    shown |= {name: whole[name] if name in include else None for name in _INCLUDABLE}
    configurations = {
        name: body["configuration"].get(name) if f"configuration.{name}" in include else None
        for name in ("customer", "merchant", "recipient")
    }
    asked = any(name.startswith("configuration.") for name in include)
    return shown | {
        "applied_configurations": sorted(body["configuration"]),
        "configuration": configurations if asked else None,
    }


_KNOWN = "configuration contact_email contact_phone dashboard defaults display_name identity include metadata"
OPERATIONS = (
    Operation(
        method="POST",
        path="/v2/core/accounts",
        shape=shape("v2.core._account_create_params:AccountCreateParams", _KNOWN),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v2/core/accounts",
        shape=shape("v2.core._account_list_params:AccountListParams", "limit"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v2/core/accounts/{id}",
        shape=shape("v2.core._account_retrieve_params:AccountRetrieveParams", "include"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v2/core/accounts/{id}",
        shape=shape("v2.core._account_update_params:AccountUpdateParams", _KNOWN),
        handler=update,
    ),
    Operation(
        method="POST",
        path="/v2/core/accounts/{id}/close",
        shape=shape("v2.core._account_close_params:AccountCloseParams"),
        handler=close,
    ),
)
