"""`POST /v1/webhooks/stripe`: verify, store once, answer 202; the work happens later."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from amply.infra import tracing
from amply.infra.web import ClockOf, DatabaseOf, responses
from amply.kernel.errors import NotOffered
from amply.modules.webhooks import service
from amply.modules.webhooks.domain import EventMalformed, EventRejected, SignatureNotValid, WrongLivemode
from amply.modules.webhooks.ports import EventVerifier

router = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"])


class WebhooksNotOffered(NotOffered):
    """This environment has no webhook secret, so it takes no events."""

    code = "webhooks_not_offered"


async def _verifier(request: Request) -> EventVerifier:
    verifier: EventVerifier | None = request.app.state.verifier
    if verifier is None:
        raise WebhooksNotOffered(
            "No webhook secret is configured here; set the stripe secret's webhook_secret."
        )
    return verifier


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/stripe",
    status_code=202,
    summary="Receive an event from Stripe",
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "An event, as Stripe signed its bytes",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
    responses=responses(EventRejected, SignatureNotValid, EventMalformed, WrongLivemode, WebhooksNotOffered),
)
def receive_stripe_event(
    payload: Annotated[bytes, Depends(_body)],
    verifier: Annotated[EventVerifier, Depends(_verifier)],
    request: Request,
    database: DatabaseOf,
    clock: ClockOf,
    stripe_signature: Annotated[str, Header(max_length=2000)] = "",
) -> dict[str, str]:
    now = clock()
    event = verifier.verify(payload=payload, signature=stripe_signature, now=now)
    tracing.annotate(event_id=event.id)
    with database.transaction() as session:
        service.ingest(
            session,
            event=event,
            livemode=request.app.state.livemode,
            keeps=request.app.state.keeps_event,
            now=now,
        )
    return {}
