"""The page of an organisation's profile and pictures, in a real browser at the real API; the bucket is a double."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from amply.modules import images
from amply.modules.images import ImageRefused, Refusal
from tests.backend.application_world import FakeShelf
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.image_world import ALT, FakeStore, QuickProcessor, image_work, picture
from tests.backend.people_world import (  # noqa: F401 -- fixtures, too
    Browser,
    PeopleWorld,
    people_cache,
    world,
)
from tests.browser.colleague import Colleague, joins, part_of
from tests.browser.loopback import serving
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import is_drawn, presses
from tests.browser.upload_double import UploadDouble

pytestmark = pytest.mark.enable_socket

_POSTS = """([address, said]) => fetch(address, {
    method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}, body: JSON.stringify(said),
}).then(({ status }) => status)"""


@dataclass
class Bucket:
    """Where the page's files go to, the worker that makes pictures of them, and where those are shown."""

    uploads: UploadDouble
    store: FakeStore
    address: str

    def works(self, place: Place, **processor: Any) -> None:  # noqa: F811 -- of the fixture's kind
        """The worker's turn. `processor`: what goes otherwise than usual."""
        # Its files are there before anybody is told of them.
        place.site.media = self.store.shown
        made = images.make_images(
            image_work(
                place.world.worker,
                store=self.store,
                processor=QuickProcessor(**processor) if processor else None,
            ),
            now=place.world.clock(),
        )
        assert made == (0 if processor else 1)


@pytest.fixture
def bucket(world: PeopleWorld) -> Iterator[Bucket]:  # noqa: F811 -- the fixture
    shelf = FakeShelf()
    uploads = UploadDouble(shelf)
    with serving(uploads) as address:
        shelf.url = f"{address}/documents"
        world.beside["image_uploads"] = shelf
        yield Bucket(uploads=uploads, store=FakeStore(shelf=shelf), address=address)


def _public(place: Place) -> dict[str, Any]:  # noqa: F811 -- the same
    found = place.page.request.get(f"{place.site.api}/v1/public/organisations/{place.organization_id}")
    profile: dict[str, Any] = found.json()
    return profile


def _somebody_else_changes(browser: Browser, place: Place, **said: Any) -> None:  # noqa: F811 -- the same
    address = f"/v1/organisations/{place.organization_id}"
    seen = browser.client.get(address, headers=browser.headers).headers["ETag"]
    changed = browser.client.patch(address, json=said, headers={**browser.headers, "If-Match": seen})
    assert changed.status_code == 200, changed.text


