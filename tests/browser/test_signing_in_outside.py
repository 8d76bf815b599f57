"""The account page with providers in a real browser: an OpenID provider on loopback, the real API between them."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Request, expect

from amply.infra.database import Database
from amply.modules import people
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.federation_world import DOMAIN, FederationWorld, federation_world
from tests.backend.identity_provider import CLIENT, CLIENT_SECRET
from tests.backend.people_world import (  # noqa: F401 -- fixtures, too
    ADA,
    PASSWORD,
    Browser,
    PeopleWorld,
    people_cache,
    world,
)
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def valley(
    world: PeopleWorld,  # noqa: F811 -- the fixture
    database: Database,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> Iterator[FederationWorld]:
    """One provider, for everybody as "Valley", and for one organisation as its own."""
    with federation_world(world, database, databases) as made:
        known = people.Provider(
            key="valley",
            name="Valley",
            issuer=made.provider.issuer,
            client_id=CLIENT,
            client_secret=CLIENT_SECRET,
        )
        assert world.parts.oidc_sign_in is not None
        world.parts = replace(
            world.parts, oidc_sign_in=replace(world.parts.oidc_sign_in, providers={"valley": known})
        )
        yield made


def _with_app(browser: Browser) -> TOTP:
    """An app that whoever is signed in there begins to set up."""
    secret = str(browser.post("factors/totp").json()["secret"])
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 -- as RFC 6238 has it


def test_who_is_new_comes_by_a_provider_and_the_code_is_kept_nowhere(
    valley: FederationWorld,
    place: Place,  # noqa: F811 -- the fixture
) -> None:
    page, sent = place.page, list[Request]()
    page.on("request", lambda each: sent.append(each))  # noqa: PLW0108 -- Playwright marks what it is given
    place.goes("/account/")
    expect(page.get_by_role("button", name="Sign in with Valley")).to_be_visible()
    place.is_for_everybody()
    place.clicks("Sign in with Valley")
    expect(page.get_by_text(f"You are signed in as {ADA}.")).to_be_visible()
    assert page.url == f"{place.edge}/account/"
    (back,) = [each.url for each in sent if "?code=" in each.url]
    assert back.startswith(f"{place.edge}/account/")
    assert [each for each in sent if "code=" in each.headers.get("referer", "")] == []
    expect(page.get_by_text("Valley, linked on")).to_be_visible()
    expect(page.get_by_role("button", name="Link with Valley")).to_have_count(0)
    place.is_for_everybody()

    presses(page.get_by_role("button", name="Take away: Valley"))
    expect(page.get_by_role("alert").filter(has_text="nothing else would sign you in")).to_be_visible()
    page.go_back()
    assert "code=" not in page.url, "history does not keep it"
    assert valley.provider.codes == {}


@pytest.mark.usefixtures("valley")
def test_an_account_that_is_there_is_linked_by_its_owner_and_unlinked(
    place: Place,  # noqa: F811 -- the fixture
) -> None:
    page, status, clock = place.page, place.page.get_by_role("status"), place.world.clock
    owner = place.world.member()
    app = _with_app(owner)

    def code() -> str:
        clock.advance(seconds=30)
        return app.generate(clock().timestamp()).decode()

    assert owner.post("factors/totp/confirm", {"code": code()}).is_success
    place.goes("/account/")
    place.clicks("Sign in with Valley")
    expect(page.get_by_role("heading", name="This address has an account already")).to_be_focused()
    place.is_for_everybody()
    place.fills(password="another one altogether")
    place.clicks("Link and sign in")
    expect(page.get_by_role("alert").filter(has_text="Type the password of your account")).to_be_visible()
    place.fills(password=PASSWORD)
    place.clicks("Link and sign in")
    expect(page.locator("#code")).to_be_focused()
    place.fills(code=code())
    place.clicks("Link and sign in")
    expect(status.filter(has_text="The provider signs you in from now on.")).to_be_visible()

    place.clicks("Sign out")
    place.clicks("Sign in with Valley")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_focused()
    place.fills(code=code())
    place.clicks("Go on")
    presses(page.get_by_role("button", name="Take away: Valley"))
    expect(status.filter(has_text="That provider signs you in no more.")).to_be_visible()
    expect(status.filter(has_text="from now on")).to_have_count(0)

    clock.advance(minutes=11)
    place.clicks("Link with Valley")
    place.fills(password=PASSWORD, code=code())
    place.clicks("Confirm")
    expect(status.filter(has_text="The provider signs you in from now on.")).to_be_visible()
    expect(page.get_by_text("Valley, linked on")).to_be_visible()


def test_what_goes_wrong_on_the_way_is_one_sentence_in_the_readers_language(
    valley: FederationWorld,
    place: Place,  # noqa: F811 -- the fixture
) -> None:
    page, alert = place.page, place.page.get_by_role("alert")
    valley.provider.is_away = True
    place.goes("/account/?lang=de")
    place.clicks("Mit Valley anmelden")
    expect(alert.filter(has_text="Der Anbieter antwortet nicht")).to_be_visible()
    valley.provider.is_away = False
    place.world.clock.advance(minutes=1)
    valley.provider.error = "access_denied"
    place.clicks("Mit Valley anmelden")
    expect(alert.filter(has_text="beim Anbieter nicht fortgesetzt")).to_be_visible()
    assert page.url == f"{place.edge}/account/"
    assert page.get_by_text("Ring us").count() == 0, "what an address says is not shown"
    valley.provider.error = "server_error"
    place.clicks("Mit Valley anmelden")
    expect(alert.filter(has_text="Der Anbieter hat Sie nicht angemeldet")).to_be_visible()
    place.goes("/account/?code=of-somebody&state=of-somebody-else&lang=fr")
    expect(alert.filter(has_text="pas été acceptée")).to_be_visible()
    expect(page.get_by_role("button", name="Se connecter avec Valley")).to_be_visible()
    place.is_for_everybody()


def test_members_find_their_organisations_own_sign_in_by_their_address(
    valley: FederationWorld,
    place: Place,  # noqa: F811 -- the fixture
) -> None:
    assert valley.set_up().is_success
    assert valley.show_domain().is_success
    page = place.page
    valley.provider.person = {"sub": "id-of-bo", "email": f"bo@{DOMAIN}", "groups": ["Treasurers"]}
    place.goes("/account/")
    place.clicks("Sign in by your organisation")
    place.fills(organization_email="bo@nowhere.example")
    place.clicks("Go on")
    expect(page.get_by_role("alert").filter(has_text="No organisation signs people in")).to_be_visible()
    place.is_for_everybody()
    place.fills(organization_email=f"bo@{DOMAIN}")
    place.clicks("Go on")
    expect(page.get_by_text(f"You are signed in as bo@{DOMAIN}.")).to_be_visible()
    expect(page.get_by_text("River Trust · finance")).to_be_visible()
    expect(page.get_by_text("River Trust, linked on")).to_be_visible()
