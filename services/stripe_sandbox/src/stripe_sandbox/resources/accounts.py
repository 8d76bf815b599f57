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
from stripe_sandbox.objects import PLATFORM, Objects
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "v2.core.account"
_STATUS_DETAILS: dict[str, list[Json]] = {
    "active": [],
    "pending": [{"code": "determining_status", "resolution": "no_resolution"}],
    "restricted": [{"code": "requirements_past_due", "resolution": "provide_info"}],
}
# Left out of every answer unless asked for with `include`.
_INCLUDABLE = ("defaults", "future_requirements", "identity", "requirements")
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
    return _shown(_current(call.objects, call.path["id"]), call.params.get("include", []))


def update(call: Call) -> Json:
    """Add to what is known about an account."""
    _check(call)
    body = _current(call.objects, call.path["id"])
    _apply(body, call.params)
    if "merchant" in body["configuration"]:
        _set_card_payments(body, "active" if not _missing(body) else "restricted")
    call.objects.save(body)
    return _shown(body, call.params.get("include", []))


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
    if platform.find(KIND, account_id) is None:
        raise PermissionDeniedError(
            f"The provided key does not have access to account '{account_id}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )


def require_card_payments(call: Call) -> None:
    """Raises InvalidRequestError when the call's account may not take cards."""
    body = _current(Objects(call.objects.connection, PLATFORM, call.now), call.objects.account)
    merchant = body["configuration"].get("merchant", {})
    if merchant.get("capabilities", {}).get("card_payments", {}).get("status") != "active":
        raise InvalidRequestError(
            f"The account {body['id']} cannot accept card payments: its card_payments capability is not active."
        )


def set_card_payments(objects: Objects, account_id: str, status: str) -> Json:
    """A test's decision about an account's capability: `active`, `pending` or `restricted`, until changed."""
    body = _get(objects, account_id)
    _set_card_payments(body, status)
    body["held"] = status != "active"
    return objects.save(body)


def _get(objects: Objects, account_id: str) -> Json:
    found = objects.find(KIND, account_id)
    if found is None:
        raise NoSuchObjectError("account", account_id)
    return found


def _current(objects: Objects, account_id: str) -> Json:
    """The account as it is now: whoever looks after creation finds the decision made."""
    body = _get(objects, account_id)
    capabilities = body["configuration"].get("merchant", {}).get("capabilities", {})
    if capabilities.get("card_payments", {}).get("status") == "pending" and not body.get("held"):
        _set_card_payments(body, "active")
        objects.save(body)
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
    shown = {
        name: value for name, value in whole.items() if name not in (*_INCLUDABLE, "configuration", "held")
    }
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
)
