"""`/v1/organisations/{organization_id}/receipt-settings`: an organisation's receipt settings."""

from typing import Annotated

from fastapi import APIRouter, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of
from amply.infra.web import responses
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.receipts import own_settings
from amply.modules.receipts.domain import ReceiptSettingsNotAcceptable
from amply.modules.receipts.schemas import ReceiptSettingsChange, ReceiptSettingsOut

settings_router = APIRouter(
    prefix="/v1/organisations/{organization_id}/receipt-settings", tags=["Organisations"]
)


@settings_router.get("", summary="Show how one issues receipts", responses=responses(*PROBLEMS))
def show_receipt_settings(
    access: Annotated[Access, allowed(Permission.RECEIPT_SETTINGS_READ)], response: Response
) -> ReceiptSettingsOut:
    """An organisation that never said has what its country suggests."""
    with access.transaction() as session:
        shown = own_settings.own_settings(session, access).shown()
    response.headers["ETag"] = etag_of(shown)
    return shown


@settings_router.patch(
    "",
    summary="Change how one issues receipts",
    responses=responses(*PROBLEMS, ChangeNotConditional, ChangedMeanwhile, ReceiptSettingsNotAcceptable),
)
def change_receipt_settings(
    body: ReceiptSettingsChange,
    access: Annotated[Access, allowed(Permission.RECEIPT_SETTINGS_CHANGE)],
    response: Response,
    if_match: IfMatch = None,
) -> ReceiptSettingsOut:
    """Receipts that are issued from now on follow it; those that were issued stay as they are."""
    with access.transaction() as session:
        shown = own_settings.change_settings(session, access, asked=body, if_match=if_match)
    response.headers["ETag"] = etag_of(shown)
    return shown
