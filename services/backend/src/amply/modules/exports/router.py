"""`/v1/organisations/{organization_id}/exports`: export files, made by the worker."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from amply.infra.keyset import CursorOf
from amply.infra.rate_limits import Limited, count
from amply.infra.web import Identifier, responses
from amply.kernel.clock import iso, iso_or_none
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.exports import service
from amply.modules.exports.domain import (
    LINK_LASTS,
    Export,
    ExportFormat,
    ExportKind,
    ExportNotAcceptable,
    ExportNotFound,
    ExportNotReady,
    ExportRequest,
    ExportsNotOffered,
    ExportState,
    path_of,
)
from amply.modules.exports.ports import ExportStore

router = APIRouter(prefix="/v1/organisations/{organization_id}/exports", tags=["Exports"])

Exporting = Annotated[Access, allowed(Permission.EXPORT)]


class _LimitedByOrganization(Limited):
    """Authorises the caller, and counts the request against the organisation."""

    def __call__(self, request: Request, access: Exporting) -> Access:
        count(request, limit=self.limit, caller=access.organization_id, whose="for this organisation")
        return access


async def _store(request: Request) -> ExportStore:
    store: ExportStore | None = request.app.state.export_store
    if store is None:
        raise ExportsNotOffered("No files are made here yet: read the lists page by page.")
    return store


StoreOf = Annotated[ExportStore, Depends(_store)]


class ExportIn(BaseModel):
    """A file to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ExportKind
    format: ExportFormat = ExportFormat.CSV
    since: Annotated[
        AwareDatetime | None, Field(description="From then on, with its offset; null: from the first.")
    ] = None
    before: Annotated[
        AwareDatetime | None, Field(description="Before then, with its offset; null: until now.")
    ] = None


class ExportOut(BaseModel):
    """How a file stands."""

    id: str
    kind: str
    format: str
    since: str | None
    before: str | None
    names_donors: bool = Field(
        description="Whether it says who gave: then it is for those alone who may see that."
    )
    state: ExportState = Field(
        description="`failed`: it could not be made, or was taken back; ask for another one."
    )
    rows: int | None
    bytes: int | None
    sha256: str | None = Field(description="Of the file, hexadecimal.")
    created_at: str
    ready_at: str | None
    expires_at: str = Field(description="When the file is gone.")

    @classmethod
    def of(cls, export: Export) -> "ExportOut":
        """How `export` stands."""
        wanted = export.wanted
        return cls(
            id=export.id,
            kind=wanted.kind,
            format=wanted.format,
            since=iso_or_none(wanted.since),
            before=iso_or_none(wanted.before),
            names_donors=export.names_donors,
            state=export.state,
            rows=export.rows,
            bytes=export.bytes,
            sha256=export.sha256,
            created_at=iso(export.created_at),
            ready_at=iso_or_none(export.ready_at),
            expires_at=iso(export.expires_at),
        )


class ExportPage(BaseModel):
    """A page of files, the newest first; pass `next_cursor` as `cursor` for older ones."""

    data: list[ExportOut]
    has_more: bool
    next_cursor: str | None


class ExportLink(BaseModel):
    """Where a file is fetched from. Whoever has the address can fetch it."""

    url: str
    filename: str
    expires_at: str = Field(description="When the address is good no more: minutes.")


@router.post(
    "",
    status_code=202,
    summary="Ask for a file",
    responses=responses(*PROBLEMS, ExportNotAcceptable, ExportsNotOffered),
)
def ask_for_export(
    body: ExportIn, access: Annotated[Access, Depends(_LimitedByOrganization("own_exports"))], _: StoreOf
) -> ExportOut:
    """Three an hour and organisation. Look at it until its state is `ready`, then ask for a link."""
    wanted = ExportRequest(kind=body.kind, format=body.format, since=body.since, before=body.before)
    with access.transaction() as session:
        return ExportOut.of(service.ask(session, access, wanted=wanted))


@router.get("", summary="List files", responses=responses(*PROBLEMS, CursorNotAcceptable))
def list_exports(
    access: Exporting,
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> ExportPage:
    with access.transaction() as session:
        page = service.listed(session, access, cursor=cursor, limit=limit)
    return ExportPage(
        data=[ExportOut.of(export) for export in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get("/{export_id}", summary="See how a file stands", responses=responses(*PROBLEMS, ExportNotFound))
def show_export(export_id: Identifier, access: Exporting) -> ExportOut:
    with access.transaction() as session:
        return ExportOut.of(service.find(session, access, export_id=export_id))


@router.post(
    "/{export_id}/links",
    status_code=201,
    summary="Get the address of a file",
    responses=responses(*PROBLEMS, ExportNotFound, ExportNotReady, ExportsNotOffered),
)
def make_export_link(export_id: Identifier, access: Exporting, store: StoreOf) -> ExportLink:
    """Good for minutes, for whoever has it. That it was asked for is recorded."""
    with access.transaction() as session:
        found = service.fetch(session, access, export_id=export_id)
    url = store.link(
        path_of(organization_id=found.organization_id, export_id=found.id),
        filename=found.filename,
        media_type=found.wanted.format.media_type,
        lasts=LINK_LASTS,
    )
    return ExportLink(url=url, filename=found.filename, expires_at=iso(access.now + LINK_LASTS))
