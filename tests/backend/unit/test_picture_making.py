"""Pictures made of files that strangers sent: in a process of its own, with nothing but their pixels coming over."""

import hashlib
import io

import pytest
from PIL import Image

from amply.adapters.pillow import PillowImageProcessor, reencode
from amply.modules.images import PIXELS_MAX, SHAPES, GeneratedFile, ImageRefused, Refusal
from amply.modules.organizations import PictureKind
from tests.backend.image_world import also_a_page, bomb, picture, taken_at_a_place

LOGO, BANNER = SHAPES[PictureKind.LOGO], SHAPES[PictureKind.BANNER]
ENDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}


@pytest.fixture(scope="module")
def processor() -> PillowImageProcessor:
    return PillowImageProcessor()


def opened(made: GeneratedFile) -> Image.Image:
    found = Image.open(io.BytesIO(made.content))
    assert (found.format, found.size) == (ENDS[made.media_type], (made.width, made.height))
    found.load()
    return found


def colour(found: Image.Image, x: int, y: int) -> str:
    """The colour that is nearest, at a place in hundredths of the picture."""
    at = (found.width * x // 100, found.height * y // 100)
    red, green, blue, alpha = found.convert("RGBA").getpixel(at)  # type: ignore[misc] # four, of this mode
    if alpha == 0:
        return "clear"
    return {0: "red", 1: "green", 2: "blue"}[max(range(3), key=(red, green, blue).__getitem__)]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGB")],
)
def test_a_logo_is_whole_with_nothing_around_it(
    processor: PillowImageProcessor, kind: str, mode: str
) -> None:
    fallback, large, small = processor.make(picture(kind=kind, mode=mode), LOGO)
    assert [(each.media_type, each.width) for each in (fallback, large, small)] == [
        ("image/png", 512),
        ("image/webp", 512),
        ("image/webp", 128),
    ]
    for each in (fallback, large, small):
        found = opened(each)
        assert [colour(found, 50, 5), colour(found, 50, 95)] == ["clear", "clear"]
        if mode != "L":
            assert [colour(found, 25, 50), colour(found, 75, 50)] == ["red", "blue"]


def test_what_is_half_clear_stays_half_clear_and_of_its_colour(processor: PillowImageProcessor) -> None:
    written = io.BytesIO()
    Image.new("RGBA", (512, 512), (255, 0, 0, 128)).save(written, "PNG")
    fallback, *others = processor.make(written.getvalue(), LOGO)
    assert opened(fallback).getpixel((256, 256)) == (255, 0, 0, 128)
    for each in others:
        assert opened(each).getchannel("A").getextrema() == (128, 128)


@pytest.mark.parametrize(("mode", "clear"), [("RGB", (255, 0, 0)), ("L", 76)])
def test_a_colour_that_stands_for_clear_is_clear_and_a_banner_white_there(
    processor: PillowImageProcessor, mode: str, clear: int | tuple[int, ...]
) -> None:
    for each in processor.make(picture(1500, 500, mode=mode, transparency=clear), BANNER):
        extremes = opened(each).convert("L").crop((0, 0, each.width // 4, each.height)).getextrema()
        assert extremes == (255, 255)
    for each in processor.make(picture(mode=mode, transparency=clear), LOGO):
        assert colour(opened(each), 25, 50) == "clear"
        assert colour(opened(each), 75, 50) != "clear"


def test_a_picture_that_lies_on_its_side_is_reduced_by_its_sides_as_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture(600, 200, kind="JPEG", exif=exif.tobytes())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", PIXELS_MAX)
    order = {"pixels_max": PIXELS_MAX, "sizes": [[150, 50]], "covers": True}
    assert reencode.opened(lying, order).size == (200, 600), "reduced to 100 across, it would be enlarged"


def test_a_banner_is_filled_and_what_stands_over_is_cut_off(processor: PillowImageProcessor) -> None:
    made = processor.make(picture(1600, 1200, kind="JPEG"), BANNER)
    assert [(each.media_type, each.width, each.height) for each in made] == [
        ("image/jpeg", 1500, 500),
        ("image/webp", 1500, 500),
        ("image/webp", 750, 250),
    ]
    for each in made:
        found = opened(each)
        assert [colour(found, 2, 2), colour(found, 98, 98)] == ["red", "blue"]


def test_where_it_was_taken_and_by_whom_does_not_come_over(processor: PillowImageProcessor) -> None:
    sent = taken_at_a_place()
    assert b"Ada of the Vale" in sent
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825), "it says where"
    for each in processor.make(sent, LOGO):
        found = opened(each)
        assert dict(found.getexif()) == {}
        assert b"Ada" not in each.content
        assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & set(found.info), found.info
        assert colour(found, 50, 42) == "red", "it stands upright"
        assert colour(found, 50, 58) == "blue"


def test_a_picture_that_is_also_a_page_comes_out_as_a_picture_alone(processor: PillowImageProcessor) -> None:
    sent = also_a_page()
    assert sent.count(b"<script>") == 2
    for each in processor.make(sent, LOGO):
        assert b"<script" not in each.content
        opened(each)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        pytest.param(bomb(), Refusal.TOO_LARGE, id="a bomb"),
        pytest.param(
            picture(PIXELS_MAX // 1000 + 1, 1000, mode="1"), Refusal.TOO_LARGE, id="a pixel too many"
        ),
        pytest.param(picture(511, 511), Refusal.TOO_SMALL, id="a pixel too few"),
        pytest.param(picture(kind="JPEG")[:-400], Refusal.UNREADABLE, id="a JPEG cut off"),
        pytest.param(picture()[:-60], Refusal.UNREADABLE, id="a PNG cut off"),
        pytest.param(picture(kind="WEBP")[:-100], Refusal.UNREADABLE, id="a WebP cut off"),
        pytest.param(picture(kind="GIF", mode="P"), Refusal.UNREADABLE, id="a GIF"),
        pytest.param(picture(kind="TIFF"), Refusal.UNREADABLE, id="a TIFF"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Refusal.UNREADABLE, id="an SVG"),
        pytest.param(b"<html><script>alert(1)</script>", Refusal.UNREADABLE, id="a page"),
        pytest.param(b"", Refusal.UNREADABLE, id="nothing"),
    ],
)
def test_what_is_no_good_is_refused(processor: PillowImageProcessor, sent: bytes, why: Refusal) -> None:
    with pytest.raises(ImageRefused) as refused:
        processor.make(sent, LOGO)
    assert refused.value.why is why


def test_a_bomb_is_small_until_it_is_opened() -> None:
    assert len(bomb()) < 200_000


def test_the_same_file_makes_the_same_bytes(processor: PillowImageProcessor) -> None:
    first, again = (
        [hashlib.sha256(each.content).digest() for each in processor.make(picture(), LOGO)] for _ in "12"
    )
    assert first == again
