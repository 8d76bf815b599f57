"""What the reviewer's program says of what is replaced, lost or merely noise, over a recorded production and edits of it."""

from collections.abc import Mapping

import pytest

from operations.difference.changes import Kind
from operations.difference.comment import write
from operations.difference.review import Review
from tests.operations import states
from tests.operations.conftest import Reviewer
from tests.operations.states import State, deployed, properties, recorded


def kinds(found: Review) -> Mapping[str, Kind]:
    return {change.name: change.kind for change in found.changes}


def test_the_same_twice_is_no_difference(reviewed: Reviewer) -> None:
    found = reviewed(recorded())
    assert found.changes == ()
    assert "production: no difference" in write(found)


def test_a_bucket_that_is_renamed_is_lost_and_its_new_name_is_empty(reviewed: Reviewer) -> None:
    found = reviewed(
        states.renamed(recorded(), states.BUCKET, "Files1F2A3B4C", "production/storage/Files/Resource")
    )
    assert kinds(found)["storage/Documents"] is Kind.ORPHANED
    assert kinds(found)["storage/Files"] is Kind.ADDED
    assert [change.logical_id for change in found.blocking] == ["Documents7E5B2978"]
    assert "`storage/Files` is new and of the same type: a rename or a move makes an empty one." in write(
        found
    )


def test_a_property_that_replaces_the_database_stops_the_change(reviewed: Reviewer) -> None:
    state = recorded()
    properties(state, states.DATABASE)["StorageEncrypted"] = False
    found = reviewed(state)
    assert kinds(found) == {"database/Instance": Kind.REPLACED}
    assert [change.logical_id for change in found.blocking] == ["InstanceC1063A87"]
    assert (
        "| **replaced** | `database/Instance` (database, `InstanceC1063A87`) | `StorageEncrypted`:"
        in write(found)
    )


def test_replacing_what_the_database_stands_on_replaces_the_database(reviewed: Reviewer) -> None:
    state = recorded()
    properties(state, states.SUBNETS)["DBSubnetGroupName"] = "another"
    found = reviewed(state)
    assert kinds(found)["database/Instance"] is Kind.REPLACED
    assert (
        "`DBSubnetGroupName` points at `database/Instance/SubnetGroup/Default`, which is replaced"
        in write(found)
    )


def test_a_replacement_is_followed_into_a_longer_text(reviewed: Reviewer) -> None:
    """The library looks at a reference that stands alone, and not at one within Fn::Join."""
    before, after = recorded(), recorded()
    for state, name in ((before, "one"), (after, "two")):
        properties(state, states.SUBNETS)["DBSubnetGroupName"] = name
        joined = {"Fn::Join": ["", [{"Ref": "InstanceSubnetGroupF2CBA54F"}, ""]]}
        properties(state, states.DATABASE)["DBSubnetGroupName"] = joined
    assert kinds(reviewed(after, before))["database/Instance"] is Kind.REPLACED


def _subnets_in_their_own_stack(name: str) -> State:
    """The database's subnet group in the network's stack, read from there as stacks read each other."""
    state = recorded()
    group = states.body(state, states.SUBNETS)
    group["Properties"]["DBSubnetGroupName"] = name
    states.without(state, states.SUBNETS)
    state["network"]["Resources"]["Subnets"] = {
        **group,
        "Metadata": {"aws:cdk:path": "production/network/Subnets"},
    }
    state["network"]["Outputs"]["Subnets"] = {"Value": {"Ref": "Subnets"}}
    properties(state, states.DATABASE)["DBSubnetGroupName"] = {
        "Fn::GetStackOutput": {"StackName": "production-network", "OutputName": "Subnets"}
    }
    return state


def test_a_replacement_in_one_stack_is_followed_into_the_next(reviewed: Reviewer) -> None:
    """The database's own template does not change by a letter."""
    before, after = _subnets_in_their_own_stack("one"), _subnets_in_their_own_stack("two")
    assert before["database"] == after["database"]
    found = reviewed(after, before)
    assert kinds(found) == {"network/Subnets": Kind.REPLACED, "database/Instance": Kind.REPLACED}
    assert "`DBSubnetGroupName` points at `network/Subnets`, which is replaced" in write(found)


