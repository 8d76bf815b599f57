"""An organisation's own sign-in: whose domain it is, who comes by its provider, as what, and for how long."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from amply.infra.database import Database
from amply.modules import federation
from tests.backend.conftest import Databases
from tests.backend.federation_world import DOMAIN, OWNER, FederationWorld, federation_world
from tests.backend.people_world import ANOTHER, PASSWORD, PeopleWorld
from tests.backend.world import FakeProcessor, ready_organization

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def river(world: PeopleWorld, database: Database, databases: Databases) -> Iterator[FederationWorld]:
    with federation_world(world, database, databases) as made:
        yield made


@pytest.fixture
def valley(river: FederationWorld) -> FederationWorld:
    """With its provider set up and its domain shown."""
    assert river.set_up().is_success
    assert river.show_domain().is_success
    return river


def test_a_domain_is_shown_by_a_record_in_its_dns(river: FederationWorld) -> None:
    river.set_up()
    claimed = river.ask(river.owner, "POST", "/sign-in/domains", {"domain": "River.Example."}).json()
    assert claimed["record_name"] == f"_amply.{DOMAIN}"
    looked = river.ask(river.owner, "POST", f"/sign-in/domains/{DOMAIN}/check")
    assert (looked.status_code, looked.json()["code"]) == (409, "domain_not_shown")
    river.names.texts[claimed["record_name"]] = ["amply-domain-verification=of-somebody-else"]
    assert river.ask(river.owner, "POST", f"/sign-in/domains/{DOMAIN}/check").status_code == 409
    river.names.is_broken = True
    away = river.ask(river.owner, "POST", f"/sign-in/domains/{DOMAIN}/check")
    assert (away.status_code, away.json()["code"]) == (503, "dns_unavailable")
    river.names.is_broken = False
    assert river.people.browser().post("outside/find", {"email": f"ada@{DOMAIN}"}).json()["provider"] is None
    assert river.show_domain().json()["verified_at"] is not None
    found = river.people.browser().post("outside/find", {"email": f"ada@{DOMAIN}"}).json()
    assert found["provider"] == river.organization_id
    for wrong in ("river", "river..example", "-a.example", "a b.example", "river.example/x"):
        answer = river.ask(river.owner, "POST", "/sign-in/domains", {"domain": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "domain_not_acceptable"), wrong


def test_two_organisations_cannot_hold_one_domain(valley: FederationWorld, database: Database) -> None:
    """Both may ask for it, and one has it, even if the other's record is there too."""
    hill = ready_organization(database, FakeProcessor(), slug="hill-trust")
    other = valley.people.member("owner@hill.example", ANOTHER)
    valley.put(other, "owner", organization_id=hill)
    valley.owner, valley.organization_id = other, hill
    taken = valley.show_domain()
    assert (taken.status_code, taken.json()["code"]) == (409, "domain_taken")
    assert valley.ask(other, "GET", "/sign-in/domains").json()["data"][0]["verified_at"] is None


def test_who_comes_by_the_provider_is_a_member_at_once_as_its_groups_say(valley: FederationWorld) -> None:
    ada, answer = valley.comes("ada", "Treasurers", "Choir")
    assert answer.json()["status"] == "signed_in"
    person_id = answer.json()["person_id"]
    assert valley.role_of(person_id) == "finance"
    assert valley.ask(ada, "GET", "/gifts").is_success
    assert valley.ask(ada, "GET", "/keys").status_code == 403
    valley.comes("ada", "Treasurers", "Runners")
    assert valley.role_of(person_id) == "admin"
    valley.comes("ada")
    assert valley.role_of(person_id) == "viewer", "in no group: the default"
    valley.set_up(default_role=None)
    _, answer = valley.comes("bob")
    assert (answer.status_code, answer.json()["code"]) == (403, "no_role_here")
    assert {"member.joined", "member.role_changed", "sign_in.changed", "sign_in.domain_shown"} <= set(
        valley.recorded()
    )


def test_a_provider_speaks_for_its_own_domain_alone(valley: FederationWorld) -> None:
    browser = valley.people.browser()
    valley.provider.person = {"sub": "mallory", "email": "ada@elsewhere.example", "email_verified": True}
    url = browser.post("outside", {"provider": valley.organization_id}).json()["url"]
    answer = browser.post("outside/finish", valley.provider.signs_in(url))
    assert (answer.status_code, answer.json()["code"]) == (403, "provider_address_not_verified")


def test_an_account_that_was_there_before_is_linked_by_its_owner(valley: FederationWorld) -> None:
    """Whoever runs the provider could say anybody's address; who links it has shown that the account is theirs."""
    valley.people.member(f"ada@{DOMAIN}", ANOTHER)
    browser, answer = valley.comes("ada", "Runners")
    assert answer.json()["status"] == "link_required"
    assert valley.ask(browser, "GET").status_code == 401
    linked = browser.post("outside/link", {"pending": answer.json()["pending"], "password": ANOTHER})
    assert linked.is_success, linked.text
    assert valley.ask(browser, "GET", "/keys").is_success


