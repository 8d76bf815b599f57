"""Subprocess program: decodes one image and re-encodes it in the requested sizes. Imports nothing of this project.

It is told what to do as JSON in its one argument, reads the picture from its input, and writes each file behind a line of JSON.
It ends with 3, and one word, where the picture is no good.
"""

import io
import json
import resource
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from PIL import Image, ImageCms, ImageOps

_REFUSED: Final = 3
_ORIENTATION: Final = 0x0112
_LYING: Final = (5, 6, 7, 8)
"""Exif orientations that swap width and height (Exif 2.32 §4.6.4)."""
_QUALITY: Final = 82


def refuse(word: str) -> NoReturn:
    """Exit with a reason."""
    sys.stdout.write(word)
    sys.stdout.flush()
    sys.exit(_REFUSED)


def limit(order: dict[str, Any]) -> None:
    """Limit this process's memory and CPU time, and forbid writing files."""
    memory, seconds = order["memory_bytes"], order["processor_seconds"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def opened(content: bytes, order: dict[str, Any]) -> Image.Image:
    """Decode the first frame, upright, no larger than needed.

    What it says of its own size is looked at before any of it is decoded.
    """
    Image.MAX_IMAGE_PIXELS = order["pixels_max"]
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    picture = Image.open(io.BytesIO(content), formats=["PNG", "JPEG", "WEBP"])
    width, height = picture.size
    is_lying = picture.getexif().get(_ORIENTATION) in _LYING
    if is_lying:
        width, height = height, width
    target_width, target_height = order["sizes"][0]
    reach = (min if order["covers"] else max)(width / target_width, height / target_height)
    if reach < 1:
        refuse("too_small")
    if picture.format == "JPEG":
        # Twice the needed size, for good quality of the smaller image.
        side = 2 * max(target_width, target_height)
        picture.draft("RGB", (side, side))
    picture.load()
    width, height = picture.size[::-1] if is_lying else picture.size
    factor = int(min(width / (2 * target_width), height / (2 * target_height)))
    return ImageOps.exif_transpose(with_channels(picture).reduce(max(1, factor)))


def with_channels(picture: Image.Image) -> Image.Image:
    """Convert to a mode that can be resized: not a palette, nor one transparent colour (`tRNS` of PNG)."""
    has_clear_colour = "transparency" in picture.info
    if picture.mode in ("RGB", "RGBA", "L", "CMYK") and not has_clear_colour:
        return picture
    has_alpha = picture.mode in ("LA", "PA") or has_clear_colour
    return picture.convert("RGBA" if has_alpha else "RGB")


def in_usual_colours(picture: Image.Image) -> Image.Image:
    """Convert to sRGB, which browsers assume for images without a profile."""
    profile = picture.info.get("icc_profile")
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    plain = picture.convert("RGB") if picture.mode == "RGBA" else picture
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(
                plain, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            plain = turned or plain
        except (ImageCms.PyCMSError, OSError, ValueError):
            # An invalid profile is ignored.
            pass
    plain = plain.convert("RGB")
    if alpha is not None:
        plain.putalpha(alpha)
    return plain


def fitted(picture: Image.Image, width: int, height: int, *, covers: bool) -> Image.Image:
    """Copy onto a new canvas, without any metadata.

    `covers`: filled, with what stands over cut off on both sides; otherwise whole, with nothing around it.
    """
    if covers:
        ground = Image.new("RGB", (width, height), "white")
        part = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    else:
        ground = Image.new("RGBA", (width, height), (255, 255, 255, 0))
        part = ImageOps.contain(picture, (width, height), Image.Resampling.LANCZOS)
    at = ((width - part.width) // 2, (height - part.height) // 2)
    # Copied with its alpha onto a transparent canvas: pasting with a mask would blend alpha with itself.
    ground.paste(part, at, part if covers and part.mode == "RGBA" else None)
    return ground


def encoded(picture: Image.Image, media_type: str) -> bytes:
    """Encode deterministically."""
    written = io.BytesIO()
    if media_type == "image/webp":
        picture.save(written, "WEBP", quality=_QUALITY, method=6)
    elif media_type == "image/png":
        picture.save(written, "PNG", optimize=True)
    else:
        picture.convert("RGB").save(written, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return written.getvalue()


def made(content: bytes, order: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bytes]]:
    """All files: the largest size in a universal format, then all sizes as WebP."""
    picture = in_usual_colours(opened(content, order))
    kinds = [order["fallback"], *("image/webp" for _ in order["sizes"])]
    sizes = [order["sizes"][0], *order["sizes"]]
    for media_type, (width, height) in zip(kinds, sizes, strict=True):
        body = encoded(fitted(picture, width, height, covers=order["covers"]), media_type)
        yield {"media_type": media_type, "width": width, "height": height, "bytes": len(body)}, body


def main() -> None:
    order = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read()
    limit(order)
    try:
        files = list(made(content, order))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        refuse("too_large")
    except Exception:  # noqa: BLE001 -- decoders raise whatever they like about what strangers send
        refuse("unreadable")
    for about, body in files:
        sys.stdout.buffer.write(json.dumps(about).encode() + b"\n" + body)


if __name__ == "__main__":
    main()
