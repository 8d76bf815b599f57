"""The environment that comes back where its copies are: whole, and without what is taken already."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations.difference.holdings import HOLDINGS
from operations.locations import in_order
from stacks.contracts import Parameter, RecoveryParameter
from stacks.environments import PRODUCTION
from stacks.images import ImageReference
from stacks.recovery_plan import RestoredFrom
from tests.infrastructure.assembly import Deployed, read, settings, synthesise
from tests.infrastructure.recovered import (
    HERE,
    LAST_TREE,
    LOST,
    Recovered,
    buckets_that_still_take_copies,
    names_in,
    names_of_no_region,
    only,
    read_recovered,
    recovered,
    text,
    written,
)


@pytest.fixture(params=["platform", "with the data platform"])
def either(request: pytest.FixtureRequest) -> Recovered:
    """With the data platform, its stacks come back by the same rules beside the platform's own."""
    ask = request.getfixturevalue
    if request.param == "platform":
        return Recovered(
            home=ask("at_home"),
            back=ask("back"),
            copies={"replica": 6},
            onward={"replica": "copies"},
            inputs=["recovery"],
        )
    return Recovered(
        home=ask("lake_at_home"),
        back=ask("lake_back"),
        copies={"replica": 6, "lakereplica": 4},
        onward={"replica": "copies", "lakereplica": "lakecopies"},
        inputs=["recovery", "lakerecovery"],
    )


# ---- nothing is claimed twice ---------------------------------------------------------------------------------------


def test_no_name_of_the_whole_account_is_claimed_a_second_time(at_home: Deployed, back: Deployed) -> None:
    taken, claimed = Counter(names_of_no_region(at_home)), Counter(names_of_no_region(back))
    assert len(taken) > 30
    assert claimed
    assert sorted(taken & claimed) == []


def test_no_name_of_its_region_is_claimed_beside_the_stack_that_has_it(either: Recovered) -> None:
    """The stacks of the copies are the same stacks, so their names are their own; everything else is new here."""
    own = {name for stack in either.copies for name in names_in(only(either.back, stack), HERE)}
    taken = set(names_in(either.home, HERE)) - own
    assert taken
    assert all(f"stack production-{stack}" in own for stack in either.copies)
    assert sorted(taken & set(names_in(either.back, HERE))) == []


@pytest.mark.parametrize(
    ("kind", "properties", "name"),
    [
        ("AWS::IAM::Role", {"RoleName": "production-delivery-migrate"}, "production-delivery-migrate"),
        ("AWS::CloudWatch::Dashboard", {"DashboardName": "amply-production"}, "amply-production"),
        (
            "AWS::CloudFront::Distribution",
            {"DistributionConfig": {"Aliases": ["log.amply.example"]}},
            "log.amply.example",
        ),
        ("AWS::Route53::RecordSet", {"Type": "A", "Name": "api.amply.example."}, "A api.amply.example."),
        ("AWS::Budgets::Budget", {"Budget": {"BudgetName": "amply-production"}}, "amply-production"),
    ],
)
def test_a_name_that_is_taken_is_noticed(
    kind: str, properties: Mapping[str, Any], name: str, at_home: Deployed, back: Deployed
) -> None:
    templates = {**back.templates, "new": {"Resources": {"New": {"Type": kind, "Properties": properties}}}}
    careless = Deployed("production", templates, back.manifests)
    assert set(names_of_no_region(at_home)) & set(names_of_no_region(careless)) == {f"{kind} {name}"}


def test_every_type_that_bears_a_name_is_looked_at_or_named_by_aws(at_home: Deployed) -> None:
    """A type that CloudFront or Route 53 adds tomorrow fails here until somebody says what its name is."""
    kinds = {resource.type for resource in at_home.resources()}
    of_no_region = {
        kind for kind in kinds if kind.startswith(("AWS::CloudFront::", "AWS::Route53::", "AWS::Budgets::"))
    }
    assert of_no_region <= {line.split(" ")[0] for line in names_of_no_region(at_home)}


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Come back from a snapshot, and the names are moved already."""
    plan = recovered(names_moved=True, database=RestoredFrom.SNAPSHOT)
    return read_recovered(tmp_path_factory.mktemp("otherwise"), plan)


def test_once_the_names_are_moved_the_distribution_claims_them(
    otherwise: Deployed, at_home: Deployed
) -> None:
    """Otherwise the next deployment would take them off again."""
    aliases = otherwise.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]["Aliases"]
    assert aliases == at_home.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]["Aliases"]


# ---- the lost region is not asked -----------------------------------------------------------------------------------


def test_nothing_refers_to_the_lost_region(either: Recovered) -> None:
    """But for the role of the log: the tree's own name and the words of descriptions are not addresses."""
    assert LOST not in text(either.back)


