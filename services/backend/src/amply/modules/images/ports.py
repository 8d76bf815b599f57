"""Ports of images: upload store and image processing. Never called inside a transaction."""

from collections.abc import Sequence
from typing import Protocol

from amply.infra.uploads import UploadShelf
from amply.modules.images.domain import GeneratedFile, Shape

ImageShelf = UploadShelf
"""Where the API lets people upload to."""


class ImageStore(Protocol):
    """Stores uploads, and publishes generated files."""

    def read(self, key: str, *, version: str | None) -> bytes | None:
        """An upload; None where it is gone."""

    def take_away(self, key: str) -> None:
        """An upload that is of no use any more; nothing happens where there is none."""

    def publish(self, path: str, content: bytes, *, media_type: str) -> None:
        """Show a file for ever under a name that is of these bytes alone. Again, it changes nothing."""

    def withdraw(self, prefix: str) -> None:
        """Show nothing any more whose name begins so; nothing happens where there is nothing."""


class Workshop(Protocol):
    """Re-encodes untrusted image files."""

    def make(self, content: bytes, shape: Shape) -> Sequence[GeneratedFile]:
        """The largest size in the format that everybody reads, then all sizes as WebP. Only pixels come over.

        Raises:
            Refused: The file is no good.
        """
