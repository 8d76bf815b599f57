"""What environments may choose of their data: what cannot be written down, and what each choice becomes."""

import json
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from amply.adapters.s3 import SUPERSEDED
from constructs_lib.durability import DISPOSABLE, PERMANENT, RECOVERABLE, Durability, Loss
from ledger_format.tiles import Tile, bundle_path, tile_path
from stacks.backup import KEPT_OTHERWISE
from stacks.database_choices import ManagedByRds, RotatedByUs
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS, PRODUCTION, SANDBOX, STAGING
from stacks.network_choices import InterfaceEndpoint
from stacks.storage import STAYS_HERE
from tests.infrastructure import data_invariants, invariants
from tests.infrastructure.assembly import Deployed, Resource, kind
from tests.infrastructure.test_golden import compare

DELETING = {
    "s3:DeleteObject",
    "s3:DeleteObject*",
    "s3:DeleteObjectVersion",
    "s3:DeleteBucket",
    "s3:BypassGovernanceRetention",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:DisableKey",
    "rds:DeleteDBInstance",
    "rds:DeleteDBSnapshot",
    "backup:DeleteRecoveryPoint",
    "backup:DeleteBackupVault",
    "secretsmanager:DeleteSecret",
}
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::S3::BucketPolicy")


def test_a_replica_cannot_be_asked_of_a_password_that_rds_manages() -> None:
    with pytest.raises(TypeError, match="read_replica"):
        ManagedByRds(read_replica=True)  # type: ignore[call-arg]  # that it cannot be written is the point


@pytest.mark.parametrize("days", [0, 91])
def test_a_password_that_is_rotated_never_or_all_the_time_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="1 to 90 days"):
        RotatedByUs(days=days)


def test_rotation_needs_a_way_to_secrets_manager() -> None:
    rotating = replace(SANDBOX.database, master=RotatedByUs())
    with pytest.raises(ValueError, match="secretsmanager endpoint"):
        replace(SANDBOX, database=rotating)
    inside = replace(SANDBOX.network, interface_endpoints=frozenset({InterfaceEndpoint.SECRETS_MANAGER}))
    assert replace(SANDBOX, database=rotating, network=inside).database.master == RotatedByUs()


def test_real_money_without_copies_in_another_region_is_refused() -> None:
    with pytest.raises(ValueError, match="copies in another region"):
        replace(PRODUCTION, replica_region=None)


def test_copies_in_the_same_region_are_refused() -> None:
    with pytest.raises(ValueError, match="lost with it"):
        replace(PRODUCTION, replica_region="eu-west-1")


@pytest.mark.parametrize("durability", [PERMANENT, RECOVERABLE, DISPOSABLE])
def test_only_what_is_never_lost_gets_a_vault_that_nobody_can_empty(durability: Durability) -> None:
    lock = durability.vault_lock
    final = lock is not None and lock.cooling_off_days is not None
    assert final is (durability.loss is Loss.NEVER)


@pytest.mark.parametrize("durability", [PERMANENT, RECOVERABLE])
def test_every_backup_fits_into_its_locked_vault(durability: Durability) -> None:
    lock, kept = durability.vault_lock, durability.kept_backups
    assert lock is not None
    assert kept is not None
    for days in (kept.daily, kept.weekly, kept.monthly):
        assert lock.shortest_days <= days <= lock.longest_days


def test_every_reason_is_about_something_that_is_there(environments: Mapping[str, Deployed]) -> None:
    there = {
        "/".join(bucket.path.split("/")[1:3])
        for bucket in environments["production"].resources("AWS::S3::Bucket")
    }
    # Where a region was lost, copies go to a stack that is made as the replica is.
    there |= {place.replace("replica/", "copies/") for place in there}
    assert set(KEPT_OTHERWISE) | set(STAYS_HERE) <= there
    assert all(len(reason) > 15 for reason in (*KEPT_OTHERWISE.values(), *STAYS_HERE.values()))


def test_who_may_delete_is_written_down(environments: Mapping[str, Deployed]) -> None:
    """Roles and buckets that let data be deleted, or its protection lifted; keys are left to their account."""
    found = {
        name: sorted(
            f"{'/'.join(policy.path.split('/')[:-1])}: {action}"
            for policy in deployed.resources(*POLICIES)
            for action in _deleting(policy)
        )
        for name, deployed in environments.items()
    }
    compare("who_may_delete.json", found)


def test_only_where_data_may_be_lost_does_a_bucket_let_itself_be_emptied(deployed: Deployed) -> None:
    emptied = [policy.where for policy in deployed.resources("AWS::S3::BucketPolicy") if _deleting(policy)]
    assert bool(emptied) is (kind(deployed) in {"sandbox", "local"})