def test_a_reference_to_the_lost_region_would_be_noticed(either: Recovered) -> None:
    assert LOST in text(either.home)


def test_every_stack_stands_here_or_where_copies_go_from_now_on(back: Deployed) -> None:
    where = {stack: manifest["environment"].split("/")[-1] for stack, manifest in back.manifests.items()}
    assert {stack: region for stack, region in where.items() if region != HERE} == {
        "copies": "eu-north-1",
        # CloudFront's numbers are there: the same stack as before, which watches the new distribution.
        "edgealarms": "us-east-1",
    }


def test_what_belongs_to_the_account_is_left_where_it_is(at_home: Deployed, back: Deployed) -> None:
    left = set(at_home.templates) - set(back.templates)
    assert left == {"delivery", "budget", "dns", "certificate", "recovery"}
    assert set(back.templates) - set(at_home.templates) == {"copies"}


# ---- what came over ---------------------------------------------------------------------------------------------------


def test_the_stacks_of_the_copies_are_taken_over_as_they_are(either: Recovered) -> None:
    """Same stack, same ids, same properties: more is added, and nothing that holds data is made anew."""
    added = {"ReplicationConfiguration", "NotificationConfiguration", "CorsConfiguration"}
    for stack in either.copies:
        before, after = (one.templates[stack]["Resources"] for one in (either.home, either.back))
        assert set(before) <= set(after), stack
        for name, body in before.items():
            if body["Type"] in HOLDINGS:
                kept = {key: value for key, value in after[name]["Properties"].items() if key not in added}
                assert kept == body["Properties"], name
        names = [one.manifests[stack]["properties"]["stackName"] for one in (either.home, either.back)]
        assert names == [f"production-{stack}"] * 2


def test_the_lost_region_cannot_go_on_copying_into_what_are_the_originals(either: Recovered) -> None:
    """S3 goes on with what it had not copied yet. The bucket of requests' logs is no copy of anything."""
    for stack, buckets in either.copies.items():
        (left,) = buckets_that_still_take_copies(either.back, stack)
        assert "AccessLogs" in left
        assert len(buckets_that_still_take_copies(either.home, stack)) == buckets
        assert len(buckets_that_still_take_copies(either.back, either.onward[stack])) == buckets


def test_people_read_the_log_from_the_buckets_that_were_copies(back: Deployed) -> None:
    statements = {
        statement["Sid"]
        for policy in back.resources("AWS::S3::BucketPolicy")
        if policy.stack == "production/replica"
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "Sid" in statement
    }
    assert {"ServeTheLog", "ServeMedia"} <= statements
    origins = json.dumps(
        back.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]["Origins"]
    )
    assert origins.count("production-replica") >= 2


def test_no_bucket_that_is_copied_was_made_a_second_time(back: Deployed) -> None:
    made = {
        bucket.path.split("/")[2]
        for bucket in back.resources("AWS::S3::Bucket")
        if "/storage" in bucket.stack
    }
    assert made == {"AccessLogs", "Exports"}


def test_the_documents_that_came_over_are_backed_up_from_now_on(back: Deployed) -> None:
    selected = json.dumps(back.the("AWS::Backup::BackupSelection").properties)
    assert re.search(r'"production-replica".{0,90}Documents', selected)


INHERITED = {"AllocatedStorage", "DBName", "KmsKeyId", "MasterUsername", "StorageEncrypted"}
RESTORES: Mapping[RestoredFrom, Mapping[str, object]] = {
    RestoredFrom.BACKUPS: {
        "SourceDBInstanceAutomatedBackupsArn": {"Ref": "RestoreFrom"},
        "UseLatestRestorableTime": True,
    },
    RestoredFrom.SNAPSHOT: {"DBSnapshotIdentifier": {"Ref": "RestoreFrom"}},
}


