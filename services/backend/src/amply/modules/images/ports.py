"""Ports of images: upload store and image processing. Never called inside a transaction."""

from collections.abc import Sequence
from typing import Protocol

from amply.infra.uploads import UploadStore
from amply.modules.images.domain import GeneratedFile, Shape

ImageUploadStore = UploadStore
"""The store of uploads."""


class ImageStore(Protocol):
    """Stores uploads, and publishes generated files."""

    def read(self, key: str, *, version: str | None) -> bytes | None:
        """An upload; None if it is gone."""

    def take_away(self, key: str) -> None:
        """Delete an upload. Idempotent."""

    def publish(self, path: str, content: bytes, *, media_type: str) -> None:
        """Publish a file permanently under a content-addressed name. Idempotent."""

    def withdraw(self, prefix: str) -> None:
        """Withdraw all files with this prefix. Idempotent."""


class ImageProcessor(Protocol):
    """Re-encodes untrusted image files."""

    def make(self, content: bytes, shape: Shape) -> Sequence[GeneratedFile]:
        """Re-encode: the largest size in a universal format, then all sizes as WebP. Metadata is dropped.

        Raises:
            Refused: The file is no good.
        """
