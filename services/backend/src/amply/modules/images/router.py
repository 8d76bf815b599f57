"""`/v1/organisations/{organization_id}/images`: an organisation's logo and banner."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of, require_match
from amply.infra.web import Identifier, responses
from amply.kernel.errors import AmplyError
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.images import domain, service
from amply.modules.images.models import ImageRow
from amply.modules.images.ports import ImageUploadStore
from amply.modules.images.schemas import ImageChange, ImageIn, ImageList, ImageOut, ImageUpload

router = APIRouter(prefix="/v1/organisations/{organization_id}/images", tags=["Organisations"])

Reading = Annotated[Access, allowed(Permission.ORGANISATION_READ)]
Changing = Annotated[Access, allowed(Permission.IMAGES_CHANGE)]


async def _shelf(request: Request) -> ImageUploadStore:
    shelf: ImageUploadStore | None = request.app.state.image_uploads
    if shelf is None:
        raise domain.ImagesNotOffered("No images are taken here yet; ask whoever runs this platform.")
    return shelf


ShelfOf = Annotated[ImageUploadStore, Depends(_shelf)]


def _problems(*more: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    return responses(*PROBLEMS, *more)


@router.get("", summary="List one's own images", responses=_problems())
def list_images(access: Reading) -> ImageList:
    """Also those that are on their way, and those that were refused, with why."""
    with access.transaction() as session:
        found = service.images_of(session, access)
    return ImageList(data=[ImageOut.of(each) for each in found])


@router.post(
    "",
    status_code=201,
    summary="Make a place for an image",
    responses=_problems(
        domain.ImageNotAcceptable, domain.ImagesNotYet, domain.TooManyImages, domain.ImagesNotOffered
    ),
)
def add_image(body: ImageIn, access: Changing, shelf: ShelfOf) -> ImageUpload:
    """Answers with a form that uploads one file within ten minutes. What is never uploaded is forgotten."""
    return ImageUpload.of(
        service.offer(access, shelf, kind=body.kind, media_type=body.media_type, alt=body.alt.model_dump())
    )


@router.post(
    "/{image_id}/received",
    summary="Tell that an image was uploaded",
    responses=_problems(
        domain.ImageNotFound, domain.ImageNotThere, domain.ImageNotAcceptable, domain.ImagesNotOffered
    ),
)
def receive_image(image_id: Identifier, access: Changing, shelf: ShelfOf) -> ImageOut:
    """It is made anew in fixed sizes, and is shown in place of the one before within seconds."""
    return ImageOut.of(service.receive(access, shelf, image_id=image_id))


@router.get("/{image_id}", summary="Show one's own image", responses=_problems(domain.ImageNotFound))
def show_image(image_id: Identifier, access: Reading, response: Response) -> ImageOut:
    with access.transaction() as session:
        found = service.find(session, access, image_id=image_id)
    return _tagged(found, response)


@router.patch(
    "/{image_id}",
    summary="Change what an image is said to show",
    responses=_problems(
        domain.ImageNotFound, domain.ImageNotAcceptable, ChangeNotConditional, ChangedMeanwhile
    ),
)
def describe_image(
    image_id: Identifier, body: ImageChange, access: Changing, response: Response, if_match: IfMatch = None
) -> ImageOut:
    """At once, wherever it is shown; the picture stays as it is."""
    with access.transaction() as session:
        before = service.held(session, access, image_id=image_id)
        require_match(if_match, ImageOut.of(before))
        described = service.describe(session, access, image_id=image_id, alt=body.alt.model_dump())
    return _tagged(described, response)


@router.delete(
    "/{image_id}", status_code=204, summary="Remove an image", responses=_problems(domain.ImageNotFound)
)
def remove_image(image_id: Identifier, access: Changing) -> None:
    """From the profile at once, from where it is served a day later, from the edge's caches a day after that.

    Browsers that had it keep it.
    """
    with access.transaction() as session:
        service.remove(session, access, image_id=image_id)


def _tagged(row: ImageRow, response: Response) -> ImageOut:
    shown = ImageOut.of(row)
    response.headers["ETag"] = etag_of(shown)
    return shown
