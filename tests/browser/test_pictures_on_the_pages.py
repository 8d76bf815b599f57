"""An organisation's logo and banner where donors give: real files in a real browser."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from amply.adapters.pillow import PillowImageProcessor
from amply.modules.images import SHAPES
from amply.modules.organizations import Picture, PictureKind, PictureOut
from tests.backend.image_world import ALT, picture
from tests.browser.conftest import Pages
from tests.browser.plans_double import TOKEN
from tests.browser.platform_double import ORGANIZATION, PlatformDouble
from tests.browser.pressing import is_drawn
from tests.browser.site_server import Site

pytestmark = pytest.mark.enable_socket

_DONATE = f"/donate/?org={ORGANIZATION}&amount=2500&currency=EUR"
_FILES = {
    kind: PillowImageProcessor().make(picture(1600, 900, kind="JPEG"), SHAPES[kind]) for kind in PictureKind
}


def shown(site: Site, edge: str, kind: PictureKind) -> dict[str, Any]:
    """As the API shows it, with the worker's files where they are served from."""
    made = _FILES[kind]
    files = tuple(each.file(f"img_{kind}") for each in made)
    for file, each in zip(files, made, strict=True):
        site.media[file.path] = each.content
    found = PictureOut.of(Picture(id=f"img_{kind}", alt=ALT, files=files), site_url=edge)
    assert found is not None
    return found.model_dump()


def _drawn_size(page: Page, name: str, *, within: str) -> tuple[float, float]:
    """Its size on the page, once its bytes are there."""
    image = page.locator(within).get_by_role("img", name=name)
    is_drawn(image)
    box = image.bounding_box()
    assert box is not None
    return box["width"], box["height"]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_donation_page_has_the_banner_at_its_top_and_the_logo_by_the_name(
    pages: Pages, edge: str, site: Site, platform: PlatformDouble, width: int
) -> None:
    platform.pictures = {kind.value: shown(site, edge, kind) for kind in PictureKind}
    page = pages.open(edge + _DONATE + "&lang=de", viewport={"width": width, "height": 800})
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Spenden für Green Fields")
    drawn = _drawn_size(page, ALT["de"], within=".banner")
    assert drawn[0] / drawn[1] == pytest.approx(3, abs=0.05)
    assert _drawn_size(page, ALT["de"], within=".logo") == (64, 64)
    banner = page.locator(".banner img").bounding_box()
    name = heading.bounding_box()
    assert banner is not None
    assert name is not None
    assert banner["y"] + banner["height"] <= name["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {path for path in site.requested if path.startswith("/media/")} <= {
        f"/{path}" for path in site.media if path.endswith(".webp")
    }, "the smaller files, where the browser knows them"


def test_nothing_moves_when_they_come(pages: Pages, edge: str, site: Site, platform: PlatformDouble) -> None:
    platform.pictures = {kind.value: shown(site, edge, kind) for kind in PictureKind}
    page, held = pages.open(), list[Route]()
    page.route("**/media/**", lambda route: held.append(route))  # noqa: PLW0108 -- Playwright marks what it is given
    page.goto(edge + _DONATE, wait_until="commit")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Donate to Green Fields")
    expect(page.locator(".banner img, .logo img")).to_have_count(2)
    until = time.monotonic() + 20
    while len(held) < 2:
        assert time.monotonic() < until, held
        page.wait_for_timeout(20)
    before = heading.bounding_box()
    for route in held:
        route.continue_()
    _drawn_size(page, ALT["en"], within=".banner")
    _drawn_size(page, ALT["en"], within=".logo")
    assert heading.bounding_box() == before


def test_without_pictures_nothing_stands_in_their_place(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    assert platform.pictures == {}
    page = pages.open(edge + _DONATE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Donate to Green Fields")
    assert page.locator("picture").count() == 0


def test_the_giving_page_has_the_logo_by_the_name(
    pages: Pages, edge: str, site: Site, platform: PlatformDouble
) -> None:
    platform.giving.logo = shown(site, edge, PictureKind.LOGO)
    page = pages.open(f"{edge}/giving/#{TOKEN}", viewport={"width": 360, "height": 800})
    region = page.get_by_role("region", name="Green Fields", exact=True)
    expect(region).to_be_visible()
    assert _drawn_size(page, ALT["en"], within=".recipient .logo") == (64, 64)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_pictures_come_from_our_own_site_and_from_nowhere_else(
    pages: Pages, edge: str, site: Site, platform: PlatformDouble, api: str
) -> None:
    foreign = shown(site, edge, PictureKind.LOGO)
    foreign["url"] = f"{api}/media/logo.png"
    foreign["sources"] = []
    platform.pictures = {"logo": foreign}
    page = pages.open(edge + _DONATE)
    expect(page.get_by_role("heading", level=1)).to_have_text("Donate to Green Fields")
    image = page.locator(".logo img")
    expect(image).to_have_js_property("complete", True)  # noqa: FBT003 -- the property's value
    assert image.evaluate("(image) => image.naturalWidth") == 0
    pages.forgive("img-src")