@pytest.mark.parametrize(
    ("name", "value"), [("BackupRetentionPeriod", 36), ("StorageType", "io2"), ("MultiAZ", False)]
)
def test_what_only_interrupts_the_database_does_not_stop_the_change(
    reviewed: Reviewer, name: str, value: object
) -> None:
    state = recorded()
    properties(state, states.DATABASE)[name] = value
    found = reviewed(state)
    assert kinds(found) == {"database/Instance": Kind.UPDATED}
    assert found.blocking == ()


def test_what_may_replace_the_database_stops_the_change(reviewed: Reviewer) -> None:
    state = recorded()
    properties(state, states.DATABASE)["AvailabilityZone"] = "eu-west-1a"
    found = reviewed(state)
    assert kinds(found) == {"database/Instance": Kind.MAY_BE_REPLACED}
    assert len(found.blocking) == 1


def test_a_new_image_is_one_line_and_nothing_else(reviewed: Reviewer) -> None:
    state = recorded()
    states.container(state)["Image"] = states.NEW_IMAGE
    found = reviewed(state)
    assert found.changes == ()
    text = write(found)
    assert "- image: `sha256:1a1a1a1a1a1a` → `sha256:2b2b2b2b2b2b` (1 task)" in text
    assert "nothing that holds data is replaced or destroyed" in text


def test_an_image_from_elsewhere_is_more_than_a_new_image(reviewed: Reviewer) -> None:
    state = recorded()
    states.container(state)["Image"] = states.NEW_IMAGE.replace("111111111111", "999999999999")
    assert kinds(reviewed(state)) == {"workers/Worker/Definition": Kind.RENEWED}


def _with_function(key: str, version: str) -> State:
    state = recorded()
    state["workers"]["Resources"] |= {
        "Forwarder": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Code": {"S3Bucket": "assets", "S3Key": f"{key}.zip"}},
            "Metadata": {"aws:cdk:path": "production/workers/Forwarder/Resource"},
        },
        f"ForwarderVersion{version}": {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Forwarder"}},
            "Metadata": {"aws:cdk:path": "production/workers/Forwarder/CurrentVersion/Resource"},
        },
    }
    return state


def test_new_code_is_one_line_and_its_version_no_loss(reviewed: Reviewer) -> None:
    found = reviewed(_with_function("b" * 64, "BBBB"), _with_function("a" * 64, "AAAA"))
    assert kinds(found) == {"workers/Forwarder/CurrentVersion": Kind.RENEWED}
    assert "- code or content: `workers/Forwarder`" in write(found)


@pytest.mark.parametrize(
    ("value", "found_kinds"),
    [(f"sha256:{'b' * 64}", {}), ("another", {"workers/ImageParameter": Kind.UPDATED})],
)
def test_a_parameter_that_only_echoes_a_digest_is_noise(
    reviewed: Reviewer, value: str, found_kinds: Mapping[str, Kind]
) -> None:
    before, after = recorded(), recorded()
    for state, text in ((before, f"sha256:{'a' * 64}"), (after, value)):
        parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": text}}
        state["workers"]["Resources"]["ImageParameter"] = parameter
    assert kinds(reviewed(after, before)) == found_kinds


def test_a_digest_in_the_name_of_what_holds_data_is_not_taken_for_noise(reviewed: Reviewer) -> None:
    before, after = recorded(), recorded()
    properties(before, states.BUCKET)["BucketName"] = "a" * 64
    properties(after, states.BUCKET)["BucketName"] = "b" * 64
    assert [change.kind for change in reviewed(after, before).blocking] == [Kind.REPLACED]


def test_metadata_is_noise(reviewed: Reviewer) -> None:
    state = recorded()
    for template in state.values():
        template["Metadata"] = {"version": "next"}
        template["Parameters"] = {"BootstrapVersion": {"Type": "String", "Default": "next"}}
    assert reviewed(state).changes == ()


