"""`/v1/me/applications` and `/v1/organisations/{organization_id}/application`: applying to become an organisation here."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of
from amply.infra.vault.organization_keys import hold_key_of
from amply.infra.web import Identifier, responses
from amply.kernel.clock import iso
from amply.kernel.errors import AmplyError
from amply.modules import access as who
from amply.modules.access import Access, Permission, PersonAccess, allowed, signed_in
from amply.modules.applications import documents, domain, presentation, service
from amply.modules.applications.dependencies import Dependencies
from amply.modules.applications.documents import READ_WITHIN
from amply.modules.applications.schemas import (
    ApplicationChange,
    ApplicationIn,
    ApplicationOut,
    DocumentIn,
    DocumentLink,
    DocumentList,
    DocumentOut,
    UploadOut,
)
from amply.modules.applications.tax_ids import TaxIdNotAcceptable
from amply.modules.organizations import MoveNotPossible, OrganizationNotAcceptable

own_router = APIRouter(prefix="/v1/me", tags=["Applications"])
router = APIRouter(prefix="/v1/organisations/{organization_id}/application", tags=["Applications"])


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.organization_applications
    if parts is None:
        raise domain.ApplicationsNotOffered("Nobody can apply here yet; ask whoever runs this platform.")
    return parts


PartsOf = Annotated[Dependencies, Depends(_parts)]
Reading = Annotated[Access, allowed(Permission.APPLICATION_READ)]
Changing = Annotated[Access, allowed(Permission.APPLICATION_CHANGE)]


def _problems(*more: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    return responses(*who.PROBLEMS, *more)


@own_router.post(
    "/applications",
    status_code=201,
    summary="Begin to apply for an organisation",
    responses=responses(
        *who.OWN_PROBLEMS,
        domain.ApplicationsNotOffered,
        domain.ApplicationNotAcceptable,
        domain.TooManyApplications,
        domain.AddressNotProven,
        OrganizationNotAcceptable,
    ),
)
def begin_application(
    body: ApplicationIn,
    own: Annotated[PersonAccess, signed_in(Permission.ORGANISATION_APPLY)],
    parts: PartsOf,
    response: Response,
) -> ApplicationOut:
    """Makes a draft that nobody else sees, owned by whoever asks. Again, it answers with the draft of this slug."""
    address = parts.people.verified_address(person_id=own.person_id)
    if address is None:
        raise domain.AddressNotProven("Verify your e-mail address first, then apply again.")
    with own.transaction() as session:
        organization_id = service.found(session, own, asked=body, address=address)
    shown = _shown(own, organization_id)
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.get("", summary="Show an organisation's application", responses=_problems(domain.ApplicationNotFound))
def show_application(access: Reading, response: Response) -> ApplicationOut:
    hold_key_of(access.database, access.organization_id)
    with access.transaction() as session:
        shown = presentation.shown_of(session, access)
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.patch(
    "",
    summary="Say what the organisation is",
    responses=_problems(
        domain.ApplicationNotFound,
        domain.ApplicationNotOpen,
        OrganizationNotAcceptable,
        TaxIdNotAcceptable,
        ChangeNotConditional,
        ChangedMeanwhile,
    ),
)
def change_application(
    body: ApplicationChange, access: Changing, response: Response, if_match: IfMatch = None
) -> ApplicationOut:
    hold_key_of(access.database, access.organization_id, to_seal=True)
    with access.transaction() as session:
        shown = service.change(session, access, asked=body, if_match=if_match)
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.post(
    "/submit",
    summary="Hand the application in",
    responses=_problems(domain.ApplicationNotFound, domain.ApplicationIncomplete, MoveNotPossible),
)
def submit_application(access: Changing, response: Response) -> ApplicationOut:
    """Staff look at it within two to five working days, and write."""
    hold_key_of(access.database, access.organization_id, to_seal=True)
    with access.transaction() as session:
        shown = service.submit(session, access)
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.get("/documents", summary="List the organisation's documents", responses=_problems())
def list_documents(access: Reading) -> DocumentList:
    with access.transaction() as session:
        found = documents.documents_of(session, access)
    return DocumentList(data=[DocumentOut.of(each) for each in found])


@router.post(
    "/documents",
    status_code=201,
    summary="Make a place for a document",
    responses=_problems(
        documents.DocumentNotAcceptable,
        documents.TooManyDocuments,
        domain.ApplicationNotOpen,
        domain.ApplicationsNotOffered,
    ),
)
def add_document(body: DocumentIn, access: Changing, parts: PartsOf) -> UploadOut:
    """Answers with a form that uploads one file within ten minutes. What is never uploaded is forgotten."""
    return UploadOut.of(documents.offer(access, parts.shelf, kind=body.kind, media_type=body.media_type))


@router.post(
    "/documents/{document_id}/received",
    summary="Tell that a document was uploaded",
    responses=_problems(
        documents.DocumentNotFound,
        documents.DocumentNotThere,
        documents.DocumentNotAcceptable,
        domain.ApplicationsNotOffered,
    ),
)
def receive_document(document_id: Identifier, access: Changing, parts: PartsOf) -> DocumentOut:
    """It is looked at: what is not what it was said to be is refused and removed."""
    return DocumentOut.of(documents.receive(access, parts.shelf, document_id=document_id))


@router.post(
    "/documents/{document_id}/link",
    status_code=201,
    summary="Make a link to read a document",
    responses=_problems(
        documents.DocumentNotFound, documents.DocumentNotThere, domain.ApplicationsNotOffered
    ),
)
def read_document(document_id: Identifier, access: Reading, parts: PartsOf) -> DocumentLink:
    """Good for five minutes. That it was asked for is recorded."""
    url = documents.link_to(access, parts.shelf, document_id=document_id)
    return DocumentLink(url=url, expires_at=iso(access.now + READ_WITHIN))


@router.delete(
    "/documents/{document_id}",
    status_code=204,
    summary="Remove a document",
    responses=_problems(documents.DocumentNotFound, domain.ApplicationNotOpen),
)
def remove_document(document_id: Identifier, access: Changing) -> None:
    documents.remove(access, document_id=document_id)


def _shown(own: PersonAccess, organization_id: str) -> ApplicationOut:
    """As its owner, which whoever began it is now."""
    access = Access(
        caller=own.caller,
        organization_id=organization_id,
        permission=Permission.APPLICATION_READ,
        role=who.Role.OWNER,
        now=own.now,
        database=own.database,
    )
    hold_key_of(own.database, organization_id)
    with access.transaction() as session:
        return presentation.shown_of(session, access)
