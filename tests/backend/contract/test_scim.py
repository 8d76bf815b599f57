"""SCIM over HTTP: the protocol by its public tester, and what a directory's word does to people here."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from sqlalchemy import text

from amply.entrypoints.personal_data import sealed_rows
from amply.infra.database import Database
from amply.infra.vault import PEOPLE, Keyring
from amply.infra.vault.keyring import COMING
from amply.infra.vault.reencryption import Version, reencrypt, versions
from amply.kernel.clock import system_clock
from tests.backend.contract.scim_directory import USER, Directory
from tests.backend.federation_world import DOMAIN, OWNER, FederationWorld
from tests.backend.people_world import ANOTHER, KEY, PASSWORD, Browser
from tests.backend.world import FakeProcessor, ready_organization

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.mark.nightly
def test_the_public_tester_finds_nothing_wrong(directory: Directory) -> None:
    client = directory.client
    client.base_url = client.base_url.join("/scim/v2")
    client.headers |= directory.headers
    results = check_server(SyncSCIMClient(client))
    wrong = [
        f"{each.title} {each.resource_type}: {each.reason}"
        for each in results
        if each.status not in (Status.SUCCESS, Status.SKIPPED)
    ]
    assert wrong == []
    assert sum(each.status is Status.SUCCESS for each in results) > 100


def test_a_token_is_shown_once_and_two_work_while_one_is_rotated(
    directory: Directory, river: FederationWorld
) -> None:
    second = Directory(river)
    third = river.ask(river.owner, "POST", "/directory-tokens")
    assert (third.status_code, third.json()["code"]) == (409, "too_many_directory_tokens")
    assert directory.ask("GET", "/Users").is_success
    assert second.ask("GET", "/Users").is_success
    listed = river.ask(river.owner, "GET", "/directory-tokens")
    assert second.token["secret"] not in listed.text
    assert river.ask(river.owner, "DELETE", f"/directory-tokens/{directory.token['id']}").is_success
    refused = directory.ask("GET", "/Users")
    assert refused.status_code == 401
    assert refused.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert refused.headers["content-type"].startswith("application/scim+json")
    assert second.ask("GET", "/Users").is_success
    for wrong in ("", "scim_" + "x" * 36, second.token["secret"][:-1] + "!"):
        second.headers["Authorization"] = f"Bearer {wrong}"
        assert second.ask("GET", "/Users").status_code == 401, wrong


def test_whoever_a_directory_lists_comes_in_as_its_groups_say(
    directory: Directory, river: FederationWorld
) -> None:
    ada = directory.user("ada")
    directory.group("Treasurers", ada)
    _, answer = river.comes("ada", "Runners")
    assert river.role_of(answer.json()["person_id"]) == "finance", "not what the token says of groups"
    _, answer = river.comes("bob", "Runners")
    assert (answer.status_code, answer.json()["code"]) == (403, "no_role_here"), "not listed"


def test_a_group_that_is_left_is_a_role_that_is_gone_at_once(
    directory: Directory, river: FederationWorld
) -> None:
    user_id = directory.user("ada")
    group_id = directory.group("Runners", user_id)
    ada, answer = river.comes("ada")
    person_id = answer.json()["person_id"]
    assert river.ask(ada, "GET", "/keys").is_success
    left = directory.patch(f"/Groups/{group_id}", {"op": "remove", "path": f'members[value eq "{user_id}"]'})
    assert left.is_success, left.text
    assert river.ask(ada, "GET", "/keys").status_code == 403
    assert river.role_of(person_id) == "viewer"
    back = {"op": "add", "path": "members", "value": [{"value": user_id}]}
    assert directory.patch(f"/Groups/{group_id}", back).is_success
    assert river.ask(ada, "GET", "/keys").is_success


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
def test_whoever_is_let_go_is_out_with_every_session(
    directory: Directory, river: FederationWorld, how: str
) -> None:
    user_id = directory.user("ada")
    ada, answer = river.comes("ada")
    assert river.ask(ada, "GET").is_success
    if how == "deleted":
        assert directory.ask("DELETE", f"/Users/{user_id}").status_code == 204
    else:
        change = {"op": "replace", "path": "active", "value": False}
        assert directory.patch(f"/Users/{user_id}", change).is_success
        assert directory.ask("GET", f"/Users/{user_id}").json()["active"] is False
    assert river.role_of(answer.json()["person_id"]) is None
    assert not ada.is_signed_in
    _, again = river.comes("ada")
    assert again.json()["code"] == "no_role_here"
    assert {"member.removed", "directory.changed"} <= set(river.recorded())


def test_a_member_who_was_there_before_is_the_directorys_from_then_on(
    directory: Directory, river: FederationWorld
) -> None:
    carol = river.people.member(f"carol@{DOMAIN}", ANOTHER)
    person_id = river.put(carol, "admin")
    user_id = directory.user("carol")
    assert river.role_of(person_id) == "viewer", "in no group: the default"
    assert directory.patch(
        f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False}
    ).is_success
    assert river.role_of(person_id) is None
    assert not carol.is_signed_in
    elsewhere = river.people.member("dan@elsewhere.example", ANOTHER)
    dan = river.put(elsewhere, "finance")
    directory.ask("POST", "/Users", {"schemas": [USER], "userName": "dan@elsewhere.example", "active": False})
    assert river.role_of(dan) == "finance", "its domain is not the organisation's"


def test_the_last_owner_stays_and_the_directory_is_told_why(
    directory: Directory, river: FederationWorld
) -> None:
    user_id = directory.user("owner")
    refused = directory.patch(f"/Users/{user_id}", {"op": "replace", "path": "active", "value": False})
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("An organisation keeps an owner")
    assert directory.ask("GET", f"/Users/{user_id}").json()["active"] is True, "nothing of it is kept"
    assert directory.ask("DELETE", f"/Users/{user_id}").status_code == 409
    assert river.people.browser().signs_in(OWNER, PASSWORD).is_success


def test_what_cannot_be_read_is_said_in_scims_own_form(directory: Directory) -> None:
    for body in (b"{", b'{"userName": "a", "userName": "b"}', b"[]", b'{"schemas": []}'):
        refused = directory.client.post(
            "/scim/v2/Users",
            content=body,
            headers={**directory.headers, "Content-Type": "application/scim+json"},
        )
        assert 400 <= refused.status_code < 500, body
        assert refused.headers["content-type"].startswith("application/scim+json"), body
        assert refused.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"], body
    assert directory.ask("GET", "/Nothing").status_code == 404


def test_two_who_change_the_same_are_told_apart(directory: Directory) -> None:
    user_id = directory.user("ada")
    seen = directory.ask("GET", f"/Users/{user_id}")
    etag = seen.headers["etag"]
    change = {"op": "replace", "path": "displayName", "value": "Ada"}
    assert directory.patch(f"/Users/{user_id}", change, If_Match=etag).is_success
    stale = directory.patch(f"/Users/{user_id}", change, If_Match=etag)
    assert stale.status_code == 412
    again = directory.ask("POST", "/Users", {"schemas": [USER], "userName": f"ada@{DOMAIN}"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


def test_lists_are_filtered_and_paged(directory: Directory) -> None:
    for name in ("ada", "bob", "carol"):
        directory.user(name)
    found = directory.ask("GET", f'/Users?filter=userName eq "bob@{DOMAIN}"').json()
    assert [each["userName"] for each in found["Resources"]] == [f"bob@{DOMAIN}"]
    page = directory.ask("GET", "/Users?startIndex=2&count=1&sortBy=userName").json()
    assert (page["totalResults"], page["itemsPerPage"]) == (3, 1)
    assert page["Resources"][0]["userName"] == f"bob@{DOMAIN}"


def test_one_organisation_sees_nothing_of_another(
    directory: Directory, river: FederationWorld, database: Database
) -> None:
    user_id = directory.user("ada")
    river.organization_id = ready_organization(database, FakeProcessor(), slug="hill-trust")
    other = river.people.member("owner@hill.example", ANOTHER)
    river.put(other, "owner")
    river.owner = other
    theirs = Directory(river)
    assert theirs.ask("GET", "/Users").json()["totalResults"] == 0
    assert theirs.ask("GET", f"/Users/{user_id}").status_code == 404
    assert theirs.ask("DELETE", f"/Users/{user_id}").status_code == 404
    assert directory.ask("GET", f"/Users/{user_id}").is_success


def test_what_a_directory_says_is_sealed_and_a_password_is_kept_nowhere(
    directory: Directory, river: FederationWorld
) -> None:
    directory.user("ada", password="of no business here", name={"familyName": "Lovelace"})
    with river.master.transaction() as session:
        rows = str(session.execute(text("SELECT encode(sealed, 'escape') FROM scim_resource")).all())
    assert "Lovelace" not in rows
    assert river.people.browser().signs_in(f"ada@{DOMAIN}", "of no business here").status_code == 401


def test_a_rotation_keeps_every_secret_and_token_and_whoever_is_listed(
    directory: Directory, river: FederationWorld
) -> None:
    """Sealed anew, the old key destroyed: the provider is asked, the directory read, and the group is the role."""
    user_id = directory.user("ada", name={"familyName": "Lovelace"})
    directory.group("Runners", user_id)
    ada, _ = river.comes("ada")
    secret = river.owner.post("factors/totp").json()["secret"]
    rotation = Rotation(river)
    sealed = rotation.versions()[0].values
    assert sealed == SEALED_HERE

    rotation.rotate()
    assert [each.values for each in rotation.versions()] == [sealed, 0]
    assert directory.ask("GET", f"/Users/{user_id}").is_success, "the old version is read while it is there"
    while rotation.reencrypt():
        pass
    assert [(each.state, each.values) for each in rotation.versions()] == [
        ("destroyed", 0),
        ("sealing", sealed),
    ]
    rotation.look_again()
    assert _goes_on(directory, river, ada, user_id)
    again, _ = river.comes("ada")
    assert river.ask(again, "GET", "/keys").is_success
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 -- as RFC 6238 has it
    code = totp.generate(int(river.people.clock().timestamp())).decode()
    assert river.owner.post("factors/totp/confirm", {"code": code}).is_success


SEALED_HERE = 2 + 1 + 1 + 1 + 2
"""Two persons' addresses, an app's secret, the client's secret, a refresh token, a user and a group."""


