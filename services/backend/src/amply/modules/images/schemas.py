"""API schemas of images."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.clock import iso
from amply.modules.images.domain import ALT_LENGTH_MAX, ImageState, Refusal
from amply.modules.images.models import ImageRow
from amply.modules.images.service import ExpectedUpload, state_of
from amply.modules.organizations import PictureKind

Line = Annotated[str, Field(min_length=1, max_length=ALT_LENGTH_MAX)]


class AltIn(BaseModel):
    """What the picture shows, for those who do not see it, in the languages of the pages it stands on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: Line
    de: Line
    fr: Line


class ImageIn(BaseModel):
    """A picture that is to be uploaded: PNG, JPEG or WebP, 5 MB and 13 million pixels at most.

    A logo has at least 512 pixels on its longer side and is shown whole; a banner is at least 1500 wide and 500 high, and what
    stands over three to one is cut off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: PictureKind
    media_type: Annotated[str, Field(max_length=60, description="`image/png`, `image/jpeg` or `image/webp`.")]
    alt: AltIn


class ImageChange(BaseModel):
    """What is to be said of a picture that is there; the picture stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alt: AltIn


class ImageUpload(BaseModel):
    """Post a form of these fields to `url`, with the file as its last field, `file`; then tell that it is there."""

    id: str
    url: str
    fields: dict[str, str]
    expires_at: str

    @classmethod
    def of(cls, offered: ExpectedUpload) -> "ImageUpload":
        """The form as it is answered, once."""
        return cls(
            id=offered.image_id,
            url=offered.upload.url,
            fields=dict(offered.upload.fields),
            expires_at=iso(offered.expires_at),
        )


class RefusedOut(BaseModel):
    """Why nothing is made of an upload, and in a sentence what to do about it."""

    reason: str
    detail: str


class ImageOut(BaseModel):
    """How far an image is. What is shown stands in the profile, as `logo` or `banner`.

    The `ETag` of one is what a change of it names as `If-Match`.
    """

    id: str
    kind: PictureKind
    state: ImageState = Field(
        description="`awaited`: its upload is; `making`: shown within seconds; `shown`; `refused`: `refused` says why."
    )
    alt: dict[str, str]
    media_type: str = Field(description="Of the upload.")
    size_bytes: int | None
    created_at: str
    received_at: str | None
    shown_since: str | None
    refused: RefusedOut | None

    @classmethod
    def of(cls, row: ImageRow) -> "ImageOut":
        """The view of an image."""
        kind = PictureKind(row.kind)
        why = None if row.refused is None else Refusal(row.refused)
        return cls(
            id=row.id,
            kind=kind,
            state=state_of(row),
            alt=row.alt,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            created_at=iso(row.created_at),
            received_at=iso(row.received_at) if row.received_at else None,
            shown_since=iso(row.made_at) if row.made_at else None,
            refused=None if why is None else RefusedOut(reason=why, detail=why.sentence(kind)),
        )


class ImageList(BaseModel):
    """All images of an organisation, the oldest first; there are ten at most."""

    data: list[ImageOut]
