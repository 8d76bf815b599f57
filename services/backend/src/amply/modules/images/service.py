"""Uploads, describes and removes an organisation's images. Each statement checks the permission."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.uploads import NAME_BYTES, UPLOAD_WITHIN, Upload
from amply.kernel import human_text, ids
from amply.modules import audit, organizations
from amply.modules.access import (
    Access,
    count_there,
    hold_organization,
    look_at_upload,
    remove_upload,
    take_up,
    upload_there,
    uploads_there,
)
from amply.modules.audit import Action
from amply.modules.images.domain import (
    ALT_LENGTH_MAX,
    BYTES_MAX,
    IMAGES_MAX,
    ImageNotAcceptable,
    ImageNotFound,
    ImageNotThere,
    ImagesNotYet,
    ImageState,
    TooManyImages,
    require_type,
)
from amply.modules.images.models import ImageRow
from amply.modules.images.ports import ImageUploadStore
from amply.modules.organizations import PICTURE_LANGUAGES, OrganizationState, PictureKind

TOPIC_RECEIVED: Final = "images.received"


@dataclass(frozen=True, kw_only=True)
class ExpectedUpload:
    """An image whose upload is expected, with its upload form."""

    image_id: str
    upload: Upload
    expires_at: datetime


def offer(
    access: Access, shelf: ImageUploadStore, *, kind: PictureKind, media_type: str, alt: Mapping[str, str]
) -> ExpectedUpload:
    """Create an upload form for one file. Uploads that never arrive are deleted.

    Raises:
        OrganizationHidden: The caller may not (any more).
        ImagesNotYet: The organisation is not verified.
        ImageNotAcceptable: This type is not taken, or what it shows is not said in each language.
        TooManyImages: There are ten.
    """
    require_type(media_type, kind)
    said, image_id, now = _said(alt), ids.new_id("img"), access.now
    key = f"images/{access.organization_id}/{image_id}/{secrets.token_urlsafe(NAME_BYTES)}"
    with access.transaction() as session:
        organization = organizations.locked(session, organization_id=access.organization_id, access=access)
        if organization.state is not OrganizationState.VERIFIED:
            raise ImagesNotYet("Wait until your organisation is verified, then send its pictures.")
        _require_room(session, access)
        session.execute(
            insert(ImageRow).values(
                id=image_id,
                organization_id=access.organization_id,
                kind=kind,
                media_type=media_type,
                object_key=key,
                alt=said,
                added_by=access.person_id or access.key_id or "",
                created_at=now,
                expires_at=now + UPLOAD_WITHIN,
                next_attempt_at=now,
            )
        )
        audit.record_by(session, access, Action.IMAGE_ADDED, image_id, reason=kind.value)
    upload = shelf.offer(key, media_type=media_type, bytes_max=BYTES_MAX, lifetime=UPLOAD_WITHIN)
    return ExpectedUpload(image_id=image_id, upload=upload, expires_at=now + UPLOAD_WITHIN)


def receive(access: Access, shelf: ImageUploadStore, *, image_id: str) -> ImageRow:
    """Accept an upload after inspecting it, for the worker to process. Idempotent.

    Raises:
        ImageNotFound: There is none of this id.
        ImageNotThere: Nothing was uploaded.
        ImageNotAcceptable: It is not what it was said to be, and is removed.
    """
    with access.transaction() as session:
        row = find(session, access, image_id=image_id)
    if row.received_at is not None:
        return row
    stored = look_at_upload(shelf, row, now=access.now)
    if stored is None:
        raise ImageNotThere(
            "Nothing was uploaded in time: make another place, and post the file to its form."
        )
    is_good = stored.is_what_it_says(row.media_type, bytes_max=BYTES_MAX)
    with access.transaction() as session:
        if take_up(session, access, ImageRow, row_id=image_id, stored=stored, is_good=is_good):
            done = Action.IMAGE_RECEIVED if is_good else Action.IMAGE_REMOVED
            audit.record_by(session, access, done, image_id)
            if is_good:
                outbox.put(session, topic=TOPIC_RECEIVED, payload={"image_id": image_id}, now=access.now)
        if is_good:
            return find(session, access, image_id=image_id)
    raise ImageNotAcceptable(
        f"This is no {row.media_type}: begin again with the right file.", param="media_type"
    )


def remove(session: Session, access: Access, *, image_id: str) -> None:
    """Remove an image from view; the worker deletes its files a day later.

    Raises:
        ImageNotFound: There is none of this id.
    """
    held(session, access, image_id=image_id)
    remove_upload(session, access, ImageRow, row_id=image_id)
    organizations.hide_picture(session, organization_id=access.organization_id, picture_id=image_id)
    audit.record_by(session, access, Action.IMAGE_REMOVED, image_id)


def held(session: Session, access: Access, *, image_id: str) -> ImageRow:
    """One image, locked against the worker and other changes.

    Raises:
        ImageNotFound: There is none of this id.
    """
    hold_organization(session, access.organization_id)
    return find(session, access, image_id=image_id)


def describe(session: Session, access: Access, *, image_id: str, alt: Mapping[str, str]) -> ImageRow:
    """Set its description. Lock it first (`held`).

    Raises:
        ImageNotAcceptable: It is not said in each language.
    """
    said = _said(alt)
    session.execute(
        update(ImageRow)
        .where(ImageRow.id == image_id, access.covers(ImageRow.organization_id))
        .values(alt=said)
        .execution_options(synchronize_session=False)
    )
    organizations.describe_picture(
        session, organization_id=access.organization_id, picture_id=image_id, alt=said
    )
    audit.record_by(session, access, Action.IMAGE_DESCRIBED, image_id)
    return find(session, access, image_id=image_id)


def images_of(session: Session, access: Access) -> Sequence[ImageRow]:
    """Images that are shown, pending or refused, oldest first."""
    return uploads_there(session, access, ImageRow)


def find(session: Session, access: Access, *, image_id: str) -> ImageRow:
    """One of them.

    Raises:
        ImageNotFound: There is none of this id, or it is shown no more.
    """
    row = upload_there(session, access, ImageRow, row_id=image_id)
    if row is None:
        raise ImageNotFound("There is no such image, or not any more; ask for the list of those there are.")
    return row


def state_of(row: ImageRow) -> ImageState:
    """Its processing state."""
    if row.refused is not None:
        return ImageState.REFUSED
    if row.made_at is not None:
        return ImageState.SHOWN
    return ImageState.AWAITED if row.received_at is None else ImageState.MAKING


def _said(alt: Mapping[str, str]) -> dict[str, str]:
    """What it shows, as it is kept: in each of the languages, and in no other."""
    if set(alt) != set(PICTURE_LANGUAGES):
        raise ImageNotAcceptable(
            f"Say what the picture shows in each of {', '.join(PICTURE_LANGUAGES)}.", param="alt"
        )
    return {language: _line(alt[language], param=f"alt.{language}") for language in PICTURE_LANGUAGES}


def _line(text: str, *, param: str) -> str:
    try:
        return human_text.line(text, longest=ALT_LENGTH_MAX)
    except human_text.TextNotAcceptable as refused:
        raise ImageNotAcceptable(refused.sentence(param), param=param) from None


def _require_room(session: Session, access: Access) -> None:
    if count_there(session, access, ImageRow) >= IMAGES_MAX:
        raise TooManyImages(f"There are {IMAGES_MAX} images already: remove one first.")
