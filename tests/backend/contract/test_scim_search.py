"""Directories are searched by the database: it finds what the library would, and little is read of twenty thousand."""

import json
from typing import Any, Final

import pytest
from scim2_models import EnterpriseUser, Group, ScimFilter, User
from sqlalchemy import text

from amply.kernel import ids
from amply.modules.scim import domain, group_digests, storage
from tests.backend.contract.full_directory import STATEMENTS_MAX, fill, found, run
from tests.backend.contract.scim_directory import USER, Directory
from tests.backend.federation_world import DOMAIN, FederationWorld
from tests.backend.people_world import ANOTHER
from tests.backend.statements import heard

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


FILTERS: Final = (
    *(
        'userName eq "ADA@river.example"',
        'userName eq "nobody"',
        'externalId eq "E-1"',
        'externalId eq "e-1"',
    ),
    *(
        'emails eq "Ada@Elsewhere.example"',
        'emails.value eq "x@y.example"',
        "active eq true",
        "active eq false",
    ),
    'emails[type eq "home" and value eq "ada@elsewhere.example"]',
    'emails[value eq "ada@elsewhere.example"]',
    'emails[type eq "work" and value eq "ada@elsewhere.example"]',
    'active eq true and userName sw "b"',
    *('active eq true and externalId eq "E-1"', 'userName eq "ada@river.example" or externalId eq "E-2"'),
    *('not (userName eq "ada@river.example")', 'userName sw "a"', "externalId pr", 'displayName eq "Ada"'),
    *('active eq true and userName sw "a"', 'active eq false or userName co "o"', 'userName ne "a"'),
)
OF_GROUPS: Final = (
    *('displayName eq "runners"', 'displayName eq "Walkers"', 'externalId eq "G-1"'),
    *('members eq "{ada}"', 'members.value eq "{ada}"', 'members[value eq "{ada}"]', 'members eq "nobody"'),
    'displayName eq "Runners" and members eq "{ada}"',
)


def test_what_the_database_finds_is_what_the_library_would(directory: Directory) -> None:
    emails = [
        {"value": "Ada@elsewhere.example", "type": "home"},
        {"value": "ada@river.example", "type": "work"},
    ]
    ada = directory.user("Ada", externalId="E-1", emails=emails, displayName="Ada")
    directory.user("bob", externalId="E-2", active=False)
    made = directory.ask("POST", "/Users", {"schemas": [USER], "userName": "carol of no address"})
    assert made.status_code == 201, made.text
    directory.group("Runners", ada)
    directory.group("Walkers")
    for kind, model, filters in (
        ("Users", User[EnterpriseUser], FILTERS),
        ("Groups", Group, [each.replace("{ada}", ada) for each in OF_GROUPS]),
    ):
        everything = directory.ask("GET", f"/{kind}").json()["Resources"]
        for asked in filters:
            bound = ScimFilter[model](asked)  # type: ignore[valid-type] # the library binds filters to models so
            expected = [each["id"] for each in everything if bound.match(model.model_validate(each))]
            assert found(directory, f"/{kind}?filter={asked}") == expected, asked


