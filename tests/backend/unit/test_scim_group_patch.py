"""Which members of a group a directory's change is about, read from what it sends."""

import json
from typing import Any

import pytest

from amply.modules.scim.group_patch import named_by


def named(*operations: Any, method: str = "PATCH", path: str = "/Groups/scg_1", is_plain: bool = True) -> Any:
    return named_by(method, path, is_plain=is_plain, body=json.dumps({"Operations": operations}).encode())


ADD = {"op": "add", "path": "members", "value": [{"value": "ada"}, {"value": "bob", "display": "Bob"}]}


def test_who_is_added_or_removed_is_named() -> None:
    assert named(ADD) == {"ada", "bob"}
    assert named({"op": "Remove", "path": "Members", "value": {"value": "ada"}}) == {"ada"}
    assert named({"op": "remove", "path": 'members[value eq "a\\"b"]'}, ADD) == {'a"b', "ada", "bob"}


def test_a_change_of_the_groups_name_is_about_nobody() -> None:
    assert named({"op": "replace", "path": "displayName", "value": "Runners"}) == set()


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": [{"value": "ada"}]},
        {"op": "remove", "path": "members", "value": [{"display": "Ada"}]},
        {"op": "remove", "path": 'members[display eq "Ada"]'},
        {"op": "remove", "path": 'members[value eq "ada" or value eq "bob"]'},
        {"op": "remove", "path": 'members[value eq "ada"].display'},
        {"op": "replace", "path": 'members[value eq "ada"].display', "value": "Ada"},
        {"op": "add", "value": {"members": [{"value": "ada"}]}},
        {"op": "add", "path": "members", "Path": "displayName", "value": [{"value": "ada"}]},
        {"op": "add", "path": "members", "value": ["ada"]},
        "remove",
    ],
)
def test_whatever_may_be_about_others_too_names_nobody(operation: Any) -> None:
    assert named(operation) is None
    assert named(ADD, operation) is None


def test_only_a_plain_change_of_one_group_names_anybody() -> None:
    assert named(ADD, method="PUT") is None
    assert named(ADD, path="/Users/scu_1") is None
    assert named(ADD, path="/Groups") is None
    assert named(ADD, is_plain=False) is None
    assert named_by("PATCH", "/Groups/scg_1", is_plain=True, body=b"{") is None
    assert named_by("PATCH", "/Groups/scg_1", is_plain=True, body=b"[]") is None