@pytest.mark.parametrize(
    ("policy", "kind", "says"),
    [
        ("Retain", Kind.ORPHANED, "it stays in the account with its objects"),
        ("Delete", Kind.DESTROYED, "deleted, and with it its objects"),
        (None, Kind.DESTROYED, "deleted, and with it its objects"),
    ],
)
def test_what_holds_data_and_leaves_the_template_needs_an_approval(
    reviewed: Reviewer, policy: str | None, kind: Kind, says: str
) -> None:
    before = recorded()
    bucket = states.body(before, states.BUCKET)
    bucket["DeletionPolicy"] = policy
    if policy is None:
        del bucket["DeletionPolicy"]
    after = states.without(states.without(recorded(), states.BUCKET), ("storage", "DocumentsPolicy2E972B69"))
    found = reviewed(after, before)
    assert kinds(found)["storage/Documents"] is kind
    assert [change.logical_id for change in found.blocking] == ["Documents7E5B2978"]
    assert says in write(found)


def test_a_database_that_leaves_is_restored_from_a_snapshot_where_its_policy_says_so(
    reviewed: Reviewer,
) -> None:
    before = recorded()
    states.body(before, states.DATABASE)["DeletionPolicy"] = "Snapshot"
    text = write(reviewed(states.without(recorded(), states.DATABASE), before))
    assert (
        "deleted after a snapshot, from which its rows and automated backups would have to be restored"
        in text
    )


def test_what_holds_data_under_another_condition_may_be_destroyed(reviewed: Reviewer) -> None:
    before, after = recorded(), recorded()
    for state, means in ((before, "true"), (after, "false")):
        state["storage"]["Conditions"] = {"Kept": {"Fn::Equals": [means, "true"]}}
        states.body(state, states.BUCKET)["Condition"] = "Kept"
    found = reviewed(after, before)
    assert kinds(found) == {"storage/Documents": Kind.MAY_BE_DESTROYED}
    assert len(found.blocking) == 1


def test_a_stack_that_moves_to_another_region_leaves_its_data_behind(reviewed: Reviewer) -> None:
    found = reviewed(deployed(recorded(), place="aws://111111111111/eu-central-1"))
    assert {change.name for change in found.blocking} == {
        "database/Instance",
        "database/Log",
        "keys/Data",
        "storage/Documents",
        "workers/Worker/Log",
    }
    assert "its whole stack leaves the app, its account or its region" in write(found)


def test_a_stack_that_leaves_the_app_leaves_its_data_to_nobody(reviewed: Reviewer) -> None:
    state = recorded()
    del state["storage"]
    text = write(reviewed(state))
    assert "`cdk deploy` leaves its stack as it is; when somebody deletes that:" in text
    assert "1 resource that holds data is replaced or destroyed, and no approval names it" in text


def test_a_harmless_change_passes(reviewed: Reviewer) -> None:
    found = reviewed(states.harmless())
    assert (found.blocking, found.weakened, found.silenced) == ((), (), ())
    assert kinds(found) == {
        "database/Instance": Kind.UPDATED,
        "workers/Worker/Definition": Kind.RENEWED,
        "workers/WorkerRole/DefaultPolicy": Kind.UPDATED,
    }


def test_a_custom_resource_that_changes_is_not_overlooked(reviewed: Reviewer) -> None:
    """The library knows no property of it, and calls that no change."""
    before, after = recorded(), recorded()
    for state, value in ((before, "1"), (after, "2")):
        custom = {"Type": "Custom::Thing", "Properties": {"Value": value}}
        state["workers"]["Resources"]["Thing"] = custom
    assert kinds(reviewed(after, before)) == {"workers/Thing": Kind.UPDATED}


def test_an_output_that_changes_alone_is_not_no_difference(reviewed: Reviewer) -> None:
    state = recorded()
    state["storage"]["Outputs"]["More"] = {"Value": "text"}
    text = write(reviewed(state))
    assert "no difference" not in text
    assert "Also changed, beside resources: outputs of `storage`." in text