def test_what_the_database_cannot_tell_is_looked_at_up_to_a_bound(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SEARCHED_MAX", 2)
    monkeypatch.setattr(storage, "RESOURCES_MAX", 4)
    for name in ("ada", "bob", "carol"):
        directory.user(name)
    for asked in ('filter=userName sw "a"', "sortBy=userName"):
        refused = directory.ask("GET", f"/Users?{asked}")
        assert (refused.status_code, refused.json()["scimType"]) == (400, "tooMany"), asked
    assert len(found(directory, f'/Users?filter=userName sw "a" and userName eq "ada@{DOMAIN}"')) == 1
    assert len(found(directory, f'/Users?sortBy=userName&filter=userName eq "bob@{DOMAIN}"')) == 1
    page = directory.ask("GET", "/Users?startIndex=3&count=2").json()
    assert (page["totalResults"], len(page["Resources"])) == (3, 1)
    directory.group("Runners")
    refused = directory.ask("POST", "/Users", {"schemas": [USER], "userName": "dan"})
    assert (refused.status_code, refused.json()["detail"][:12]) == (409, "Delete users")


def test_a_page_of_large_groups_is_a_shorter_one(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [directory.group(name) for name in ("Runners", "Walkers", "Treasurers")]
    monkeypatch.setattr(storage, "_BYTES_MAX", 500)
    first = directory.ask("GET", "/Groups").json()
    assert first["totalResults"] == 3
    shown = [each["id"] for each in first["Resources"]]
    assert 0 < len(shown) < 3
    assert shown == sorted(groups)[: len(shown)]
    rest = directory.ask("GET", f"/Groups?startIndex={len(shown) + 1}").json()
    assert rest["Resources"][0]["id"] == sorted(groups)[len(shown)]


def test_a_name_is_free_once_it_is_given_up(directory: Directory) -> None:
    user_id = directory.user("ada")
    assert (
        directory.ask("POST", "/Users", {"schemas": [USER], "userName": f"ADA@{DOMAIN}"}).status_code == 409
    )
    bob = directory.user("bob")
    taken = {"op": "replace", "path": "userName", "value": f"ada@{DOMAIN}"}
    assert directory.patch(f"/Users/{bob}", taken).status_code == 409
    renamed = {"op": "replace", "path": "userName", "value": f"ada.byron@{DOMAIN}"}
    assert directory.patch(f"/Users/{user_id}", renamed).is_success
    assert found(directory, f'/Users?filter=userName eq "ada@{DOMAIN}"') == []
    assert directory.patch(f"/Users/{bob}", taken).is_success
    assert directory.ask("DELETE", f"/Users/{bob}").status_code == 204
    assert found(directory, f'/Users?filter=userName eq "ada@{DOMAIN}"') == []


def test_what_an_earlier_release_wrote_counts_at_once_and_is_found_from_the_first_request_on(
    directory: Directory, river: FederationWorld
) -> None:
    ada = directory.user("ada")
    directory.group("Runners", ada)
    directory.user("eve", active=False)
    run(river, "DELETE FROM scim_value")
    run(river, "UPDATE scim_resource SET active = NULL, is_indexed = false")
    _, answer = river.comes("ada")
    assert river.role_of(answer.json()["person_id"]) == "admin"
    _, answer = river.comes("eve")
    assert answer.json()["code"] == "no_role_here"
    assert found(directory, f'/Users?filter=userName eq "ada@{DOMAIN}"') == [ada]
    assert len(found(directory, "/Users?filter=active eq false")) == 1


def writes_as_before(directory: Directory, resource_id: str, **changes: Any) -> None:
    """As the release before digests changes a resource: without them."""
    people, bound = directory.river.people, directory.river.organization_id
    key = people.parts.key
    with people.own.transaction(organization_id=bound, key_id=directory.token["id"]) as session:
        asked = {"id": resource_id}
        sealed = session.scalar(text("SELECT sealed FROM scim_resource WHERE id = :id"), asked)
        said = {**json.loads(key.unseal(bytes(sealed), of=resource_id)), **changes}
        session.execute(
            text("UPDATE scim_resource SET sealed = :sealed, address_index = address_index WHERE id = :id"),
            {**asked, "sealed": key.seal(json.dumps(said), of=resource_id)},
        )


def test_a_role_that_an_earlier_release_took_away_does_not_come_back(
    directory: Directory, river: FederationWorld
) -> None:
    ada = directory.user("ada")
    group = directory.group("Runners", ada)
    _, answer = river.comes("ada")
    person_id = answer.json()["person_id"]
    assert river.role_of(person_id) == "admin"
    writes_as_before(directory, group, members=[])
    river.comes("ada")
    assert river.role_of(person_id) == "viewer", "by who comes in"
    directory.user("bob")
    assert river.role_of(person_id) == "viewer", "by the directory's next change"
    run(river, "UPDATE scim_resource SET sealed = sealed")
    with river.master.transaction() as session:
        assert session.scalar(text("SELECT bool_and(is_indexed) FROM scim_resource"))


def test_whom_an_earlier_release_let_go_is_not_let_in_again(
    directory: Directory, river: FederationWorld
) -> None:
    ada = directory.user("ada")
    directory.user("bob")
    writes_as_before(directory, ada, active=False)
    _, answer = river.comes("ada")
    assert answer.json()["code"] == "no_role_here"
    assert found(directory, "/Users?filter=active eq false") == [ada]


def test_an_organisation_finds_nothing_by_anothers_digests(
    directory: Directory, river: FederationWorld
) -> None:
    key, other = river.people.parts.key, ids.new_id("org")
    mine = group_digests.has("scu_1", key=key, organization_id=river.organization_id)
    assert mine != group_digests.has("scu_1", key=key, organization_id=other)
    assert directory.ask("GET", "/Groups").json()["totalResults"] == 0


def test_twenty_thousand_cost_few_statements_each_request(
    directory: Directory, river: FederationWorld
) -> None:
    ada = directory.user("ada")
    carol = river.people.member(f"carol@{DOMAIN}", ANOTHER)
    river.put(carol, "admin")
    users = fill(river, domain.RESOURCES_MAX - 3)
    sent: list[str] = []
    group = directory.group("Runners", ada, *users[:500])
    add = {"op": "add", "path": "members", "value": [{"value": each} for each in users[500:1_000]]}
    requests: tuple[tuple[str, str, Any], ...] = (
        ("GET", f'/Users?filter=userName eq "user-9999@{DOMAIN}"', None),
        ("GET", f"/Users/{users[9_999]}", None),
        ("GET", "/Users?startIndex=15001&count=100", None),
        ("GET", f'/Groups?filter=members eq "{users[3]}"', None),
        ("POST", "/Users", {"schemas": [USER], "userName": f"carol@{DOMAIN}"}),
        ("PATCH", f"/Groups/{group}", add),
        ("PATCH", f"/Users/{ada}", {"op": "replace", "path": "displayName", "value": "Ada"}),
    )
    for method, path, body in requests:
        sent.clear()
        with heard(river.people.own, lambda statement, _: sent.append(statement)):
            answer = directory.patch(path, body) if method == "PATCH" else directory.ask(method, path, body)
        assert answer.is_success, answer.text
        assert len(sent) <= STATEMENTS_MAX, (method, path, sent)
        if "filter" in path:
            assert answer.json()["totalResults"] == 1, path
        if "startIndex" in path:
            assert [each["id"] for each in answer.json()["Resources"]] == sorted([ada, *users])[15_000:15_100]
    refused = directory.ask("POST", "/Users", {"schemas": [USER], "userName": "one too many"})
    assert refused.status_code == 409
    _, answer = river.comes("ada")
    assert river.role_of(answer.json()["person_id"]) == "admin"
    assert directory.ask("DELETE", f"/Users/{ada}").status_code == 204
    assert river.role_of(answer.json()["person_id"]) is None