def test_a_session_by_the_provider_is_for_that_organisation_alone(
    valley: FederationWorld, database: Database
) -> None:
    ada = valley.people.member(f"ada@{DOMAIN}", ANOTHER)
    hill = ready_organization(database, FakeProcessor(), slug="hill-trust")
    valley.put(ada, "owner", organization_id=hill)
    browser, answer = valley.comes("ada")
    browser.post("outside/link", {"pending": answer.json()["pending"], "password": ANOTHER})
    browser, _ = valley.comes("ada")
    valley.organization_id, river = hill, valley.organization_id
    assert valley.ask(browser, "GET").status_code == 403, "another organisation's provider says who it is"
    assert valley.ask(ada, "GET").is_success
    assert (
        browser.post("email", {"email": "mine@elsewhere.example"}).json()["code"] == "confirmation_required"
    )
    assert browser.post("confirm", {"password": ANOTHER}).is_success
    assert valley.ask(browser, "GET").is_success, "they showed it themselves"
    valley.organization_id = river


def test_a_role_taken_upstream_is_gone_within_five_minutes(valley: FederationWorld) -> None:
    ada, answer = valley.comes("ada", "Runners")
    person_id = answer.json()["person_id"]
    assert valley.ask(ada, "GET", "/keys").is_success
    valley.provider.person.pop("groups")  # a moment after its word
    valley.people.clock.advance(seconds=3 * 60 + 50)
    assert valley.ask(ada, "GET", "/keys").is_success, "its word still holds"
    valley.people.clock.advance(seconds=70)
    assert valley.ask(ada, "GET", "/keys").status_code == 403, "five minutes after"
    assert valley.role_of(person_id) == "viewer"
    valley.provider.person["groups"] = ["Runners"]
    valley.people.clock.advance(seconds=5 * 60)
    assert valley.ask(ada, "GET", "/keys").is_success, "and comes back as it went"


def test_who_left_upstream_is_gone_within_five_minutes(valley: FederationWorld) -> None:
    ada, answer = valley.comes("ada", "Runners")
    valley.provider.knows = False
    valley.people.clock.advance(seconds=5 * 60)
    assert valley.ask(ada, "GET").status_code == 404
    assert valley.role_of(answer.json()["person_id"]) is None
    assert valley.recorded()[-1] == "member.left_by_provider"


def test_a_provider_that_is_away_lets_its_word_run_out(valley: FederationWorld) -> None:
    ada, answer = valley.comes("ada", "Runners")
    valley.provider.is_away = True
    valley.people.clock.advance(seconds=4 * 60 + 30)
    assert valley.ask(ada, "GET").is_success
    valley.people.clock.advance(seconds=30)
    over = valley.ask(ada, "GET")
    assert (over.status_code, over.json()["code"]) == (401, "session_not_valid")
    asked = len(valley.provider.asked)
    valley.ask(ada, "GET")
    assert len(valley.provider.asked) == asked, "it is not asked again for ten seconds"
    assert valley.role_of(answer.json()["person_id"]) == "admin", "nothing is taken for a fault of the line"
    valley.provider.is_away = False
    valley.people.clock.advance(seconds=10)
    assert valley.ask(ada, "GET").is_success


def test_of_many_requests_at_once_one_asks_and_none_is_refused(valley: FederationWorld) -> None:
    """A page that was left open asks for several things when its reader comes back."""
    ada, _ = valley.comes("ada", "Runners")
    valley.people.clock.advance(seconds=3600)
    before = valley.provider.asked.count("/token")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: valley.ask(ada, "GET", "/keys").status_code, range(6)))
    assert answers == [200] * 6
    assert valley.provider.asked.count("/token") == before + 1


def test_without_a_refresh_token_the_browser_goes_there_again(valley: FederationWorld) -> None:
    valley.provider.gives_refresh = False
    ada, _ = valley.comes("ada", "Runners")
    valley.people.clock.advance(seconds=5 * 60)
    assert valley.ask(ada, "GET").status_code == 401
    valley.comes("ada", "Runners", browser=ada)
    assert valley.ask(ada, "GET").is_success


def test_another_persons_token_renews_nothing(valley: FederationWorld) -> None:
    ada, _ = valley.comes("ada", "Runners")
    valley.provider.person["sub"] = "id-of-somebody-else"
    valley.people.clock.advance(seconds=5 * 60)
    assert valley.ask(ada, "GET").status_code == 401


def test_a_fault_in_how_we_are_its_client_lets_nobody_go(valley: FederationWorld) -> None:
    ada, answer = valley.comes("ada", "Runners")
    valley.set_up(client_secret="of another client")
    valley.people.clock.advance(seconds=5 * 60)
    assert valley.ask(ada, "GET").status_code == 401
    assert valley.role_of(answer.json()["person_id"]) == "admin"
    valley.set_up()
    valley.people.clock.advance(seconds=10)
    assert valley.ask(ada, "GET").is_success


