"""What the reviewer's program says of protections that weaken: nothing is lost today."""

from dataclasses import replace
from typing import Any

import pytest

from operations.difference.comment import write
from tests.operations import states
from tests.operations.conftest import Reviewer
from tests.operations.states import deployed, properties, recorded

WEAKER: list[tuple[tuple[str, str], str, Any, str]] = [
    (states.DATABASE, "DeletionProtection", False, "one call is enough to delete it"),
    (states.DATABASE, "BackupRetentionPeriod", 7, "backups reach back less far"),
    (states.DATABASE, "DeleteAutomatedBackups", True, "its backups go when it goes"),
    (states.DATABASE, "MultiAZ", False, "no standby"),
    (states.DATABASE, "EngineVersion", "19.1", "there is no way back but a restore"),
    (states.DATABASE, "PubliclyAccessible", True, "it has a public address"),
    (
        states.BUCKET,
        "VersioningConfiguration",
        {"Status": "Suspended"},
        "overwritten and deleted objects are lost",
    ),
    (states.BUCKET, "BucketEncryption", None, "its encryption is no longer stated"),
    (states.KEY, "EnableKeyRotation", False, "it no longer rotates"),
    (states.KEY, "Enabled", False, "nothing decrypts with it"),
    (states.DATABASE_LOG, "RetentionInDays", 30, "older logs are deleted at once"),
]


@pytest.mark.parametrize(("place", "name", "value", "says"), WEAKER)
def test_a_protection_that_weakens_is_data_at_risk(
    reviewed: Reviewer, place: tuple[str, str], name: str, value: object, says: str
) -> None:
    state = recorded()
    properties(state, place)[name] = value
    (found,) = reviewed(state).weakened
    assert says in found.says
    assert "replaced or destroyed, but 1 protection weakens" in write(reviewed(state))
    strengthened = reviewed(recorded(), state)
    assert strengthened.weakened == () or name == "EngineVersion"


def test_a_weaker_deletion_policy_is_data_at_risk(reviewed: Reviewer) -> None:
    state = recorded()
    states.body(state, states.BUCKET)["DeletionPolicy"] = "Delete"
    (found,) = reviewed(state).weakened
    assert (found.protection, found.before, found.after) == ("DeletionPolicy", "Retain", "Delete")


def test_a_stack_that_may_be_deleted_by_one_call_is_data_at_risk(reviewed: Reviewer) -> None:
    after = deployed(recorded())
    manifest = after.manifests["storage"]
    told = {**manifest, "properties": {**manifest["properties"], "terminationProtection": False}}
    found = reviewed(replace(after, manifests={**after.manifests, "storage": told}))
    assert [weakening.name for weakening in found.weakened] == ["stack storage"]


_THERE = {
    "Region": "eu-central-1",
    "DeletionProtectionEnabled": True,
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
}


@pytest.mark.parametrize(
    "replicas",
    [
        [],
        [{**_THERE, "Region": "eu-north-1"}],
        [{**_THERE, "DeletionProtectionEnabled": False}],
        [{**_THERE, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}],
    ],
)
def test_a_table_that_a_region_has_no_more_or_less_safely_is_data_at_risk(
    reviewed: Reviewer, replicas: list[dict[str, Any]]
) -> None:
    before, after = _with_table([_THERE]), _with_table(replicas)
    (found,) = reviewed(after, before).weakened
    assert "a region has it no more" in found.says
    assert reviewed(_with_table([_THERE, {**_THERE, "Region": "eu-west-1"}]), before).weakened == ()


def _with_table(replicas: list[dict[str, Any]]) -> states.State:
    state = recorded()
    state["storage"]["Resources"]["Table"] = {
        "Type": "AWS::DynamoDB::GlobalTable",
        "Properties": {"Replicas": replicas},
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }
    return state