DAYS_BACK: Mapping[str, int] = {"production": 30, "staging": 7, "sandbox": 1, "local": 1}


def test_the_database_can_go_back_as_many_days_as_promised(deployed: Deployed) -> None:
    database = deployed.the("AWS::RDS::DBInstance").properties
    assert database["BackupRetentionPeriod"] == DAYS_BACK[kind(deployed)]


def test_every_log_of_the_database_has_a_group_that_forgets(deployed: Deployed) -> None:
    database = deployed.the("AWS::RDS::DBInstance")
    groups = {
        group.properties["LogGroupName"].rpartition("/")[2]
        for group in deployed.resources("AWS::Logs::LogGroup")
        if group.stack == database.stack
    }
    assert set(database.properties["EnableCloudwatchLogsExports"]) == groups
    assert len(groups) == 3


def test_the_secret_nobody_can_make_again_outlives_its_region(deployed: Deployed) -> None:
    (commitments,) = (
        secret
        for secret in deployed.resources("AWS::SecretsManager::Secret")
        if secret.path.endswith("/keys/Commitments/Resource")
    )
    regions = [replica["Region"] for replica in commitments.properties.get("ReplicaRegions", [])]
    assert regions == (["eu-central-1"] if deployed.name == "production" else [])


@pytest.mark.parametrize("name", ["production", "staging"])
def test_the_network_reaches_kms_without_a_way_out(environments: Mapping[str, Deployed], name: str) -> None:
    (endpoint,) = _interface_endpoints(environments[name])
    assert json.dumps(endpoint["ServiceName"]).endswith('.kms"')
    assert endpoint["PrivateDnsEnabled"] is True
    assert len(endpoint["SubnetIds"]) == 3


@pytest.mark.parametrize("name", ["sandbox", "local"])
def test_a_network_without_a_bill_has_no_interface_endpoints(
    environments: Mapping[str, Deployed], name: str
) -> None:
    assert _interface_endpoints(environments[name]) == []


def test_s3_and_dynamodb_are_reached_by_their_gateways(deployed: Deployed) -> None:
    gateways = [
        json.dumps(endpoint.properties["ServiceName"])
        for endpoint in deployed.resources("AWS::EC2::VPCEndpoint")
        if endpoint.properties["VpcEndpointType"] == "Gateway"
    ]
    assert sorted(name.rstrip('"]} ').rpartition(".")[2] for name in gateways) == ["dynamodb", "s3"]


def test_staging_is_maintained_before_production() -> None:
    """In the week that begins on Monday: what breaks staging on Wednesday has not reached production."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    staging, production = (
        days.index(environment.database.maintenance_window[:3]) for environment in (STAGING, PRODUCTION)
    )
    assert staging < production


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=lambda environment: environment.name)
def test_maintenance_and_backups_of_the_database_do_not_meet(environment: Environment) -> None:
    start = environment.database.maintenance_window.split("-")[0][4:]
    assert start >= "03:00"


def test_what_nobody_has_chosen_yet_passes_the_gate_too(chosen: Path) -> None:
    report = json.loads((chosen / "validation-report.json").read_text())
    findings = [
        (violation["ruleName"], construct.get("constructPath"))
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]
    assert findings == []


@pytest.mark.parametrize("rule", [*invariants.RULES, *data_invariants.RULES], ids=lambda rule: rule.__name__)
def test_the_rules_hold_for_what_nobody_has_chosen_yet(rule: invariants.Rule, extended: Deployed) -> None:
    assert list(rule(extended)) == []


def _instances(deployed: Deployed) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The first instance, and the one that follows it."""
    found = list(deployed.resources("AWS::RDS::DBInstance"))
    (first,) = (r.properties for r in found if "SourceDBInstanceIdentifier" not in r.properties)
    (second,) = (r.properties for r in found if "SourceDBInstanceIdentifier" in r.properties)
    return first, second


def test_a_replica_is_as_private_as_what_it_follows(extended: Deployed) -> None:
    _, second = _instances(extended)
    assert "StorageEncrypted" not in second  # as what it follows; RDS refuses to be told
    assert second["PubliclyAccessible"] is False
    assert second["EnableIAMDatabaseAuthentication"] is True


def test_a_proxy_knows_no_password_and_refuses_plain_text(extended: Deployed) -> None:
    proxy = extended.the("AWS::RDS::DBProxy").properties
    assert proxy["RequireTLS"] is True
    assert proxy["DefaultAuthScheme"] == "IAM_AUTH"
    assert not proxy.get("Auth")


