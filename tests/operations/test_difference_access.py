"""What the reviewer's program says of access and of watching: who may do what, and which alarm no longer speaks."""

import pytest

from operations.difference.comment import write
from tests.operations import states
from tests.operations.conftest import Reviewer
from tests.operations.states import properties, recorded


def test_a_new_permission_is_said_in_words_and_in_the_table(reviewed: Reviewer) -> None:
    text = write(reviewed(states.granted(recorded(), "s3:PutObject", states.DOCUMENTS)))
    assert "- `workers/WorkerRole` may now `s3:PutObject` on `storage/Documents`." in text
    assert "| + | `Allow` | `workers/WorkerRole` | `s3:PutObject` | `storage/Documents` |  |" in text
    assert "nothing that holds data is replaced or destroyed" in text


def test_a_permission_that_opens_more_than_it_names_comes_first_and_says_so(reviewed: Reviewer) -> None:
    state = states.granted(states.granted(recorded(), "s3:GetObject", "arn:aws:s3:::a"), "s3:*", "*")
    lines = write(reviewed(state)).splitlines()
    first = lines[lines.index("### Who may do what") + 2]
    assert first == "- **Wide (every action, every resource)**: `workers/WorkerRole` may now `s3:*` on `*`."


def test_a_refusal_that_goes_is_a_change_of_access(reviewed: Reviewer) -> None:
    state = recorded()
    policy = properties(state, ("storage", "DocumentsPolicy2E972B69"))["PolicyDocument"]
    del policy["Statement"][0]
    text = write(reviewed(state))
    assert (
        "anyone is no longer refused `s3:*` on `storage/Documents`, `storage/Documents/*`, under a condition."
        in text
    )


def test_a_door_opened_to_everyone_says_so(reviewed: Reviewer) -> None:
    state = recorded()
    door = properties(state, states.DOOR)
    del door["SourceSecurityGroupId"]
    door["CidrIp"] = "0.0.0.0/0"
    text = write(reviewed(state))
    assert "- **Wide**: `network/Database` lets in `TCP 5432` from `Everyone (IPv4)`." in text
    assert "- `network/Database` no longer lets in `TCP 5432` from `network/Api`." in text


def test_who_bounds_a_role_is_shown(reviewed: Reviewer) -> None:
    state, before = recorded(), recorded()
    properties(before, states.ROLE)["PermissionsBoundary"] = "arn:aws:iam::111111111111:policy/bound"
    text = write(reviewed(state, before))
    assert "`PermissionsBoundary` `arn:aws:iam::111111111111:policy/bound` → `nothing`" in text


def test_an_alarm_that_goes_is_said(reviewed: Reviewer) -> None:
    found = reviewed(states.without(recorded(), states.ALARM))
    assert "- `observability/Alarms/ledger-late` (alarm) is removed." in write(found)
    assert found.blocking == ()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ActionsEnabled", False, "its actions are switched off"),
        ("AlarmActions", [], "it has no action"),
        ("Threshold", 600, "judges differently: `Threshold` `60` → `600`"),
    ],
)
def test_an_alarm_that_goes_silent_is_said(reviewed: Reviewer, name: str, value: object, says: str) -> None:
    state = recorded()
    properties(state, states.ALARM)[name] = value
    assert says in write(reviewed(state))
