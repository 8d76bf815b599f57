"""What changes of a group with thousands of members: the few that a change names, and nobody else."""

import json
from typing import Any, Final

import pytest
from sqlalchemy import text

from amply.modules.scim import endpoint, storage
from tests.backend.contract.full_directory import STATEMENTS_MAX, crowd, fill, found
from tests.backend.contract.scim_directory import Directory
from tests.backend.federation_world import FederationWorld
from tests.backend.statements import heard

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def members(directory: Directory, group: str) -> set[str]:
    return {each["value"] for each in directory.ask("GET", f"/Groups/{group}").json().get("members", ())}


def test_a_change_of_few_of_thousands_of_members_touches_no_other(
    directory: Directory, river: FederationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = directory.user("ada")
    users = fill(river, 3_000)
    group = directory.group("Runners", ada)
    crowd(river, group, users)
    lists: list[int] = []

    def note(_statement: str, given: Any) -> None:
        said = given.values() if isinstance(given, dict) else ()
        lists.append(max([len(each) for each in said if isinstance(each, list)], default=0))

    understood: list[int] = []
    read = storage.PostgresScimStorage._understood

    def counted(self: Any, row: Any, said: dict[str, Any]) -> Any:
        understood.append(len(said.get("members", ())))
        return read(self, row, said)

    monkeypatch.setattr(storage.PostgresScimStorage, "_understood", counted)
    for changes in (
        {"op": "remove", "path": f'members[value eq "{users[7]}"]'},
        {"op": "add", "path": "members", "value": [{"value": users[7]}]},
        {"op": "remove", "path": f'members[value eq "{ada}"]'},
        {"op": "replace", "path": "displayName", "value": "Walkers"},
    ):
        lists.clear()
        with heard(river.people.own, note):
            assert directory.patch(f"/Groups/{group}", changes).status_code == 204
        assert len(lists) <= STATEMENTS_MAX, changes
        assert max(lists) <= 3, (changes, "digests of nobody else are written")
        assert max(understood) <= 1, changes
    assert members(directory, group) == set(users)
    assert found(directory, f'/Groups?filter=members eq "{users[7]}"') == [group]
    assert found(directory, f'/Groups?filter=members eq "{ada}"') == []
    assert found(directory, '/Groups?filter=displayName eq "walkers"') == [group]


OF_MEMBERS: Final = (
    [{"op": "add", "path": "members", "value": [{"value": "dan", "display": "Dan"}]}],
    [{"op": "Add", "path": "Members", "value": [{"value": "ada"}, {"value": "eve"}]}],
    [{"op": "add", "path": "members", "value": [{"value": "ada", "display": "Somebody else"}]}],
    [{"op": "remove", "path": 'members[value eq "bob"]'}],
    [{"op": "remove", "path": 'members[value eq "bob"]'}],
    [{"op": "Remove", "path": "members", "value": [{"value": "dan"}]}],
    [
        {"op": "replace", "path": "displayName", "value": "Walkers"},
        {"op": "add", "path": "members", "value": {"value": "fay"}},
    ],
    [{"op": "add", "path": "members", "value": [{"value": "gil", "kind": "unknown"}]}],
    [{"op": "replace", "path": "externalId", "value": "G-1"}],
    [{"op": "remove", "path": "displayName"}],
    [{"op": "add", "path": "members", "value": []}],
    [{"op": "remove", "path": "members", "value": []}],
    [
        {"op": "remove", "path": 'members[value eq "carol"]'},
        {"op": "add", "path": "members", "value": [{"value": "carol"}]},
    ],
    [{"op": "replace", "path": "members", "value": [{"value": "ada"}]}],
    [{"op": "remove", "path": "members"}],
    [{"op": "add", "path": "members", "value": [{"value": "ada"}]}],
    [{"op": "remove", "path": 'members[value eq "ada"]'}],
)


def test_a_change_does_the_same_whether_the_library_is_given_few_members_or_all(
    directory: Directory, river: FederationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, whole = (directory.group("Runners", "ada", "bob", "carol") for _ in range(2))

    def stands(group: str) -> tuple[Any, ...]:
        said = directory.ask("GET", f"/Groups/{group}").json()
        own = {"of": group}
        with river.master.transaction() as session:
            digested = session.scalars(
                text("SELECT digest FROM scim_value WHERE resource_id = :of ORDER BY digest"), own
            ).all()
        given = sorted(json.dumps(each, sort_keys=True) for each in said.get("members", ()))
        return given, said.get("displayName"), said.get("externalId"), [bytes(each) for each in digested]

    for operations in OF_MEMBERS:
        by_few = directory.patch(f"/Groups/{few}", *operations)
        with monkeypatch.context() as changed:
            changed.setattr(endpoint, "named_by", lambda *_, **__: None)
            by_whole = directory.patch(f"/Groups/{whole}", *operations)
        assert (by_few.status_code, by_few.content) == (by_whole.status_code, by_whole.content), operations
        assert stands(few) == stands(whole), operations
    assert stands(few)[0] == []