class Rotation:
    """The worker's, of the key of people; the API learns of it as its keyring does."""

    def __init__(self, river: FederationWorld) -> None:
        self.river, self.worker = river, river.people.worker
        assert self.worker.keyring is not None
        self.keyring: Keyring = self.worker.keyring
        self.kinds = sealed_rows(replace(KEY, keyring=self.keyring))
        river.people.works()

    def rotate(self) -> None:
        self.keyring.rotate(PEOPLE, now=system_clock() - COMING)
        self.look_again()

    def look_again(self) -> None:
        for each in (self.river.people.own.keyring, self.keyring):
            assert each is not None
            each.hold(PEOPLE)

    def reencrypt(self) -> int:
        return reencrypt(self.worker, self.kinds, now=system_clock() + timedelta(hours=3))

    def versions(self) -> list[Version]:
        with self.worker.transaction() as session:
            found = versions(session, self.kinds, now=system_clock())
        return [each for each in found if each.scope == PEOPLE]


def _goes_on(directory: Directory, river: FederationWorld, browser: Browser, user_id: str) -> bool:
    """By the provider's word, asked for anew with the client's secret and the refresh token, as what the directory says."""
    river.people.clock.advance(seconds=5 * 60)
    asked = len(river.provider.asked)
    keys = river.ask(browser, "GET", "/keys")
    listed = directory.ask("GET", f"/Users/{user_id}").json()
    has_asked = len(river.provider.asked) > asked
    return bool(keys.is_success) and has_asked and listed["name"]["familyName"] == "Lovelace"