def test_a_required_sign_in_refuses_passwords_and_keeps_one_owner(valley: FederationWorld) -> None:
    member = valley.people.member(f"carol@{DOMAIN}", ANOTHER)
    valley.put(member, "admin")
    early = valley.set_up(is_required=True, client_secret=None)
    assert (early.status_code, early.json()["code"]) == (409, "sign_in_not_tried")
    valley.comes("ada", "Runners")
    assert valley.set_up(is_required=True, client_secret=None).is_success
    refused = valley.people.browser().signs_in(f"carol@{DOMAIN}", ANOTHER)
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_by_organisation")
    assert refused.json()["detail"].startswith("Sign in by your organisation")
    wrong = valley.people.browser().signs_in(f"carol@{DOMAIN}", "not the password")
    assert wrong.json()["code"] == "sign_in_refused", "who does not know it learns nothing"
    assert valley.ask(member, "GET").status_code == 403, "a session that was there before is not enough"
    glass = valley.people.browser()
    assert glass.signs_in(OWNER, PASSWORD).is_success
    assert valley.ask(glass, "GET", "/sign-in").is_success, "the owner, whatever happens to the provider"
    assert valley.set_up(is_required=False, client_secret=None).is_success
    assert valley.people.browser().signs_in(f"carol@{DOMAIN}", ANOTHER).is_success


def test_an_owner_is_made_and_unmade_by_no_provider(valley: FederationWorld) -> None:
    assert valley.set_up(default_role="owner").status_code == 422
    assert valley.set_up(group_roles={"Runners": "owner"}).status_code == 422
    browser, answer = valley.comes("owner")
    browser.post("outside/link", {"pending": answer.json()["pending"], "password": PASSWORD})
    person_id = str(valley.owner.get("me").json()["id"])
    assert valley.role_of(person_id) == "owner"
    valley.provider.knows = False
    valley.people.clock.advance(seconds=10 * 60)
    assert valley.ask(browser, "GET", "/keys").is_success


def test_a_member_who_becomes_an_owner_is_one_by_nobodys_word(valley: FederationWorld) -> None:
    ada, answer = valley.comes("ada", "Runners")
    person_id = answer.json()["person_id"]
    assert valley.ask(valley.owner, "POST", "/ownership-offer", {"person_id": person_id}).is_success
    assert valley.ask(ada, "POST", "/ownership-offer/accept").is_success
    valley.provider.knows = False
    valley.people.clock.advance(seconds=10 * 60)
    assert valley.ask(ada, "GET", "/keys").is_success


def test_the_secret_is_shown_to_nobody_and_belongs_to_its_client(valley: FederationWorld) -> None:
    shown = valley.ask(valley.owner, "GET", "/sign-in")
    assert "secret" not in shown.text
    assert shown.json()["redirect_address"].endswith("/account/")
    moved = valley.set_up(issuer="https://id.elsewhere.example", client_secret=None)
    assert (moved.status_code, moved.json()["code"]) == (422, "sign_in_not_acceptable")
    plain = valley.set_up(issuer="http://id.elsewhere.example")
    assert plain.status_code == 422
    stale = valley.ask(valley.owner, "POST", "/sign-in", {}, If_Match='"old"')
    assert stale.status_code == 422


def test_a_domain_that_is_gone_is_taken_away_after_a_day(valley: FederationWorld) -> None:
    clock = valley.people.clock
    ada, _ = valley.comes("ada", "Runners")
    valley.names.is_broken = True
    clock.advance(seconds=25 * 3600)
    assert federation.check_domains(valley.checking, now=clock()) == 0
    valley.names.is_broken, valley.names.texts = False, {}
    for lost in (0, 0, 1):
        clock.advance(seconds=timedelta(hours=6).total_seconds())
        assert federation.check_domains(valley.checking, now=clock()) == lost
    assert valley.recorded()[-1] == "sign_in.domain_lost"
    assert valley.ask(ada, "GET").status_code in (401, 404)
    found = valley.people.browser().post("outside/find", {"email": f"ada@{DOMAIN}"}).json()
    assert found["provider"] is None


def test_what_is_taken_away_lets_nobody_in(valley: FederationWorld) -> None:
    ada, _ = valley.comes("ada", "Runners")
    assert valley.ask(valley.owner, "DELETE", "/sign-in").status_code == 204
    begun = valley.people.browser().post("outside", {"provider": valley.organization_id})
    assert begun.json()["code"] == "provider_not_found"
    assert valley.ask(valley.owner, "DELETE", f"/sign-in/domains/{DOMAIN}").status_code == 204
    assert valley.ask(valley.owner, "DELETE", f"/sign-in/domains/{DOMAIN}").status_code == 404
    valley.people.clock.advance(seconds=5 * 60)
    assert valley.ask(ada, "GET").status_code == 404