def test_a_profile_is_written_and_what_two_say_at_once_is_theirs_to_settle(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page, browser = place.page, joins(place, databases, "owner")
    _somebody_else_changes(browser, place, texts={"es": {"tagline": "Ríos", "about": "Agua."}})
    presses(page.get_by_role("link", name="Profile", exact=True))
    part = part_of(place, "What it says of itself")
    expect(part.get_by_text("There are texts in Spanish too")).to_be_visible()
    expect(page.get_by_text("No gift has arrived yet.")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body"), "nothing that arrives takes the focus"
    place.fills(website="https://river.example", tagline_en="We clean rivers")
    page.get_by_role("checkbox", name="6. Clean water and sanitation").check()
    place.clicks("Save the profile")
    about = page.get_by_label("In more words").first
    expect(about).to_be_focused()
    expect(about).to_have_accessible_description("Write this too, or leave both empty.")
    page.keyboard.type("Since 1990.\nEvery week.")
    place.clicks("Save the profile")
    expect(part.get_by_role("status").last).to_have_text("The profile is saved.")
    said = _public(place)
    assert (said["website"], said["sdgs"]) == ("https://river.example", [6])
    assert said["texts"] == {
        "en": {"tagline": "We clean rivers", "about": "Since 1990.\nEvery week."},
        "es": {"tagline": "Ríos", "about": "Agua."},
    }
    place.is_for_everybody()

    _somebody_else_changes(browser, place, name="River & Sea")
    place.fills(website="")
    place.clicks("Save the profile")
    expect(part.get_by_role("alert")).to_have_text(
        "Somebody else has changed this meanwhile: name. Nothing of yours is saved yet."
    )
    expect(page.get_by_role("heading", name="Whose words shall stand?")).to_be_focused()
    place.clicks("Show what stands there now")
    expect(page.locator("#name")).to_have_value("River & Sea")
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#website")).to_have_value("https://river.example")
    _somebody_else_changes(browser, place, name="Sea")
    place.fills(name="River", website="")
    place.clicks("Save the profile")
    place.clicks("Save mine")
    expect(part.get_by_role("status").last).to_have_text("The profile is saved.")
    said = _public(place)
    assert (said["name"], said["website"]) == ("River", None)

    # What was saved while its answer was lost is nobody else's.
    page.route("**/v1/organisations/*", _loses_the_answer, times=1)
    place.fills(website="https://sea.example")
    place.clicks("Save the profile")
    expect(part.get_by_role("alert")).not_to_be_empty()
    assert _public(place)["website"] == "https://sea.example"
    place.clicks("Save the profile")
    expect(part.get_by_role("status").last).to_have_text("The profile is saved.")
    expect(part.get_by_role("alert")).to_be_empty()


def _loses_the_answer(route: Route) -> None:
    assert route.request.method == "PATCH"
    route.fetch()
    route.abort()


def _chooses(place: Place, kind: str, name: str, content: bytes) -> None:  # noqa: F811 -- the same
    place.page.locator(f"#{kind}-file").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def _says(place: Place, kind: str) -> None:  # noqa: F811 -- the same
    for language, said in ALT.items():
        place.page.locator(f"#{kind}-alt-{language}").fill(said)


def test_a_picture_is_looked_at_sent_and_shown_where_donors_give(
    bucket: Bucket,
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page = place.page
    place.site.uploads = bucket.address
    colleague = Colleague(joins(place, databases, "content"), place)
    presses(page.get_by_role("link", name="Profile", exact=True))
    expect(page.get_by_text("Owners and administrators change this.")).to_be_visible()
    assert page.locator("#name").count() == 0
    logo, file = part_of(place, "Logo"), page.get_by_label("File with the logo")
    _says(place, "logo")
    for content, told in (
        (None, "Choose a file first."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is no picture that we can read"),
        (picture(500, 500), "at least 512 pixels wide or high."),
    ):
        if content is not None:
            _chooses(place, "logo", "logo.png", content)
        place.clicks("Send the logo")
        expect(file).to_be_focused()
        expect(file).to_have_accessible_description(re.compile(re.escape(told)))
    assert bucket.uploads.forms == []

    # A PNG, whatever its name says.
    _chooses(place, "logo", "logo.jpg", picture(600, 400))
    is_drawn(page.get_by_role("img", name="Preview of the logo"))
    expect(logo.get_by_text(re.compile("The file has 600 . 400 pixels"))).to_be_visible()
    place.is_for_everybody()
    place.clicks("Send the logo")
    expect(logo.get_by_role("status").filter(has_text="the picture is being made")).to_be_visible()
    bucket.works(place)
    expect(logo.get_by_role("status").filter(has_text="The picture is shown.")).to_be_visible()
    assert [form["Content-Type"] for form in bucket.uploads.forms] == ["image/png"]
    is_drawn(logo.get_by_role("img", name=ALT["en"]))
    expect(file).to_have_value("")
    expect(page.get_by_role("button", name="Send the logo")).to_be_focused()

    # What it shows is said anew, and nothing is sent again.
    place.clicks("Change what it says: Logo")
    page.locator("#logo-said-de").fill("Ein Reiher am Ufer")
    place.clicks("Save what it says")
    expect(logo.get_by_role("status").filter(has_text="said anew")).to_be_visible()
    expect(page.get_by_role("button", name="Change what it says: Logo")).to_be_focused()
    assert _public(place)["logo"]["alt"] == {**ALT, "de": "Ein Reiher am Ufer"}

    place.goes(f"/donate/?org={place.organization_id}&amount=2500&currency=EUR&lang=de")
    is_drawn(page.locator(".logo").get_by_role("img", name="Ein Reiher am Ufer"))
    _what_is_typed_stays_where_somebody_else_takes_it_away(place, colleague)


def _what_is_typed_stays_where_somebody_else_takes_it_away(
    place: Place,  # noqa: F811 -- the same
    colleague: Colleague,
) -> None:
    place.goes(f"/account/organisation/?org={place.organization_id}")
    logo, words = part_of(place, "Logo"), place.page.locator("#logo-said-de")
    place.clicks("Change what it says: Logo")
    words.fill("Ein Silberreiher")
    colleague.takes_the_picture_away()
    place.clicks("Open a fund")
    place.fills(fund_name="Wells")
    place.clicks("Make the fund")
    expect(logo.get_by_text("There is no logo yet.")).to_be_visible()
    expect(words).to_have_value("Ein Silberreiher")
    place.clicks("Save what it says")
    expect(logo.get_by_role("alert")).to_contain_text("There is no such image, or not any more")
    presses(logo.get_by_role("button", name="Leave it as it is"))
    expect(logo.get_by_text("There is no logo yet.")).to_be_focused()


def test_a_picture_that_is_not_taken_is_explained_and_one_that_is_shown_is_taken_away(
    bucket: Bucket,
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page = place.page
    place.site.uploads = bucket.address
    joins(place, databases, "admin")
    place.goes(f"/account/organisation/?org={place.organization_id}")
    begun = {"kind": "banner", "media_type": "image/png", "alt": ALT}
    address = f"{place.site.api}/v1/organisations/{place.organization_id}/images"
    assert page.evaluate(_POSTS, [address, begun]) == 201
    page.reload()
    banner = part_of(place, "Banner")
    expect(banner.get_by_role("listitem")).to_contain_text("its file has not arrived")
    place.clicks("Take away")
    expect(banner.get_by_role("listitem")).to_have_count(0)
    _chooses(place, "banner", "river.webp", picture(1600, 900, kind="WEBP"))
    is_drawn(page.get_by_role("img", name="Preview of the banner"))
    _says(place, "banner")
    bucket.uploads.refuses = 1
    place.clicks("Send the banner")
    expect(banner.get_by_role("alert")).to_have_text(
        "The store did not take the file: choose it again and send it once more."
    )
    # Nothing is lost but the way there, and no place is left that would count.
    place.clicks("Send the banner")
    expect(banner.get_by_role("status").filter(has_text="the picture is being made")).to_be_visible()
    bucket.works(place, raises=ImageRefused(Refusal.UNREADABLE))
    damaged = "The picture was not made: the file is damaged or no picture."
    expect(banner.get_by_role("alert")).to_contain_text(damaged)
    page.reload()
    expect(banner.get_by_role("listitem")).to_have_count(1)
    expect(banner.get_by_role("listitem")).to_contain_text(damaged)
    place.clicks("Deutsch")
    expect(page.get_by_text("Die Datei ist beschädigt oder kein Bild.")).to_be_visible()
    place.is_for_everybody()

    # Sent at once, also while the browser is looking at it.
    _says(place, "banner")
    _chooses(place, "banner", "river.png", picture(1600, 900))
    place.clicks("Das Titelbild senden")
    expect(page.get_by_role("status").filter(has_text="das Bild wird gemacht")).to_be_visible()
    bucket.works(place)
    expect(page.get_by_role("status").filter(has_text="Das Bild wird jetzt gezeigt.")).to_be_visible()
    is_drawn(page.locator(".banner").get_by_role("img", name=ALT["de"]))
    expect(page.locator("section .rows li")).to_have_count(0)
    assert _public(place)["banner"] is not None
    presses(page.get_by_role("button", name="Wegnehmen: Das Titelbild"))
    place.clicks("Das Titelbild wegnehmen")
    expect(page.get_by_text("Es gibt noch kein Titelbild.")).to_be_visible()
    assert _public(place)["banner"] is None


def test_whoever_looks_after_no_profile_is_told_so(place: Place, databases: Databases) -> None:  # noqa: F811 -- the fixtures
    joins(place, databases, "viewer")
    expect(place.page.get_by_role("link", name="Profile", exact=True)).to_have_count(0)
    place.goes("/account/organisation/")
    expect(place.page.get_by_text("You look after the profile of no organisation")).to_be_visible()