@pytest.mark.parametrize("source", RestoredFrom)
def test_the_database_is_made_from_the_backup_that_is_asked_for(
    source: RestoredFrom, at_home: Deployed, back: Deployed, otherwise: Deployed
) -> None:
    deployed = {RestoredFrom.BACKUPS: back, RestoredFrom.SNAPSHOT: otherwise}[source]
    properties, plain = (one.the("AWS::RDS::DBInstance").properties for one in (deployed, at_home))
    assert {key: properties[key] for key in RESTORES[source]} == RESTORES[source]
    assert set(plain) - set(properties) == INHERITED
    parameter = deployed.templates["database"]["Parameters"]["RestoreFrom"]
    assert "Default" not in parameter
    word = "auto-backup" if source is RestoredFrom.BACKUPS else "snapshot"
    assert re.fullmatch(parameter["AllowedPattern"], f"arn:aws:rds:eu-central-1:111111111111:{word}:x-1")


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("Commitments", RecoveryParameter.COMMITMENTS), ("People", RecoveryParameter.PEOPLE)],
)
def test_a_secret_that_seals_is_the_copy_and_no_new_one(
    at_home: Deployed, back: Deployed, name: str, parameter: RecoveryParameter
) -> None:
    secrets = {resource.logical_id for resource in back.resources("AWS::SecretsManager::Secret")}
    assert not any(made.startswith(name) for made in secrets)
    inputs = written(at_home, "recovery")
    assert inputs[parameter.path("production")]["Fn::Join"][0] == HERE


def test_the_key_of_personal_data_is_the_replica_and_no_new_one(at_home: Deployed, back: Deployed) -> None:
    assert not any(key.logical_id.startswith("Personal") for key in back.resources("AWS::KMS::Key"))
    replica = at_home.the("AWS::KMS::ReplicaKey")
    assert replica.stack == "production/recovery"
    inputs = written(at_home, "recovery")
    path = RecoveryParameter.PERSONAL_KEY.path("production")
    assert inputs[path] == {"Fn::GetAtt": [replica.logical_id, "Arn"]}
    (primary,) = (key for key in at_home.resources("AWS::KMS::Key") if key.logical_id.startswith("Personal"))
    assert primary.properties["MultiRegion"] is True


def test_the_image_is_pulled_from_the_registry_that_has_the_copies(back: Deployed) -> None:
    told = {
        json.dumps(task.properties["ContainerDefinitions"][0]["Image"])
        for task in back.resources("AWS::ECS::TaskDefinition")
    }
    assert all(f"dkr.ecr.{HERE}.amazonaws.com/amply@" in image for image in told)


def test_an_image_outside_the_lost_registry_is_left_where_it_is() -> None:
    elsewhere = ImageReference(repository="ghcr.io/amply/amply", digest=None)
    assert elsewhere.in_region(HERE, instead_of=LOST) is elsewhere


def test_images_are_copied_into_a_repository_that_is_like_the_first(at_home: Deployed) -> None:
    first, copy = sorted(at_home.resources("AWS::ECR::Repository"), key=lambda one: one.stack)
    differing = {key for key in first.properties if first.properties[key] != copy.properties[key]}
    assert (first.stack, copy.stack) == ("production/delivery", "production/replica")
    assert differing == {"EncryptionConfiguration", "Tags"}
    (rule,) = at_home.the("AWS::ECR::ReplicationConfiguration").properties["ReplicationConfiguration"][
        "Rules"
    ]
    assert rule["Destinations"] == [{"Region": HERE, "RegistryId": PRODUCTION.account}]
    assert rule["RepositoryFilters"] == [{"Filter": "amply", "FilterType": "PREFIX_MATCH"}]
    order = in_order(at_home)
    assert order.index("replica") < order.index("delivery")


def test_copies_go_on_from_here_to_a_third_region(back: Deployed) -> None:
    (rule,) = back.the("AWS::ECR::ReplicationConfiguration").properties["ReplicationConfiguration"]["Rules"]
    assert rule["Destinations"][0]["Region"] == "eu-north-1"
    database = back.the("AWS::RDS::DBInstance").properties
    assert database["AutomaticBackupReplicationRegion"] == "eu-north-1"


