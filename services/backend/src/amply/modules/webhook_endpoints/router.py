"""`/v1/organisations/{organization_id}/webhook-endpoints`: an organisation's webhook endpoints, and their deliveries."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of, require_match
from amply.infra.keyset import CursorOf
from amply.infra.rate_limits import Limited, count, limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, responses
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.webhook_endpoints import deliveries, service
from amply.modules.webhook_endpoints.domain import (
    DeliveryNotFound,
    DeliveryState,
    EndpointDisabled,
    EndpointNotAcceptable,
    EndpointNotFound,
    EndpointTaken,
    ReplayNotAcceptable,
    TooManyEndpoints,
)
from amply.modules.webhook_endpoints.schemas import (
    DeliveryDetail,
    DeliveryOut,
    DeliveryPage,
    EndpointChange,
    EndpointIn,
    EndpointList,
    EndpointOut,
    PublicKeysOut,
    ReplayIn,
    ReplayOut,
    RotationIn,
)

router = APIRouter(prefix="/v1/organisations/{organization_id}/webhook-endpoints", tags=["Webhook endpoints"])
public_router = APIRouter(prefix="/v1/public/webhook-endpoints", tags=["Webhook endpoints"])

Reading = Annotated[Access, allowed(Permission.WEBHOOKS_READ)]
Changing = Annotated[Access, allowed(Permission.WEBHOOKS_CHANGE)]
Sending = Annotated[Access, allowed(Permission.WEBHOOKS_SEND)]


class _LimitedByOrganization(Limited):
    """Authorises the caller, and counts the request against the organisation."""

    def __call__(self, request: Request, access: Sending) -> Access:
        count(request, limit=self.limit, caller=access.organization_id, whose="for this organisation")
        return access


class _LimitedRotation(Limited):
    """The same for callers who may change endpoints."""

    def __call__(self, request: Request, access: Changing) -> Access:
        count(request, limit=self.limit, caller=access.organization_id, whose="for this organisation")
        return access


LimitedSending = Annotated[Access, Depends(_LimitedByOrganization("webhook_sends"))]
LimitedRotation = Annotated[Access, Depends(_LimitedRotation("webhook_keys"))]


async def _allows_loopback(request: Request) -> bool:
    allows: bool = request.app.state.allows_loopback_webhooks
    return allows


AllowsLoopback = Annotated[bool, Depends(_allows_loopback)]


@router.get("", summary="List webhook endpoints", responses=responses(*PROBLEMS))
def list_webhook_endpoints(access: Reading) -> EndpointList:
    with access.transaction() as session:
        found = service.endpoints_of(session, access)
        keys = service.keys_by_endpoint(session, access)
    return EndpointList(data=[EndpointOut.of(each, keys.get(each.id, ())) for each in found])


@router.post(
    "",
    status_code=201,
    summary="Add a webhook endpoint",
    responses=responses(*PROBLEMS, EndpointNotAcceptable, EndpointTaken, TooManyEndpoints),
)
def add_webhook_endpoint(
    body: EndpointIn, access: Changing, allows_loopback: AllowsLoopback, response: Response
) -> EndpointOut:
    """Five at most. Again with the same, it changes nothing: the endpoint of this address is the answer."""
    wanted = service.EndpointValues(url=body.url, description=body.description, event_types=body.event_types)
    with access.transaction() as session:
        made, keys = service.add(session, access, wanted=wanted, allows_loopback=allows_loopback)
    return _tagged(EndpointOut.of(made, keys), response)


@router.get(
    "/{endpoint_id}", summary="Show a webhook endpoint", responses=responses(*PROBLEMS, EndpointNotFound)
)
def show_webhook_endpoint(endpoint_id: Identifier, access: Reading, response: Response) -> EndpointOut:
    """Its `ETag` is what a change names as `If-Match`."""
    with access.transaction() as session:
        found = service.find(session, access, endpoint_id=endpoint_id)
        keys = service.keys_of(session, access, endpoint_id=endpoint_id)
    return _tagged(EndpointOut.of(found, keys), response)


@router.patch(
    "/{endpoint_id}",
    summary="Change a webhook endpoint",
    responses=responses(
        *PROBLEMS,
        EndpointNotFound,
        EndpointNotAcceptable,
        EndpointTaken,
        ChangeNotConditional,
        ChangedMeanwhile,
    ),
)
def change_webhook_endpoint(
    endpoint_id: Identifier,
    body: EndpointChange,
    access: Changing,
    allows_loopback: AllowsLoopback,
    response: Response,
    if_match: IfMatch = None,
) -> EndpointOut:
    """One that was disabled is enabled here again."""
    wanted = service.EndpointValues(**body.model_dump())
    with access.transaction() as session:
        before = service.find(session, access, endpoint_id=endpoint_id, locks=True)
        keys = service.keys_of(session, access, endpoint_id=endpoint_id)
        require_match(if_match, EndpointOut.of(before, keys))
        changed = service.change(
            session, access, endpoint_id=endpoint_id, wanted=wanted, allows_loopback=allows_loopback
        )
    return _tagged(EndpointOut.of(changed, keys), response)


@router.delete(
    "/{endpoint_id}",
    status_code=204,
    summary="Remove a webhook endpoint",
    responses=responses(*PROBLEMS, EndpointNotFound),
)
def remove_webhook_endpoint(endpoint_id: Identifier, access: Changing) -> None:
    """With its keys and its deliveries. To pause it, set `enabled` to false instead."""
    with access.transaction() as session:
        service.remove(session, access, endpoint_id=endpoint_id)


@router.post(
    "/{endpoint_id}/keys",
    status_code=201,
    summary="Rotate a webhook endpoint's key",
    responses=responses(*PROBLEMS, EndpointNotFound),
)
def rotate_webhook_key(endpoint_id: Identifier, body: RotationIn, access: LimitedRotation) -> PublicKeysOut:
    """A new key signs from now on, and the present one beside it for as long as you say."""
    with access.transaction() as session:
        keys = service.rotate_key(
            session,
            access,
            endpoint_id=endpoint_id,
            former_ends_after=timedelta(hours=body.former_ends_after_hours),
        )
    return PublicKeysOut.of(keys)


@router.post(
    "/{endpoint_id}/test",
    status_code=202,
    summary="Send a test event",
    responses=responses(*PROBLEMS, EndpointNotFound, EndpointDisabled),
)
def send_test_event(endpoint_id: Identifier, access: LimitedSending) -> DeliveryOut:
    """Of type `endpoint.test`, to this endpoint alone. Look at the delivery to see what came of it."""
    with access.transaction() as session:
        return DeliveryOut.of(deliveries.send_test(session, access, endpoint_id=endpoint_id))


@router.post(
    "/{endpoint_id}/replays",
    status_code=202,
    summary="Send events again",
    responses=responses(*PROBLEMS, EndpointNotFound, EndpointDisabled, ReplayNotAcceptable),
)
def replay_events(endpoint_id: Identifier, body: ReplayIn, access: LimitedSending) -> ReplayOut:
    """One event, or those of a time range: those that have not arrived, and those from before there was this endpoint."""
    with access.transaction() as session:
        sent = deliveries.replay(session, access, endpoint_id=endpoint_id, **body.model_dump())
    return ReplayOut(deliveries=sent)


@router.get(
    "/{endpoint_id}/deliveries",
    summary="List deliveries",
    responses=responses(*PROBLEMS, EndpointNotFound, CursorNotAcceptable),
)
def list_deliveries(
    endpoint_id: Identifier,
    access: Reading,
    state: DeliveryState | None = None,
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> DeliveryPage:
    with access.transaction() as session:
        page = deliveries.listed(
            session, access, endpoint_id=endpoint_id, state=state, cursor=cursor, limit=limit
        )
    return DeliveryPage(
        data=[DeliveryOut.of(each) for each in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get(
    "/{endpoint_id}/deliveries/{delivery_id}",
    summary="Show a delivery with its attempts",
    responses=responses(*PROBLEMS, DeliveryNotFound),
)
def show_delivery(endpoint_id: Identifier, delivery_id: Identifier, access: Reading) -> DeliveryDetail:
    with access.transaction() as session:
        found, attempts = deliveries.find(session, access, endpoint_id=endpoint_id, delivery_id=delivery_id)
    return DeliveryDetail.with_log(found, attempts)


@public_router.get(
    "/{endpoint_id}/keys",
    summary="List the public keys that sign an endpoint's events",
    responses=responses(EndpointNotFound),
    dependencies=[Depends(limit_by_address("public"))],
)
def list_public_webhook_keys(endpoint_id: Identifier, database: DatabaseOf, clock: ClockOf) -> PublicKeysOut:
    """Keep them, and ask again when a signature is of none of them."""
    return PublicKeysOut.of(service.public_keys(database, endpoint_id=endpoint_id, now=clock()))


def _tagged(shown: EndpointOut, response: Response) -> EndpointOut:
    response.headers["ETag"] = etag_of(shown)
    return shown
