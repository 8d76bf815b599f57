"""In-memory image stores, and sample uploads, valid and malicious."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from PIL import Image

from amply.adapters.pillow import PillowImageProcessor
from amply.infra.database import Database, forbid_transaction
from amply.modules import images
from amply.modules.images import GeneratedFile, Shape
from tests.backend.application_world import FakeShelf

ALT: Final = {"en": "A heron over water", "de": "Ein Reiher über Wasser", "fr": "Un héron sur l\u2019eau"}
VALE: Final = (51.5, -1.25)


@dataclass
class FakeStore:
    """Uploads are on the shelf that the API offers, pictures in `shown` by their paths. `refuses` is raised where one is read."""

    shelf: FakeShelf = field(default_factory=FakeShelf)
    shown: dict[str, bytes] = field(default_factory=dict)
    refuses: Exception | None = None

    def read(self, key: str, *, version: str | None) -> bytes | None:
        forbid_transaction("read")
        if self.refuses is not None:
            raise self.refuses
        assert version == "1"
        return self.shelf.kept.get(key)

    def take_away(self, key: str) -> None:
        self.shelf.take_away(key)

    def publish(self, path: str, content: bytes, *, media_type: str) -> None:
        forbid_transaction("publish")
        assert media_type.startswith("image/")
        self.shown[path] = content

    def withdraw(self, prefix: str) -> None:
        forbid_transaction("withdraw")
        self.shown = {path: body for path, body in self.shown.items() if not path.startswith(prefix)}


@dataclass
class QuickProcessor:
    """Makes small files at once; `meanwhile` is done before it is ready, `raises` in place of that."""

    meanwhile: Callable[[], object] = lambda: None
    raises: Exception | None = None

    def make(self, content: bytes, shape: Shape) -> Sequence[GeneratedFile]:
        forbid_transaction("make")
        self.meanwhile()
        if self.raises is not None:
            raise self.raises
        first, *_ = shape.sizes
        kinds = [(shape.fallback, first), *(("image/webp", size) for size in shape.sizes)]
        return [
            GeneratedFile(
                media_type=kind, width=size.width, height=size.height, content=content + kind.encode()
            )
            for kind, size in kinds
        ]


def image_work(
    database: Database,
    *,
    store: FakeStore | None = None,
    processor: images.ImageProcessor | None = None,
) -> images.ImageJobs:
    """What the worker needs for pictures."""
    return images.ImageJobs(
        database=database, store=store or FakeStore(), processor=processor or PillowImageProcessor()
    )


def picture(
    width: int = 600, height: int = 400, *, kind: str = "PNG", mode: str = "RGB", **saved: Any
) -> bytes:
    """Left red, right blue."""
    made = Image.new("RGB", (width, height), "red")
    made.paste("blue", (width // 2, 0, width, height))
    made = made.convert(mode)
    written = io.BytesIO()
    made.save(written, kind, **saved)
    return written.getvalue()


def taken_at_a_place() -> bytes:
    """A photograph that says where it was taken, by whom, and that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = "Ada of the Vale"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 0.0), 3: "W", 4: (1.0, 15.0, 0.0)})
    return picture(400, 1600, kind="JPEG", exif=exif.tobytes(), comment=b"of Ada's garden")


def bomb(side: int = 30_000) -> bytes:
    """A PNG of some kilobytes that would take gigabytes to look at: rows of nothing, compressed."""
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def also_a_page() -> bytes:
    """A picture that is a page as well, for whoever reads it as one."""
    page = b"<html><body onload=alert(1)><script>alert(document.domain)</script>"
    head, tail = picture()[:33], picture()[33:]
    return head + _chunk(b"tEXt", b"Comment\0" + page) + tail + page


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
