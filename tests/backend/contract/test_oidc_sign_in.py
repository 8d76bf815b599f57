"""Signing in by a provider, over HTTP to a real one: what is let in, what is not, and whose account it is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from joserfc import jwk
from sqlalchemy import text

from amply.adapters.oidc import OidcClient
from amply.modules import people
from tests.backend.identity_provider import CLIENT, CLIENT_SECRET, IdentityProvider, identity_provider
from tests.backend.people_world import (
    ADA,
    EDGE,
    PASSWORD,
    Browser,
    PeopleWorld,
    application_with,
    people_parts,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
REDIRECT = f"{EDGE}/account/"
TWISTS: Final[tuple[dict[str, Any], ...]] = (
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "somebody-else"},
    {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
    {"iss": "https://another.example"},
    {"exp": 1},
    {"iat": 99_999_999_999},
    {"sub": None},
    {"sub": "x" * 256},
)


@pytest.fixture
def provider(world: PeopleWorld) -> Iterator[IdentityProvider]:
    """The world's people are signed in by it, too."""
    with identity_provider(world.clock) as made:
        known = people.Provider(
            key="valley",
            name="Valley",
            issuer=made.issuer,
            client_id=CLIENT,
            client_secret=CLIENT_SECRET,
        )
        oidc_sign_in = people.OidcSignIn(
            client=OidcClient(allows_loopback=True), redirect=REDIRECT, providers={"valley": known}
        )
        world.parts = people_parts(world.own, world.settings, oidc_sign_in=oidc_sign_in)
        world.app = application_with(world.own, world.parts, world.clock)
        yield made


def begins(browser: Browser) -> str:
    answer = browser.post("outside", {"provider": "valley"})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


def comes_back(browser: Browser, back: dict[str, str]) -> Any:
    return browser.post("outside/finish", back)


def signs_in(browser: Browser, provider: IdentityProvider) -> Any:
    return comes_back(browser, provider.signs_in(begins(browser)))


def refused(answer: Any) -> bool:
    return bool((answer.status_code, answer.json()["code"]) == (401, "provider_refused"))


