"""API schemas of webhook endpoints."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from amply.kernel.clock import iso, iso_or_none
from amply.modules.public_events import EventType
from amply.modules.webhook_endpoints.domain import (
    FORMER_KEY_HOURS_MAX,
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    PublicKey,
)

Types = Annotated[set[EventType], Field(min_length=1)]


class EndpointIn(BaseModel):
    """An endpoint to add."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(max_length=2000, description="Https, on the public internet, on port 443.")]
    description: Annotated[str, Field(max_length=500, description="What it is for.")] = ""
    event_types: Types


class EndpointChange(BaseModel):
    """What to change; what is left out or null stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str | None, Field(max_length=2000)] = None
    description: Annotated[str | None, Field(max_length=500)] = None
    event_types: Types | None = None
    enabled: Annotated[
        bool | None,
        Field(
            description="True: it begins again without failures, and what waits is sent, as what happened meanwhile."
        ),
    ] = None


class PublicKeyOut(BaseModel):
    """What signatures are verified with."""

    public_key: str = Field(description="`whpk_` and the base64 of the 32 bytes of an Ed25519 key.")
    expires_at: str | None = Field(description="When it signs no more; null: it has not been replaced.")


class PublicKeysOut(BaseModel):
    """The keys that sign now, the newest first; two at most."""

    data: list[PublicKeyOut]

    @classmethod
    def of(cls, keys: Sequence[PublicKey]) -> "PublicKeysOut":
        """The wire form of `keys`."""
        return cls(
            data=[
                PublicKeyOut(public_key=key.public_key, expires_at=iso_or_none(key.expires_at))
                for key in keys
            ]
        )


class EndpointOut(BaseModel):
    """An endpoint."""

    id: str
    url: str
    description: str
    event_types: list[EventType]
    state: EndpointState
    disabled_reason: DisabledReason | None = Field(
        description="`failing`: nothing arrived for 82 hours. `gone`: it answered 410. `by_member`: somebody disabled it."
    )
    failing_since: str | None = Field(description="The first failure since the last success.")
    created_by: str = Field(description="The `person_id` of the member who added it.")
    created_at: str
    changed_at: str
    public_keys: list[PublicKeyOut] = Field(description="Those that sign now, the newest first.")

    @classmethod
    def of(cls, endpoint: Endpoint, keys: Sequence[PublicKey]) -> "EndpointOut":
        """What those who may see endpoints see."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            description=endpoint.description,
            event_types=[EventType(each) for each in endpoint.event_types],
            state=endpoint.state,
            disabled_reason=endpoint.disabled_reason,
            failing_since=iso_or_none(endpoint.failing_since),
            created_by=endpoint.created_by,
            created_at=iso(endpoint.created_at),
            changed_at=iso(endpoint.changed_at),
            public_keys=PublicKeysOut.of(keys).data,
        )


class EndpointList(BaseModel):
    """The organisation's endpoints, the oldest first; five at most."""

    data: list[EndpointOut]


class RotationIn(BaseModel):
    """A new key for an endpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    former_ends_after_hours: Annotated[
        int,
        Field(
            ge=0,
            le=FORMER_KEY_HOURS_MAX,
            description="How long the present key signs beside the new one; 0: not any more.",
        ),
    ] = 24


class ReplayIn(BaseModel):
    """Which events are sent again: one, or those recorded in a time range."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: Annotated[str | None, Field(max_length=40)] = None
    since: Annotated[AwareDatetime | None, Field(description="From then on, with its offset.")] = None
    before: Annotated[AwareDatetime | None, Field(description="Before then; null: until now.")] = None
    includes_delivered: Annotated[
        bool, Field(description="Of a range: also those that have arrived already.")
    ] = False


class ReplayOut(BaseModel):
    """What is sent again."""

    deliveries: int = Field(description="How many are due now that were not on their way.")


class DeliveryOut(BaseModel):
    """One event on its way to one endpoint."""

    id: str
    event_id: str = Field(description="The header `webhook-id`: the same however often it is sent.")
    event_type: str
    state: DeliveryState = Field(description="`failed`: its attempts are used up; a replay sends it again.")
    attempts: int = Field(description="Since it was made, or was last replayed.")
    next_attempt_at: str | None
    created_at: str
    finished_at: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        """How `delivery` stands."""
        return cls(
            id=delivery.id,
            event_id=delivery.event.id,
            event_type=delivery.event.type,
            state=delivery.state,
            attempts=delivery.attempts,
            next_attempt_at=iso_or_none(delivery.next_attempt_at),
            created_at=iso(delivery.created_at),
            finished_at=iso_or_none(delivery.finished_at),
        )


class DeliveryPage(BaseModel):
    """A page of deliveries, the newest first; pass `next_cursor` as `cursor` for older ones."""

    data: list[DeliveryOut]
    has_more: bool
    next_cursor: str | None


class AttemptOut(BaseModel):
    """One request."""

    at: str
    status: int | None = Field(description="Null: no answer came.")
    error: str | None = Field(description="Null: the answer was 2xx.")
    milliseconds: int


class DeliveryDetail(DeliveryOut):
    """A delivery with what is sent and what came of it."""

    occurred_at: str
    data: dict[str, Any] = Field(description="The event's own.")
    log: list[AttemptOut] = Field(description="The newest hundred attempts, the oldest first.")

    @classmethod
    def with_log(cls, delivery: Delivery, attempts: Sequence[Attempt]) -> "DeliveryDetail":
        """All there is about `delivery`."""
        return cls(
            **DeliveryOut.of(delivery).model_dump(),
            occurred_at=iso(delivery.event.occurred_at),
            data=dict(delivery.event.data),
            log=[
                AttemptOut(
                    at=iso(each.at), status=each.status, error=each.error, milliseconds=each.milliseconds
                )
                for each in attempts
            ],
        )
