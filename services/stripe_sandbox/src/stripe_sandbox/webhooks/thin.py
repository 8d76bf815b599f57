"""Thin events: a reference to what changed, to be fetched (https://docs.stripe.com/event-destinations#thin-events).

Each stands beside a snapshot event of v1 and tells of the same change; its type has the prefix `v1.`.
"""

from datetime import UTC, datetime

from stripe_sandbox.clock import rfc3339
from stripe_sandbox.errors import Json

KIND = "v2.core.event"
_PREFIX = "evt_test_"
_SNAPSHOT_PREFIX = "evt_"


def notification(snapshot: Json) -> Json:
    """What is pushed to an endpoint in place of this snapshot event."""
    changed = snapshot["data"]["object"]
    asked = snapshot["request"]
    return {
        "id": _PREFIX + snapshot["id"].removeprefix(_SNAPSHOT_PREFIX),
        "object": KIND,
        "context": snapshot.get("account"),
        "created": rfc3339(datetime.fromtimestamp(snapshot["created"], UTC)),
        "livemode": snapshot["livemode"],
        "reason": _reason(asked["id"], asked["idempotency_key"]),
        "related_object": {
            "id": changed["id"],
            "type": changed["object"],
            # `charge` is fetched at /v1/charges/ID, `radar.early_fraud_warning` at /v1/radar/early_fraud_warnings/ID.
            "url": f"/v1/{changed['object'].replace('.', '/')}s/{changed['id']}",
        },
        "snapshot_event": snapshot["id"],
        "type": f"v1.{snapshot['type']}",
    }


def native(
    kind: str,
    changed: Json,
    *,
    event_id: str,
    created: int,
    request_id: str | None,
    idempotency_key: str | None,
) -> Json:
    """An event that v2 alone has, about an object of v2: there is no snapshot of it. `created`: seconds since 1970."""
    return {
        "id": _PREFIX + event_id.removeprefix(_SNAPSHOT_PREFIX),
        "object": KIND,
        "context": None,
        "created": rfc3339(datetime.fromtimestamp(created, UTC)),
        "livemode": False,
        "reason": _reason(request_id, idempotency_key),
        "related_object": {
            "id": changed["id"],
            "type": changed["object"],
            # `v2.core.account` is fetched at /v2/core/accounts/ID.
            "url": f"/{changed['object'].replace('.', '/')}s/{changed['id']}",
        },
        "snapshot_event": None,
        "type": kind,
    }


def pushed(event_body: Json) -> Json:
    """What is pushed of an event that v2 alone has: its data and changes are to be fetched."""
    return {name: value for name, value in event_body.items() if name not in ("changes", "data")}


def _reason(request_id: str | None, idempotency_key: str | None) -> Json | None:
    if request_id is None:
        return None
    return {"type": "request", "request": {"id": request_id, "idempotency_key": idempotency_key or ""}}


def event(snapshot: Json) -> Json:
    """What is fetched by the notification's id: with what changed, if the snapshot says it."""
    before = snapshot["data"].get("previous_attributes")
    after = snapshot["data"]["object"]
    changes = None
    if before is not None:
        changes = {"before": before, "after": {name: after.get(name) for name in before}}
    return notification(snapshot) | {"changes": changes}


def snapshot_id(event_id: str) -> str:
    """The id of the snapshot event beside a thin one."""
    return _SNAPSHOT_PREFIX + event_id.removeprefix(_PREFIX)