def test_whoever_a_provider_vouches_for_has_an_account_and_comes_back_to_it(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    browser = world.browser()
    first = signs_in(browser, provider)
    assert first.json()["status"] == "signed_in"
    assert browser.get("me").json()["email"] == ADA
    again = world.browser()
    assert signs_in(again, provider).json()["person_id"] == first.json()["person_id"]
    assert [each["name"] for each in again.get("identities").json()["data"]] == ["Valley"]
    assert not again.signs_in().is_success, "there is no password"


def test_an_address_that_changed_there_changes_nobody_here(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    bob = world.member("bob@example.org")
    ada = world.browser()
    first = signs_in(ada, provider).json()["person_id"]
    provider.person["email"] = "bob@example.org"
    assert signs_in(world.browser(), provider).json()["person_id"] == first
    assert ada.get("me").json()["email"] == ADA
    assert bob.is_signed_in


def test_an_account_is_linked_by_its_owner_alone(world: PeopleWorld, provider: IdentityProvider) -> None:
    owner = world.member()
    stranger = world.browser(address="203.0.113.9")
    asked = signs_in(stranger, provider).json()
    assert asked["status"] == "link_required"
    assert not stranger.is_signed_in
    wrong = stranger.post("outside/link", {"pending": asked["pending"], "password": "wrong"})
    assert wrong.json()["code"] == "sign_in_refused"
    elsewhere = world.browser().post("outside/link", {"pending": asked["pending"], "password": PASSWORD})
    assert refused(elsewhere), "it is for the browser that it was begun in"
    linked = stranger.post("outside/link", {"pending": asked["pending"], "password": PASSWORD})
    assert linked.json()["person_id"] == owner.signs_in().json()["person_id"]
    assert any("one more way" in each.subject for each in world.letters())
    assert refused(stranger.post("outside/link", {"pending": asked["pending"], "password": PASSWORD}))
    assert signs_in(world.browser(), provider).json()["status"] == "signed_in"


def test_an_address_nobody_verified_makes_no_account(world: PeopleWorld, provider: IdentityProvider) -> None:
    world.member()
    for verified in (False, None, "yes"):
        provider.person["email_verified"] = verified
        answer = signs_in(world.browser(), provider)
        assert (answer.status_code, answer.json()["code"]) == (403, "provider_address_not_verified")


def test_a_second_factor_is_asked_for_as_after_a_password(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    browser = world.browser()
    person_id = signs_in(browser, provider).json()["person_id"]
    with world.own.transaction() as session:
        session.execute(
            text(
                "INSERT INTO person_totp (person_id, sealed_secret, confirmed_at, created_at) "
                "VALUES (:person_id, '\\x00', now(), now())"
            ),
            {"person_id": person_id},
        )
    other = world.browser()
    assert signs_in(other, provider).json()["status"] == "second_factor_required"
    assert not other.is_signed_in


def test_a_code_and_a_state_count_once(world: PeopleWorld, provider: IdentityProvider) -> None:
    browser = world.browser()
    back = provider.signs_in(begins(browser))
    assert comes_back(browser, back).is_success
    assert refused(comes_back(browser, back)), "the state"
    other = provider.signs_in(begins(browser))
    assert refused(comes_back(browser, {**other, "code": back["code"]})), "the code, with another state"


def test_what_began_in_another_browser_ends_nowhere(world: PeopleWorld, provider: IdentityProvider) -> None:
    """Or somebody could be signed in as whoever began it (login cross-site request forgery)."""
    back = provider.signs_in(begins(world.browser()))
    victim = world.browser()
    begins(victim)
    assert refused(comes_back(victim, back))
    assert refused(comes_back(world.browser(), {**back, "state": "made up"}))


def test_a_mixed_up_issuer_is_refused(world: PeopleWorld, provider: IdentityProvider) -> None:
    """RFC 9207: the provider says that it names itself beside the code."""
    browser = world.browser()
    for iss in (None, "https://another.example"):
        back = {**provider.signs_in(begins(browser)), "iss": iss}
        assert refused(comes_back(browser, {name: each for name, each in back.items() if each is not None}))
    assert "/token" not in provider.asked, "another provider's code is shown to nobody"


def test_a_token_that_is_not_for_this_sign_in_is_refused(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    browser = world.browser()
    for twist in TWISTS:
        provider.twist = twisted(twist)
        assert refused(signs_in(browser, provider)), twist
    assert not browser.is_signed_in
    provider.twist = twisted({"aud": [CLIENT, "somebody-else"], "azp": CLIENT})
    assert signs_in(browser, provider).is_success


def twisted(twist: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """What changes claims so; None takes one away."""

    def change(claims: dict[str, Any]) -> None:
        claims |= twist
        for name in [name for name, value in twist.items() if value is None]:
            del claims[name]

    return change


def test_a_token_is_good_for_its_time_alone(world: PeopleWorld, provider: IdentityProvider) -> None:
    browser = world.browser()
    late = world.clock()
    provider.clock = lambda: late
    back = provider.signs_in(begins(browser))
    world.clock.advance(seconds=7 * 60)
    assert refused(comes_back(browser, back)), "by our clock it ended two minutes ago"


def test_new_keys_are_fetched_and_old_ones_are_over(world: PeopleWorld, provider: IdentityProvider) -> None:
    assert signs_in(world.browser(), provider).is_success
    old = provider.key
    provider.rotate()
    world.clock.advance(seconds=20)
    assert signs_in(world.browser(), provider).is_success
    provider.key, new = old, provider.key
    provider.header = {"kid": new.kid}
    assert refused(signs_in(world.browser(), provider)), "signed by another key than the one it names"


def test_no_other_algorithm_is_taken(world: PeopleWorld, provider: IdentityProvider) -> None:
    """Least of all one by which whoever has the client's secret could speak for the provider."""
    secret = jwk.OctKey.import_key(CLIENT_SECRET, {"kid": str(provider.key.kid)})
    provider.forger, provider.header = secret, {"alg": "HS256"}
    assert refused(signs_in(world.browser(), provider))


def test_a_provider_that_is_away_is_said_so_and_other_ways_go_on(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    world.member()
    browser = world.browser()
    back = provider.signs_in(begins(browser))
    provider.is_away = True
    answer = comes_back(browser, back)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_away")
    assert answer.json()["detail"].startswith("The provider does not answer just now: sign in another way")
    assert browser.signs_in().is_success
    provider.is_away = False
    assert signs_in(world.browser(), provider).is_success


def test_a_provider_that_calls_itself_something_else_is_not_spoken_to(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    provider.metadata = {"issuer": "https://another.example"}
    assert refused(world.browser().post("outside", {"provider": "valley"}))


def test_one_account_may_have_several_and_keeps_one_way_in(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    ada = world.member()
    for subject in ("ada-7", "ada-8"):
        provider.person["sub"] = subject
        url = ada.post("identities", {"provider": "valley"}).json()["url"]
        back = provider.signs_in(url)
        assert refused(comes_back(ada, back)), "begun to link, not to sign in"
        url = ada.post("identities", {"provider": "valley"}).json()["url"]
        assert ada.post("identities/finish", provider.signs_in(url)).is_success
    listed = ada.get("identities").json()["data"]
    assert len(listed) == 2
    assert all(ada.delete(f"identities/{each['id']}").is_success for each in listed), "a password is left"
    assert ada.delete(f"identities/{listed[0]['id']}").json()["code"] == "identity_not_found"

    provider.person |= {"sub": "bob-1", "email": "bob@example.org"}
    bob = world.browser()
    signs_in(bob, provider)
    [only] = bob.get("identities").json()["data"]
    answer = bob.delete(f"identities/{only['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_way_in")
    assert signs_in(world.browser(), provider).is_success


def test_what_belongs_to_one_account_is_not_linked_with_another(
    world: PeopleWorld, provider: IdentityProvider
) -> None:
    signs_in(world.browser(), provider)
    bob = world.member("bob@example.org")
    url = bob.post("identities", {"provider": "valley"}).json()["url"]
    answer = bob.post("identities/finish", provider.signs_in(url))
    assert (answer.status_code, answer.json()["code"]) == (409, "identity_taken")
    carol = world.member("carol@example.org")
    url = bob.post("identities", {"provider": "valley"}).json()["url"]
    assert refused(carol.post("identities/finish", provider.signs_in(url))), "by whom it was begun"


def test_leaving_takes_identities_along(world: PeopleWorld, provider: IdentityProvider) -> None:
    browser = world.browser()
    first = signs_in(browser, provider).json()["person_id"]
    assert browser.delete("me").is_success
    assert signs_in(world.browser(), provider).json()["person_id"] != first


def test_nothing_of_a_person_is_kept_in_clear(world: PeopleWorld, provider: IdentityProvider) -> None:
    world.member()
    signs_in(world.browser(), provider)
    kept = "".join(
        str(world.cache.get(key)) for key in world.cache.scan_iter() if world.cache.type(key) == b"string"
    )
    assert "ada-7" not in kept
    assert ADA not in kept


def test_nobody_is_signed_in_by_providers_where_none_is_set_up(world: PeopleWorld) -> None:
    browser = world.browser()
    assert browser.get("providers").json() == {"data": []}
    assert browser.post("outside", {"provider": "valley"}).status_code == 503
    world.parts = replace(world.parts, oidc_sign_in=people.OidcSignIn(client=OidcClient(), redirect=REDIRECT))
    world.app = application_with(world.own, world.parts, world.clock)
    assert world.browser().post("outside", {"provider": "valley"}).json()["code"] == "provider_not_found"
