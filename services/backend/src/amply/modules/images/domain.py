"""Kinds and sizes of generated images, and reasons to refuse an upload."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound, NotOffered
from amply.modules.organizations import PictureFile, PictureKind

BYTES_MAX: Final = 5 * 1024 * 1024
PIXELS_MAX: Final = 13_000_000
"""A photograph of 4032 by 3024. Decoded, so many take 50 MB, and WebP five times that: what says that it has more is not decoded."""
IMAGES_MAX: Final = 10
"""Images of an organisation, including refused and expected ones."""
ALT_LENGTH_MAX: Final = 250
ATTEMPTS_MAX: Final = 5
FILES_KEPT: Final = timedelta(days=1)
"""Grace period after a picture is withdrawn, for open pages and cached addresses."""

MEDIA_TYPES: Final = ("image/png", "image/jpeg", "image/webp")
SUFFIXES: Final[Mapping[str, str]] = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, kw_only=True)
class Size:
    """Size in pixels."""

    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Generated files of an upload: WebP in these sizes, largest first, and the largest also in a universal format.

    `covers`: the picture fills it and what stands over is cut off; otherwise it is whole, and nothing is around it. It is
    never enlarged.
    """

    sizes: tuple[Size, ...]
    covers: bool
    fallback: str
    asks: str


SHAPES: Final[Mapping[PictureKind, Shape]] = {
    PictureKind.LOGO: Shape(
        sizes=(Size(width=512, height=512), Size(width=128, height=128)),
        covers=False,
        fallback="image/png",
        asks="at least 512 pixels wide or high",
    ),
    PictureKind.BANNER: Shape(
        sizes=(Size(width=1500, height=500), Size(width=750, height=250)),
        covers=True,
        fallback="image/jpeg",
        asks="at least 1500 pixels wide and 500 high",
    ),
}


@dataclass(frozen=True, kw_only=True)
class GeneratedFile:
    """A generated image file."""

    media_type: str
    width: int
    height: int
    content: bytes

    def file(self, image_id: str) -> PictureFile:
        """Under a name that is its content's digest, below its picture's own: whoever takes that one away takes no other's."""
        digest = hashlib.sha256(self.content).hexdigest()[:32]
        return PictureFile(
            path=f"{folder_of(image_id)}{digest}.{SUFFIXES[self.media_type]}",
            media_type=self.media_type,
            width=self.width,
            height=self.height,
        )


def folder_of(image_id: str) -> str:
    """Directory of a picture's files, below the site and in the bucket."""
    return f"media/{image_id}/"


class ImageState(StrEnum):
    """How far an image is."""

    AWAITED = "awaited"
    MAKING = "making"
    SHOWN = "shown"
    REFUSED = "refused"


class Refusal(StrEnum):
    """Why nothing is made of an upload."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    GONE = "gone"
    NOT_MADE = "not_made"

    def sentence(self, kind: PictureKind) -> str:
        """What the uploader should do."""
        return {
            Refusal.UNREADABLE: "This file is damaged or no picture: export it again as PNG, JPEG or WebP, and send that.",
            Refusal.TOO_LARGE: f"This picture has too many pixels: send one of {PIXELS_MAX // 1_000_000} million at most.",
            Refusal.TOO_SMALL: f"This picture is too small: send one that is {SHAPES[kind].asks}.",
            Refusal.GONE: "The upload was not there any more: make another place, and send it again.",
            Refusal.NOT_MADE: "We could not make this picture, which is our fault: send it again, or ask us.",
        }[self]


class ImageRefused(Exception):
    """The upload cannot be used as an image."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


class ImageNotFound(NotFound):
    """The organisation has no such image."""

    code: ClassVar[str] = "image_not_found"


class ImageNotAcceptable(InvalidRequest):
    """A file of this type is not taken, is not what it was said to be, or nothing says what it shows."""

    code: ClassVar[str] = "image_not_acceptable"


class ImageNotThere(Conflict):
    """Nothing was uploaded yet, or too late."""

    code: ClassVar[str] = "image_not_there"


class TooManyImages(Conflict):
    """There are as many as there may be."""

    code: ClassVar[str] = "too_many_images"


class ImagesNotYet(Conflict):
    """The organisation is not verified: nothing of its choice is shown from our site."""

    code: ClassVar[str] = "images_not_yet"


class ImagesNotOffered(NotOffered):
    """No images are taken in this environment."""

    code: ClassVar[str] = "images_not_offered"


def require_type(media_type: str, kind: PictureKind) -> None:
    """Raises ImageNotAcceptable for an unsupported type, naming the supported ones."""
    if media_type == "image/svg+xml":
        raise ImageNotAcceptable(
            f"An SVG can hold scripts, and is not taken: export it as PNG, {SHAPES[kind].asks}, and send that.",
            param="media_type",
        )
    if media_type not in MEDIA_TYPES:
        raise ImageNotAcceptable(f"Send one of {', '.join(MEDIA_TYPES)}.", param="media_type")
