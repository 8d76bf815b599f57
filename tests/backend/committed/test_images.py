"""Logos and banners: uploaded by who may, made by the worker, shown in the profile, and gone again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from amply.adapters.pillow import ImageProcessingFailed
from amply.infra.database import Database
from amply.modules import images
from amply.modules.images import ImageRefused, Refusal
from tests.backend.api_world import assert_problem
from tests.backend.conftest import Databases
from tests.backend.image_world import ALT, FakeStore, QuickProcessor, image_work, picture
from tests.backend.member_world import House

PNG = picture()


@dataclass
class Studio:
    """Where `usr_content` uploads, and the worker makes."""

    house: House
    store: FakeStore = field(init=False)
    processor: QuickProcessor = field(default_factory=QuickProcessor)

    def __post_init__(self) -> None:
        self.store = FakeStore(shelf=self.house.shelf)

    def add(self, kind: str = "logo", *, by: str = "usr_content", **changes: Any) -> Any:
        asked = {"kind": kind, "media_type": "image/png", "alt": ALT, **changes}
        return self.house.ask("POST", "/images", by=by, json=asked)

    def tell(self, image_id: str) -> Any:
        return self.house.ask("POST", f"/images/{image_id}/received", by="usr_content")

    def upload(self, kind: str = "logo", body: bytes = PNG) -> str:
        made = self.add(kind)
        assert made.status_code == 201, made.text
        self.house.shelf.kept[made.json()["fields"]["key"]] = body
        told = self.tell(made.json()["id"])
        assert told.is_success, told.text
        return str(made.json()["id"])

    def remove(self, image_id: str) -> Any:
        return self.house.ask("DELETE", f"/images/{image_id}", by="usr_content")

    def seen(self, image_id: str) -> Any:
        return self.house.ask("GET", f"/images/{image_id}", by="usr_viewer")

    def describe(self, image_id: str, alt: Any, *, upon: Any = None) -> Any:
        headers = {} if upon is None else {"If-Match": upon.headers["ETag"]}
        return self.house.ask(
            "PATCH", f"/images/{image_id}", by="usr_content", json={"alt": alt}, headers=headers
        )

    def works(self) -> int:
        making = image_work(self.house.database, store=self.store, processor=self.processor)
        return images.make_images(making, now=self.house.clock())

    def listed(self) -> list[tuple[str, str]]:
        found = self.house.ask("GET", "/images", by="usr_viewer").json()["data"]
        return [(each["id"], each["state"]) for each in found]

    def profile(self, kind: str = "logo") -> Any:
        return self.house.client.get(f"/v1/public/organisations/{self.house.organization_id}").json()[kind]

    def id_shown(self, kind: str = "logo") -> str | None:
        found = self.profile(kind)
        return None if found is None else str(found["url"].split("/")[-2])


@pytest.fixture
def studio(database: Database, databases: Databases) -> Iterator[Studio]:
    house = House(database, databases)
    with house.client:
        yield Studio(house)
    house.close()


def test_a_logo_is_shown_in_its_sizes_with_its_words(studio: Studio) -> None:
    assert studio.profile() is None
    image_id = studio.upload()
    assert studio.listed() == [(image_id, "making")]
    assert studio.works() == 1
    assert studio.listed() == [(image_id, "shown")]
    shown = studio.profile()
    assert (shown["width"], shown["height"], shown["alt"]) == (512, 512, ALT)
    assert shown["url"].startswith(f"https://edge.example/media/{image_id}/")
    assert shown["url"].endswith(".png")
    assert [(each["media_type"], each["width"]) for each in shown["sources"]] == [
        ("image/webp", 512),
        ("image/webp", 128),
    ]
    addresses = [shown["url"], *(each["url"] for each in shown["sources"])]
    assert {f"https://edge.example/{path}" for path in studio.store.shown} == set(addresses)
    assert studio.house.shelf.kept == {}, "what was uploaded is kept no longer than it is of use"
    assert studio.profile("banner") is None
    own = studio.house.ask("GET", "", by="usr_viewer").json()
    assert own["logo"] == shown


def test_it_is_made_once_however_often_the_worker_is_asked(studio: Studio) -> None:
    studio.upload()
    assert [studio.works(), studio.works()] == [1, 0]
    again = studio.listed()[0][0]
    assert studio.tell(again).json()["state"] == "shown", "told again, nothing changes"
    assert studio.works() == 0


def test_the_former_one_is_gone_from_the_profile_at_once_and_from_the_bucket_a_day_later(
    studio: Studio,
) -> None:
    first = studio.upload()
    studio.works()
    second = studio.upload(body=PNG + b"another")
    studio.works()
    assert (studio.id_shown(), studio.listed()) == (second, [(second, "shown")])
    studio.house.clock.advance(hours=23)
    studio.works()
    assert {path.split("/")[1] for path in studio.store.shown} == {first, second}, "pages may be open"
    studio.house.clock.advance(hours=2)
    studio.works()
    assert {path.split("/")[1] for path in studio.store.shown} == {second}
    assert studio.remove(second).status_code == 204
    assert (studio.id_shown(), studio.listed()) == (None, [])
    studio.house.clock.advance(hours=25)
    studio.works()
    assert studio.store.shown == {}
    assert_problem(studio.remove(second), status=404, code="image_not_found")


def test_the_newer_one_stays_in_whatever_order_they_are_made(studio: Studio) -> None:
    first, second = studio.upload(), studio.upload(body=PNG + b"another")
    studio.house.run(
        "UPDATE organization_image SET next_attempt_at = now() + interval '9 years' WHERE id = :id", id=first
    )
    assert studio.works() == 1
    studio.house.run("UPDATE organization_image SET next_attempt_at = :now", now=studio.house.clock())
    assert studio.works() == 0, "the older one comes too late"
    assert (studio.id_shown(), studio.listed()) == (second, [(second, "shown")])


def test_logo_and_banner_take_nothing_of_each_other(studio: Studio) -> None:
    logo, banner = studio.upload(), studio.upload("banner")
    assert studio.works() == 2
    assert studio.profile("banner")["width"] == 1500
    assert studio.remove(logo).status_code == 204
    assert (studio.id_shown("logo"), studio.id_shown("banner")) == (None, banner)


def test_what_is_removed_while_it_is_made_is_never_shown(studio: Studio) -> None:
    image_id = studio.upload()
    studio.processor.meanwhile = lambda: studio.remove(image_id)
    assert studio.works() == 0
    assert (studio.id_shown(), studio.listed()) == (None, [])
    assert studio.store.shown != {}, "its files were on their way"
    studio.house.clock.advance(hours=25)
    studio.works()
    assert studio.store.shown == {}


def test_an_upload_that_is_gone_before_it_is_made_is_told_so(studio: Studio) -> None:
    image_id = studio.upload()
    studio.house.shelf.kept.clear()
    assert studio.works() == 0
    assert studio.listed() == [(image_id, "refused")]


def test_what_is_no_good_is_refused_in_a_sentence_and_what_was_shown_stays(studio: Studio) -> None:
    shown = studio.upload()
    studio.works()
    studio.processor.raises = ImageRefused(Refusal.TOO_SMALL)
    studio.upload(body=PNG + b"small")
    assert studio.works() == 0
    assert studio.id_shown() == shown
    refused = studio.house.ask("GET", "/images", by="usr_viewer").json()["data"][1]["refused"]
    assert refused["reason"] == "too_small"
    assert refused["detail"].endswith("send one that is at least 512 pixels wide or high.")
    studio.processor.raises = None
    newer = studio.upload(body=PNG + b"larger")
    studio.works()
    assert studio.listed() == [(newer, "shown")], "a good one answers for those before"


def test_what_fails_on_our_side_is_tried_again_and_in_the_end_told(studio: Studio) -> None:
    studio.upload()
    studio.processor.raises = ImageProcessingFailed("no memory")
    assert studio.works() == 0
    assert studio.listed()[0][1] == "making"
    studio.processor.raises = None
    assert studio.works() == 0, "not at once"
    studio.house.clock.advance(minutes=1)
    assert studio.works() == 1
    studio.upload("banner")
    studio.store.refuses = OSError("away")
    for _ in range(5):
        studio.works()
        studio.house.clock.advance(hours=1)
    banner = studio.house.ask("GET", "/images", by="usr_viewer").json()["data"][1]
    assert (banner["state"], banner["refused"]["reason"]) == ("refused", "not_made")


def test_an_upload_that_cannot_be_taken_away_holds_back_no_other_that_is_made(studio: Studio) -> None:
    uploads = [studio.upload("logo"), studio.upload("banner")]
    studio.house.shelf.stuck.update(studio.house.shelf.offered)
    assert studio.works() == 2
    assert studio.listed() == [(each, "shown") for each in uploads]


def test_ten_that_cannot_be_taken_away_hold_back_no_other_that_is_let_go(studio: Studio) -> None:
    places: dict[str, str] = {}
    for _ in range(11):
        made = studio.add().json()
        places[made["id"]] = made["fields"]["key"]
        studio.remove(made["id"])
    *stuck, last = sorted(places)
    studio.house.shelf.stuck.update(places[each] for each in stuck)
    studio.house.clock.advance(hours=2)
    studio.works()
    studio.works()
    left = [each.id for each in studio.house.rows("SELECT id FROM organization_image ORDER BY id")]
    assert (left, last in left) == (stuck, False)
    studio.house.shelf.stuck.clear()
    studio.house.clock.advance(minutes=1)
    studio.works()
    assert studio.house.rows("SELECT id FROM organization_image") == [], "they come again"


@pytest.mark.parametrize(
    ("media_type", "says"),
    [
        ("image/svg+xml", "export it as PNG, at least 512 pixels wide or high, and send that"),
        ("image/gif", "Send one of image/png, image/jpeg, image/webp."),
        ("text/html", "Send one of"),
    ],
)
def test_a_type_that_is_not_taken_is_refused_with_what_to_send(
    studio: Studio, media_type: str, says: str
) -> None:
    refused = studio.add(media_type=media_type)
    assert_problem(refused, status=422, code="image_not_acceptable", param="media_type")
    assert says in refused.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFFabcdWAVE"]
)
def test_a_file_that_is_no_png_by_its_bytes_is_refused_and_forgotten(studio: Studio, body: bytes) -> None:
    made = studio.add()
    studio.house.shelf.kept[made.json()["fields"]["key"]] = body
    refused = studio.tell(made.json()["id"])
    assert_problem(refused, status=422, code="image_not_acceptable", param="media_type")
    assert studio.listed() == []
    studio.house.clock.advance(hours=2)
    studio.works()
    assert studio.house.shelf.kept == {}
    assert studio.house.rows("SELECT id FROM organization_image") == []


def test_what_it_shows_is_said_in_every_language(studio: Studio) -> None:
    for alt in ({"en": "A heron"}, {**ALT, "fr": ""}, {**ALT, "es": "Una garza"}):
        assert studio.add(alt=alt).status_code == 422, alt
    refused = studio.add(alt={**ALT, "fr": " "})
    assert_problem(refused, status=422, code="image_not_acceptable", param="alt.fr")


NEW: Final = {"en": "A heron, waiting", "de": "Ein Reiher, der wartet", "fr": "Un héron qui attend"}


def test_what_it_shows_is_said_anew_upon_what_was_seen_and_the_picture_stays(studio: Studio) -> None:
    logo, banner = studio.upload(), studio.upload("banner")
    studio.works()
    before = studio.profile()
    seen = studio.seen(logo)
    changed = studio.describe(logo, NEW, upon=seen)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["alt"], changed.json()["state"]) == (NEW, "shown")
    assert studio.profile() == {**before, "alt": NEW}
    assert (studio.profile("banner")["alt"], studio.seen(banner).json()["alt"]) == (ALT, ALT)
    assert studio.seen(logo).headers["ETag"] == changed.headers["ETag"] != seen.headers["ETag"]
    assert_problem(studio.describe(logo, ALT, upon=seen), status=412, code="changed_meanwhile")
    assert_problem(studio.describe(logo, ALT), status=428, code="if_match_missing")
    refused = studio.describe(logo, {**NEW, "fr": " "}, upon=changed)
    assert_problem(refused, status=422, code="image_not_acceptable", param="alt.fr")
    assert studio.profile()["alt"] == NEW


def test_what_is_said_while_a_picture_is_made_is_what_it_is_shown_with(studio: Studio) -> None:
    image_id = studio.upload()
    studio.processor.meanwhile = lambda: studio.describe(image_id, NEW, upon=studio.seen(image_id))
    assert studio.works() == 1
    assert (studio.profile()["alt"], studio.seen(image_id).json()["alt"]) == (NEW, NEW)


def test_whoever_shows_no_pictures_says_nothing_of_them(studio: Studio) -> None:
    house, image_id = studio.house, studio.upload()
    seen = studio.seen(image_id)
    headers = {"If-Match": seen.headers["ETag"]}
    path, said = f"/images/{image_id}", {"alt": NEW}
    finance = house.ask("PATCH", path, by="usr_finance", json=said, headers=headers)
    assert_problem(finance, status=403, code="not_allowed")
    theirs = house.ask("PATCH", path, by="usr_stranger", of=house.other_id, json=said, headers=headers)
    assert_problem(theirs, status=404, code="image_not_found")
    assert studio.remove(image_id).is_success
    assert_problem(studio.describe(image_id, NEW, upon=seen), status=404, code="image_not_found")


def test_nothing_is_taken_up_that_was_not_uploaded_in_time(studio: Studio) -> None:
    made = studio.add().json()
    assert_problem(studio.tell(made["id"]), status=409, code="image_not_there")
    studio.house.shelf.kept[made["fields"]["key"]] = PNG
    studio.house.clock.advance(minutes=41)
    assert_problem(studio.tell(made["id"]), status=409, code="image_not_there")


def test_an_organisation_has_ten_at_most(studio: Studio) -> None:
    first, *_ = [studio.add().json()["id"] for _ in range(10)]
    assert_problem(studio.add(), status=409, code="too_many_images")
    assert studio.remove(first).status_code == 204
    assert studio.add().status_code == 201


def test_who_is_not_verified_shows_nothing_from_our_site(studio: Studio) -> None:
    house = studio.house
    house.run("ALTER TABLE organization DISABLE TRIGGER keep_organization_moves")
    house.run("UPDATE organization SET state = 'draft' WHERE id = :id", id=house.organization_id)
    assert_problem(studio.add(), status=409, code="images_not_yet")


def test_a_picture_of_another_organisations_is_not_there(studio: Studio) -> None:
    image_id = studio.upload()
    house = studio.house
    taken = house.ask("DELETE", f"/images/{image_id}", by="usr_stranger", of=house.other_id)
    assert_problem(taken, status=404, code="image_not_found")
    assert studio.works() == 1


def test_files_are_named_by_what_is_in_them(studio: Studio) -> None:
    studio.upload()
    studio.works()
    names = sorted(studio.store.shown)
    studio.house.run(
        "UPDATE organization_image SET made_at = NULL, next_attempt_at = :now", now=studio.house.clock()
    )
    studio.house.shelf.kept[studio.house.shelf.offered[0]] = PNG
    studio.works()
    assert sorted(studio.store.shown) == names, "made again, they are the same"
