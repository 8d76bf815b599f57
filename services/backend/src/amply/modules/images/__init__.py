"""Logos and banners of organisations: uploaded, re-encoded by the worker, published (ADR 0130). Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.images.domain import (
    BYTES_MAX,
    PIXELS_MAX,
    SHAPES,
    GeneratedFile,
    ImageRefused,
    Refusal,
    Shape,
    Size,
)
from amply.modules.images.image_jobs import ImageJobs, make_images
from amply.modules.images.ports import ImageProcessor, ImageStore, ImageUploadStore
from amply.modules.images.service import TOPIC_RECEIVED

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "BYTES_MAX",
    "PIXELS_MAX",
    "SHAPES",
    "TOPIC_RECEIVED",
    "GeneratedFile",
    "ImageJobs",
    "ImageProcessor",
    "ImageRefused",
    "ImageStore",
    "ImageUploadStore",
    "Refusal",
    "Shape",
    "Size",
    "make_images",
    "routers",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.images import router  # noqa: PLC0415 -- see above

    return (router.router,)