def test_tasks_go_through_the_proxy_and_migrations_past_it(extended: Deployed) -> None:
    hosts = {}
    for task in extended.resources("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        told = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
        if "AMPLY_DATABASE_HOST" in told:
            hosts[container["Name"]] = json.dumps(told["AMPLY_DATABASE_HOST"])
    past = {name for name, host in hosts.items() if "Proxy" not in host}
    assert past == {"migrate", "roles"}


def test_insights_that_cost_are_kept_as_long_as_they_must_be(extended: Deployed) -> None:
    first, _ = _instances(extended)
    assert (first["DatabaseInsightsMode"], first["PerformanceInsightsRetentionPeriod"]) == ("advanced", 465)


def test_nobody_has_beside_the_database_what_he_did_not_choose(deployed: Deployed) -> None:
    unchosen = ("AWS::RDS::DBProxy", "AWS::SecretsManager::RotationSchedule")
    assert list(deployed.resources(*unchosen)) == []
    assert len(list(deployed.resources("AWS::RDS::DBInstance"))) == 1


def _interface_endpoints(deployed: Deployed) -> list[Mapping[str, Any]]:
    return [
        endpoint.properties
        for endpoint in deployed.resources("AWS::EC2::VPCEndpoint")
        if endpoint.properties["VpcEndpointType"] == "Interface"
    ]


def _deleting(policy: Resource) -> set[str]:
    return {
        action
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        for action in DELETING & set(_many(statement["Action"]))
    }


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_only_what_the_publisher_tags_is_removed_from_the_public_log(
    environments: Mapping[str, Deployed],
) -> None:
    """Never by age alone: a quiet log's newest partial tile may be old, and everybody needs it."""
    for name, deployed in environments.items():
        public = [
            bucket
            for bucket in deployed.resources("AWS::S3::Bucket")
            if bucket.path.split("/")[1:3] in (["storage", "Public"], ["replica", "Public"])
        ]
        assert len(public) == (2 if ENVIRONMENTS.get(name, SANDBOX).replica_region else 1), name  # type: ignore[call-overload] # names read from disk
        for bucket in public:
            expiring = [
                rule
                for rule in bucket.properties["LifecycleConfiguration"]["Rules"]
                if "ExpirationInDays" in rule
            ]
            assert [rule["TagFilters"] for rule in expiring] == [
                [{"Key": SUPERSEDED[0], "Value": SUPERSEDED[1]}]
            ]


def test_pictures_as_they_were_uploaded_lapse_in_a_day_and_documents_do_not(
    environments: Mapping[str, Deployed],
) -> None:
    """In the copies, too: a deletion is not copied."""
    for deployed in environments.values():
        papers = [
            bucket
            for bucket in deployed.resources("AWS::S3::Bucket")
            if bucket.path.split("/")[1:3] in (["storage", "Documents"], ["replica", "Documents"])
        ]
        assert papers
        for bucket in papers:
            expiring = [
                (rule["Prefix"], rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"])
                for rule in bucket.properties["LifecycleConfiguration"]["Rules"]
                if "ExpirationInDays" in rule
            ]
            assert expiring == [("images/", 1, {"NoncurrentDays": 1})]


def test_the_publisher_may_tag_partial_tiles_and_remove_nothing(
    environments: Mapping[str, Deployed],
) -> None:
    for name, deployed in environments.items():
        tagging = [
            statement
            for policy in deployed.resources("AWS::IAM::Policy")
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if "s3:PutObjectTagging" in statement["Action"] and policy.path.split("/")[1] == "workers"
        ]
        (statement,) = tagging
        assert statement["Action"] == "s3:PutObjectTagging", name
        assert json.dumps(statement["Resource"]).count("/log/tile/*.p/*") == 1
        assert partial_tiles_only("log/tile/*.p/*")


def partial_tiles_only(pattern: str) -> bool:
    """Whether S3's reading of the pattern takes in every partial file's name and no other of the log's."""
    partial = [tile_path(Tile(level, index, 7)) for level in (0, 3) for index in (0, 1_234_567)]
    partial += [bundle_path(index, 255) for index in (0, 1_234_567)]
    full = [tile_path(Tile(level, index, 256)) for level in (0, 3) for index in (0, 1_234_567)]
    full += [bundle_path(0, 256), "checkpoint"]
    return all(fnmatchcase(f"log/{path}", pattern) for path in partial) and not any(
        fnmatchcase(f"log/{path}", pattern) for path in full
    )
