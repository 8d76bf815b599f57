"""The page of an organisation's own sign-in, in a real browser at the real API, with a provider and a name server on loopback."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Locator, expect

from amply.infra.database import Database
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.federation_world import DOMAIN, OWNER, FederationWorld, federation_world
from tests.backend.identity_provider import CLIENT, CLIENT_SECRET
from tests.backend.people_world import (  # noqa: F401 -- fixtures, too
    PASSWORD,
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
    with federation_world(world, database, databases) as made:
        yield made


def _part(place: Place, title: str) -> Locator:  # noqa: F811 -- of the fixture's kind
    return place.page.locator("section").filter(has=place.page.get_by_role("heading", name=title, exact=True))


def _sets_the_provider_up(valley: FederationWorld, place: Place) -> None:  # noqa: F811 -- the same
    page, provider = place.page, _part(place, "1. Your provider")
    expect(provider.get_by_text(f"{place.edge}/account/", exact=True)).to_be_visible()
    place.fills(issuer="http://id.river.example", client_id=CLIENT, client_secret=CLIENT_SECRET)
    place.clicks("Add a group")
    expect(page.get_by_label("Group 1", exact=True)).to_be_focused()
    page.keyboard.type("Runners")
    page.get_by_label("Role of group 1").select_option("administrator")
    # One group in two lines: which role was meant is for them to say.
    place.clicks("Add a group")
    page.keyboard.type(" Runners ")
    place.clicks("Set it up")
    second = page.get_by_label("Group 2", exact=True)
    expect(second).to_be_focused()
    expect(second).to_have_accessible_description(
        "Runners stands in a line above: give it one role, and take the other line away."
    )
    page.get_by_role("listitem").filter(has=second).get_by_role("button").press("Enter")
    place.clicks("Set it up")
    place.fills(password=PASSWORD)
    place.clicks("Confirm")
    expect(provider.get_by_role("alert").first).to_contain_text("it begins with https://")
    place.fills(issuer=valley.provider.issuer)
    place.clicks("Set it up")
    expect(provider.get_by_role("status").first).to_have_text("It is saved.")
    # It is shown to nobody again.
    expect(page.locator("#client-secret")).to_have_value("")
    assert CLIENT_SECRET not in page.content()
    expect(page.get_by_label("Group 1", exact=True)).to_have_value("Runners")
    # Meanwhile somebody else changes it.
    assert valley.owner.post("confirm", {"password": PASSWORD}).is_success
    assert valley.set_up(group_roles={"Runners": "admin"}, default_role="content").is_success
    place.clicks("Save")
    expect(provider.get_by_role("alert").first).to_contain_text("This has changed meanwhile")
    page.reload()
    expect(page.get_by_label("Whoever is in none of these groups")).to_have_value("content")


def _shows_the_domain(valley: FederationWorld, place: Place) -> None:  # noqa: F811 -- the same
    page, domains = place.page, _part(place, "2. Your domains")
    place.fills(domain="river")
    place.clicks("Add the domain")
    expect(domains.get_by_role("alert").first).to_contain_text("Give a domain like")
    place.fills(domain=DOMAIN)
    place.clicks("Add the domain")
    expect(domains.get_by_text("its record is awaited")).to_be_visible()
    look = page.get_by_role("button", name=f"Look now: {DOMAIN}")
    presses(look)
    expect(domains.get_by_role("alert").first).to_contain_text("record")
    shown = domains.locator("dd code")
    expect(shown).to_have_count(3)
    name, _, said = shown.all_inner_texts()
    valley.names.texts[name] = [said]
    presses(look)
    expect(domains.get_by_role("status").first).to_have_text(f"The record is there: {DOMAIN} is yours.")
    # The sentence comes first, and then the page as it stands now, which moves what is below.
    expect(page.get_by_text("Once the provider is set up and a domain is yours")).to_be_hidden()


def test_a_sign_in_is_set_up_tried_and_required(
    valley: FederationWorld,
    place: Place,  # noqa: F811 -- the fixture
) -> None:
    page, clock = place.page, place.world.clock
    place.goes("/account/")
    place.signs_in(OWNER)
    presses(page.get_by_role("link", name="Sign-in", exact=True))
    clock.advance(minutes=11)
    _sets_the_provider_up(valley, place)
    expect(page.get_by_text("Once the provider is set up and a domain is yours")).to_be_visible()
    _shows_the_domain(valley, place)

    place.clicks("Require it")
    place.clicks("Require it from now on")
    requiring = _part(place, "4. Let it be required")
    expect(requiring.get_by_role("alert").first).to_contain_text("sign in by the provider once")
    valley.provider.person = {"sub": "id-of-bo", "email": f"bo@{DOMAIN}", "groups": ["Runners"]}
    place.clicks("Sign in by your provider now")
    expect(page.get_by_text(f"You are signed in as bo@{DOMAIN}.")).to_be_visible()
    expect(page.get_by_text("River Trust · administrator")).to_be_visible()

    place.clicks("Sign out")
    place.signs_in(OWNER)
    place.goes("/account/sign-in/")
    place.clicks("Require it")
    place.clicks("Require it from now on")
    expect(requiring.get_by_role("status").first).to_contain_text("by your provider alone")
    place.clicks("Français")
    expect(page.get_by_text("entre par son mot de passe")).to_be_visible()
    place.clicks("Permettre aussi les mots de passe")
    expect(page.get_by_text("peuvent de nouveau se connecter")).to_be_visible()
    place.clicks("Deutsch")
    expect(page.get_by_label("Gruppe 1", exact=True)).to_have_value("Runners")
    place.is_for_everybody()


@pytest.mark.usefixtures("valley")
def test_a_directorys_token_is_shown_once_and_revoked(place: Place) -> None:  # noqa: F811 -- the fixture
    page, programs = place.page, TestClient(place.world.app)
    place.goes("/account/")
    place.signs_in(OWNER)
    place.goes("/account/sign-in/")

    def asks(token: str) -> int:
        return programs.get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}).status_code

    def made() -> str:
        place.clicks("Make a token")
        expect(page.get_by_role("heading", name="Your new token")).to_be_focused()
        return page.locator(".secrets code").inner_text()

    first = made()
    assert first.startswith("scim_")
    place.is_for_everybody()
    place.clicks("I have kept it")
    page.reload()
    expect(page.get_by_text(f"Token that ends in {first[-4:]}")).to_be_visible()
    assert first not in page.content(), "nobody can show it again"
    second = made()
    place.clicks("I have kept it")
    place.clicks("Make a token")
    tokens = _part(place, "Your directory (SCIM)")
    expect(tokens.get_by_role("alert").first).to_contain_text("Two tokens work")
    assert (asks(first), asks(second)) == (200, 200)
    presses(page.get_by_role("button", name=f"Revoke: Token that ends in {first[-4:]}"))
    place.clicks("Revoke the token")
    expect(tokens.get_by_role("listitem").filter(has_text=first[-4:])).to_contain_text("revoked on")
    assert (asks(first), asks(second)) == (401, 200)


def test_whoever_looks_after_no_organisation_is_told_so(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member()
    place.goes("/account/")
    place.signs_in("ada@example.org")
    place.goes("/account/sign-in/")
    expect(place.page.get_by_text("You look after the sign-in of no organisation")).to_be_visible()