def test_the_log_goes_on_with_the_next_key_and_names_the_one_before(back: Deployed) -> None:
    aliases = {alias.properties["AliasName"] for alias in back.resources("AWS::KMS::Alias")}
    assert "alias/amply/production/signing-2" in aliases
    assert "alias/amply/production/signing" not in aliases
    (publisher,) = (
        task.properties["ContainerDefinitions"][0]["Environment"]
        for task in back.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == "production-publisher"
    )
    told = {pair["Name"]: pair["Value"] for pair in publisher}
    assert told["AMPLY_FORMER_KEYS"] == f"{LAST_TREE.last_size} {LAST_TREE.verifier_key}"
    assert told["AMPLY_LOG_ORIGIN"] == PRODUCTION.log_origin


# ---- names ------------------------------------------------------------------------------------------------------------


def test_all_that_is_read_here_was_written_here_while_all_was_well(either: Recovered) -> None:
    asked = {
        parameter["Default"]
        for template in either.back.templates.values()
        for parameter in template.get("Parameters", {}).values()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<String>" and "/amply/" in parameter["Default"]
    }
    assert asked == {name for stack in either.inputs for name in written(either.home, stack)}
    for stack in either.inputs:
        assert either.home.manifests[stack]["environment"].endswith(HERE)
        assert either.home.manifests[stack]["properties"]["terminationProtection"] is True


def test_what_was_written_here_is_not_part_of_what_comes_back(either: Recovered) -> None:
    """Otherwise the deployment that reads it would rewrite it from a region that is gone."""
    assert not set(either.inputs) & set(either.back.templates)


def test_every_agreed_parameter_is_written_and_how_names_move(back: Deployed) -> None:
    there = {resource.properties["Name"] for resource in back.resources("AWS::SSM::Parameter")}
    agreed = {parameter.path("production") for parameter in Parameter}
    assert there == agreed | {RecoveryParameter.NAMES.path("production")}


def test_the_change_of_records_moves_every_address_the_lost_region_has(
    at_home: Deployed, back: Deployed
) -> None:
    batch = _plain(written(back, "edge")[RecoveryParameter.NAMES.path("production")])
    changes = json.loads(batch)["Changes"]
    assert {change["Action"] for change in changes} == {"UPSERT"}
    moved = {(change["ResourceRecordSet"]["Type"], change["ResourceRecordSet"]["Name"]) for change in changes}
    there = {
        (record.properties["Type"], record.properties["Name"])
        for record in at_home.resources("AWS::Route53::RecordSet")
        if record.stack == "production/edge"
    }
    assert moved == there
    assert len(batch) < 3500  # of the 4 KB that a parameter holds


def _plain(value: Any) -> str:
    """A joined text, with what is known later as X."""
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else "X" for part in value["Fn::Join"][1])


def test_bounces_come_to_a_name_of_this_region(back: Deployed) -> None:
    identity = back.the("AWS::SES::EmailIdentity").properties
    assert identity["MailFromAttributes"]["MailFromDomain"] == "bounce.eu-central-1.amply.example"


# ---- as it is asked for -----------------------------------------------------------------------------------------------


def test_the_plan_is_what_the_command_line_builds_at_rest(tmp_path: Path) -> None:
    """As on the day itself: nothing is known of the last tree yet."""
    said = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply@sha256:" + "a" * 64
    built = read(synthesise(tmp_path, only="production", recovering=HERE, idle=True, image=said))[
        "production"
    ]
    assert settings(built).lost_region == LOST
    assert {service.properties["DesiredCount"] for service in built.resources("AWS::ECS::Service")} == {0}
    assert f"dkr.ecr.{HERE}.amazonaws.com/amply@sha256:{'a' * 64}" in text(built)
    assert LOST not in text(built)


def test_the_others_are_as_they_were(tmp_path: Path) -> None:
    """Staging stands in an account of its own, and nothing about it changes by this."""
    before = read(synthesise(tmp_path / "before", only="staging", idle=True))["staging"]
    built = read(synthesise(tmp_path / "built", only="staging", idle=True, recovering=HERE))["staging"]
    assert built.templates == before.templates
    assert _places(built) == _places(before)


def _places(deployed: Deployed) -> set[str]:
    return {manifest["environment"] for manifest in deployed.manifests.values()}
