"""What organisations' endpoints are sent, as the `webhooks` of the API's document (OpenAPI 3.1)."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from amply.modules import public_events, webhook_endpoints

_TAG: Final = "Webhook endpoints"
_REFERENCE: Final = "#/components/schemas/{model}"
_HEADERS: Final = {
    "webhook-id": "The event's id: the same however often it is sent.",
    "webhook-timestamp": "When this attempt was made, as Unix seconds.",
    "webhook-signature": "One or two signatures, separated by spaces: `v1a,` and base64.",
}


class _Event(BaseModel):
    """One event."""

    id: str
    timestamp: str = Field(description="When it happened.")
    organization_id: str


def add_webhooks(made: dict[str, Any]) -> None:
    """Put each type of event, and the schema of what is sent, into the document."""
    events = {kind: _event(kind, payload) for kind, payload in _payloads().items()}
    _, schemas = models_json_schema(
        [(event, "serialization") for event in events.values()], ref_template=_REFERENCE
    )
    added = schemas["$defs"]
    clashing = added.keys() & made["components"]["schemas"].keys()
    if clashing:
        raise ValueError(f"two schemas are called {sorted(clashing)}")
    made["components"]["schemas"] |= added
    made["webhooks"] = {kind: {"post": _operation(event)} for kind, event in events.items()}


def _payloads() -> Mapping[str, type[BaseModel]]:
    recorded = {kind.value: payload for kind, payload in public_events.PAYLOADS.items()}
    return {**recorded, webhook_endpoints.TEST_TYPE: webhook_endpoints.EndpointTest}


def _event(kind: str, payload: type[BaseModel]) -> type[BaseModel]:
    name = "".join(word.capitalize() for word in kind.split(".")) + "Event"
    said = Field(json_schema_extra={"const": kind})
    return create_model(name, __base__=_Event, __doc__=payload.__doc__, type=(str, said), data=(payload, ...))


def _operation(event: type[BaseModel]) -> dict[str, Any]:
    name = event.__name__
    return {
        "tags": [_TAG],
        "operationId": f"receive{name}",
        "summary": event.__doc__,
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": said,
                "schema": {"type": "string"},
            }
            for header, said in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model=name)}}},
        },
        "responses": {"2XX": {"description": "Received. Anything else is tried again (docs/webhooks.md)."}},
    }
