"""The page where an organisation sees what becomes of its data, in a real browser at the real API."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Locator, expect

from amply.infra.database import Database
from amply.modules import sharing
from amply.modules.seller_portal import SHARED
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.given_months import first_gift, gave, put
from tests.backend.people_world import ADA, PeopleWorld, people_cache, world  # noqa: F401 -- fixtures, too
from tests.backend.seller_data import FakeSellerData, certificate_text
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def stall(world: PeopleWorld) -> FakeSellerData:  # noqa: F811 -- the fixture
    """Before the place, whose API is made with it."""
    made = FakeSellerData()
    world.beside |= {"seller_data": made.parts(), "consents": sharing.Ticks()}
    return made


@pytest.fixture
def master(databases: Databases) -> Iterator[Database]:  # noqa: F811 -- the fixture
    opened = databases.as_role("master")
    yield opened
    opened.close()


def is_owner(place: Place, master: Database) -> None:  # noqa: F811 -- of the fixture's kind
    """Ada is, and signed in."""
    place.world.member()
    put(
        master,
        """
        INSERT INTO member (organization_id, person_id, role, joined_at)
        SELECT CAST(:organization_id AS text), id, 'owner', now() FROM person
        """,
        organization_id=place.organization_id,
    )
    place.goes("/account/")
    place.signs_in(ADA)


def is_furnished(place: Place, stall: FakeSellerData, master: Database) -> None:  # noqa: F811 -- the same
    of = place.organization_id
    first_gift(TestClient(place.world.app), of)
    gave(master, "2026-10", 65, 45, 23, organization_id=of)
    gave(master, "2026-09", 25, 25, organization_id=of)
    stall.dataset(SHARED, owner="amply", latest=1)
    stall.release(SHARED, 1)
    stall.dataset("cafe_visits", owner=of, latest=22, refused="too few people in 3 of 4 classes")
    stall.source("cafe_visits", owner=of)
    for number in range(1, 23):
        stall.release("cafe_visits", number, withdrawn=number == 21)
    stall.use("cafe_visits", "2026-10", "dct_01m8d649abecqtmpt9pe2mh9tp", answers=1234)
    stall.share(of, "2026-10", "ent_01m8d649abecqtmpt9pe2mh9t1#0", 123456)
    stall.share(of, "2026-10", "ent_01m8d649abecqtmpt9pe2mh9t2#0", -456)
    put(
        master,
        "INSERT INTO leaf (idx, entry_id, org, org_seq, bytes) VALUES (0, 'ent_01m8d649abecqtmpt9pe2mh9t1', 'o', 0, '{}')",
        "INSERT INTO checkpoint (size, root, note, created_at, published_at) VALUES (1, sha256(''), 'n', now(), now())",
    )


def rows(place: Place, table: str) -> Locator:  # noqa: F811 -- the same
    return place.page.get_by_role("table", name=table, exact=True).get_by_role("row")


def test_a_seller_sees_consents_datasets_releases_usage_and_revenue(
    stall: FakeSellerData,
    place: Place,  # noqa: F811 -- the fixture
    master: Database,
) -> None:
    place.site.behind["data"] = "data-seller-portal"
    is_furnished(place, stall, master)
    is_owner(place, master)
    page = place.page
    presses(page.get_by_role("link", name="Data", exact=True))

    expect(rows(place, "Who lets data be shared").nth(1)).to_contain_text("Oct 202667%604020")
    expect(rows(place, "Who lets data be shared").nth(2)).to_contain_text(
        "20all but fewer than 20fewer than 20"
    )
    expect(rows(place, "Datasets").nth(2)).to_contain_text("About cafe_visits cafe_visitsrefused22open")
    expect(page.get_by_text("refused: too few people in 3 of 4 classes.")).to_be_visible()
    expect(page.get_by_text("Nobody has used this dataset yet.")).to_be_visible()
    expect(rows(place, "What it brought").nth(3)).to_contain_text("Oct 2026 together€1,230.00")
    expect(page.get_by_role("link", name="entry 0")).to_have_attribute("href", "/ledger/?entry=0")
    expect(rows(place, "What it brought").nth(1)).to_contain_text("not published yet")

    page.get_by_label("Of which dataset?").select_option("About cafe_visits")
    expect(rows(place, "What was used").nth(1)).to_contain_text("1,2342,468")
    expect(rows(place, "Releases")).to_have_count(21)
    place.clicks("Show more")
    expect(rows(place, "Releases")).to_have_count(23)
    expect(rows(place, "Releases").nth(2)).to_contain_text("buyers are not given it since")

    place.clicks("Show the certificate of release 22")
    expect(page.get_by_role("heading", name="Certificate of release 22")).to_be_focused()
    expect(rows(place, "Certificate of release 22").nth(1)).to_contain_text("4,1202,310")
    expect(page.get_by_text("amply-verify certificate cafe_visits-000022.certificate")).to_be_visible()
    with page.expect_download() as saved:
        place.clicks("Download the certificate")
    assert saved.value.suggested_filename == "cafe_visits-000022.certificate"
    assert saved.value.path().read_text() == certificate_text("cafe_visits", 22)
    # In the language of the longest words.
    place.clicks("Deutsch")
    expect(page.get_by_role("heading", name="Wer Daten teilen lässt")).to_be_visible()
    place.is_for_everybody()


def test_what_is_empty_off_or_not_theirs_is_said_in_words(
    stall: FakeSellerData,
    place: Place,  # noqa: F811 -- the fixture
    master: Database,
) -> None:
    place.site.behind["data"] = "data-seller-portal"
    is_owner(place, master)
    put(master, "UPDATE member SET role = 'admin'")
    page = place.page
    place.goes("/data/")
    for sentence in (
        "No month with gifts has ended yet.",
        "You have handed in nothing yet.",
        "Owners and finance see what data brings.",
    ):
        expect(page.get_by_text(sentence)).to_be_visible()
    place.is_for_everybody()
    stall.dataset("cafes", owner=place.organization_id, latest=1)
    page.reload()
    expect(page.get_by_text("Nothing of this dataset is released yet.")).to_be_visible()
    stall.certificates.clear()
    put(master, "UPDATE member SET role = 'viewer'")
    page.reload()
    expect(page.get_by_text("You see the data of no organisation")).to_be_visible()


def test_where_its_flag_is_off_there_is_no_page_and_no_link_to_it(
    stall: FakeSellerData,
    place: Place,  # noqa: F811 -- the fixture
    master: Database,
) -> None:
    del stall
    is_owner(place, master)
    expect(place.page.get_by_role("link", name="API keys")).to_be_visible()
    expect(place.page.get_by_role("link", name="Data", exact=True)).to_have_count(0)
    for path in ("/data/", "/behind/data-seller-portal/"):
        answer = place.page.request.get(f"{place.edge}{path}")
        assert answer.status == 404, path
