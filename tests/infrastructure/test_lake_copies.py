"""The data platform where copies in a second region are promised: what is there, and how it comes back there (ADR 0148)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from amply.modules.ingestion import domain
from operations.cost import estimate
from operations.difference.holdings import HOLDINGS
from stacks.contracts import RecoveryParameter
from stacks.lake.copies import ACCEPTED, KEPT_OTHERWISE, STAYS_HERE, TABLES
from stacks.lake.sharing import FACTS
from stacks.lake.terminal_contract import KINDS
from stacks.lake.terminals import KEPT, NUMBERS
from tests.infrastructure import data_invariants
from tests.infrastructure.assembly import Deployed, Resource
from tests.infrastructure.recovered import HERE, LOST, written
from tests.infrastructure.test_golden import compare

THIRD = "eu-north-1"
STACKS = ("lake", "controlplane", "marketplace", "etl", "iot", "lakereplica", "lakerecovery", "lakecopies")
LAKE_PARAMETERS = [parameter for parameter in RecoveryParameter if parameter.name.startswith("LAKE_")]
TABLE, REPLICATED = "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"


@pytest.fixture(params=["lake_at_home", "lake_back"])
def either(request: pytest.FixtureRequest, lake_at_home: Deployed, lake_back: Deployed) -> Deployed:
    return {"lake_at_home": lake_at_home, "lake_back": lake_back}[request.param]


# ---- as every environment -------------------------------------------------------------------------------------------


def test_what_holds_data_keeps_its_logical_id(lake_at_home: Deployed, lake_back: Deployed) -> None:
    compare(
        "data_lake_copies.json",
        {name: sorted(_holding(found)) for name, found in (("home", lake_at_home), ("back", lake_back))},
    )


def _holding(deployed: Deployed) -> Iterator[str]:
    for resource in deployed.resources(*HOLDINGS):
        if _stack(resource) in STACKS:
            yield f"{resource.where} {resource.type}"


def _stack(resource: Resource) -> str:
    return resource.stack.partition("/")[2]


def test_its_resources_have_prices(lake_at_home: Deployed) -> None:
    assert {line.stack for line in estimate(lake_at_home).lines} >= set(STACKS) - {"lakecopies"}


def test_a_table_costs_more_where_it_is_replicated(lake_at_home: Deployed, extended: Deployed) -> None:
    def names(deployed: Deployed) -> set[str]:
        lines = estimate(deployed).lines
        return {line.price.name for line in lines if line.stack == "controlplane"}

    watched = {"alarm", "sns/emails"}
    assert names(lake_at_home) - names(extended) == {"transfer/region"} | watched


def test_what_s3_measures_of_its_copying_has_its_price(lake_at_home: Deployed) -> None:
    metrics = [
        line.quantity
        for line in estimate(lake_at_home).lines
        if line.stack == "lake" and line.price.name == "metric"
    ]
    assert sum(metrics) == 4 * (len(ACCEPTED) + 2)


def test_every_reason_is_of_something_that_is_there(lake_at_home: Deployed, lake_back: Deployed) -> None:
    there = {
        "/".join(resource.path.split("/")[1:3])
        for deployed in (lake_at_home, lake_back)
        for resource in deployed.resources()
    }
    assert set(KEPT_OTHERWISE) | set(STAYS_HERE) <= there


# ---- while all is well ----------------------------------------------------------------------------------------------


def test_it_stands_in_stacks_of_its_own_and_the_platforms_copies_know_nothing_of_it(
    lake_at_home: Deployed,
) -> None:
    assert set(STACKS) - set(lake_at_home.templates) == {"lakecopies"}
    for stack in ("replica", "recovery", "storage", "keys", "database", "backup"):
        said = json.dumps(lake_at_home.templates[stack])
        assert "controlplane" not in said, stack
        assert "lake" not in said.lower(), stack


def test_copies_stand_in_the_second_region_under_a_key_that_stands_there_too(lake_at_home: Deployed) -> None:
    for stack in ("lakereplica", "lakerecovery"):
        manifest = lake_at_home.manifests[stack]
        assert manifest["environment"].endswith(f"/{HERE}")
        assert manifest["properties"]["terminationProtection"] is True
    (key,) = (one for one in lake_at_home.resources("AWS::KMS::Key") if _stack(one) == "lakereplica")
    for bucket in lake_at_home.resources("AWS::S3::Bucket"):
        if _stack(bucket) == "lake" and "ReplicationConfiguration" in bucket.properties:
            for rule in bucket.properties["ReplicationConfiguration"]["Rules"]:
                encryption = rule["Destination"]["EncryptionConfiguration"]
                assert data_invariants.places(lake_at_home, bucket, encryption) == {
                    ("lakereplica", key.logical_id)
                }


def test_of_the_raw_lake_rows_that_may_be_released_are_copied_and_nothing_else(
    lake_at_home: Deployed,
) -> None:
    """Not what came and was not read yet, and not what was refused or set aside."""
    raw = _bucket(lake_at_home, "lake/Raw")
    copied = [rule["Filter"]["Prefix"] for rule in raw["ReplicationConfiguration"]["Rules"]]
    assert copied == list(ACCEPTED)
    said = {f"{KEPT}{kind}/" for kind in KINDS}
    assert set(copied) == {domain.ACCEPTED, FACTS, NUMBERS} | said
    for left in (domain.HANDED_IN, domain.QUARANTINE, f"{KEPT}set-aside/"):
        assert not any(left.startswith(prefix) or prefix.startswith(left) for prefix in copied)
    priorities = [rule["Priority"] for rule in raw["ReplicationConfiguration"]["Rules"]]
    assert len(set(priorities)) == len(priorities)


def test_what_copies_the_raw_lake_may_read_what_is_copied_and_nothing_else(lake_at_home: Deployed) -> None:
    readable = {
        part.removeprefix("/")
        for policy in lake_at_home.resources("AWS::IAM::Policy")
        if policy.path.split("/")[1:3] == ["lake", "Replication"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "s3:GetObjectVersionForReplication" in statement["Action"]
        for resource in _each(statement["Resource"])
        for part in [resource["Fn::Join"][1][1]]
        if "Raw" in json.dumps(resource)
    }
    assert readable == {f"{prefix}*" for prefix in ACCEPTED}


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_nothing_that_holds_data_has_a_name_of_ours(either: Deployed) -> None:
    """The library chooses one where another region is told of a resource, and what has one cannot be replaced."""
    named = ("BucketName", "TableName", "QueueName")
    assert [
        resource.where
        for resource in either.resources("AWS::S3::Bucket", REPLICATED, "AWS::SQS::Queue")
        if any(name in resource.properties for name in named)
    ] == []


@pytest.mark.parametrize("name", ["Raw", "Curated", "Ledger"])
def test_a_copy_lapses_when_what_it_copies_does(name: str, lake_at_home: Deployed) -> None:
    here, there = (_bucket(lake_at_home, f"{stack}/{name}") for stack in ("lake", "lakereplica"))
    for setting in ("LifecycleConfiguration", "VersioningConfiguration"):
        assert here[setting] == there[setting]


def _bucket(deployed: Deployed, construct: str) -> Mapping[str, Any]:
    (found,) = (
        bucket.properties
        for bucket in deployed.resources("AWS::S3::Bucket")
        if bucket.path.removesuffix("/Resource").endswith(f"/{construct}")
    )
    return found


def test_tables_have_a_replica_that_is_as_safe_as_they_are(lake_at_home: Deployed) -> None:
    tables = {table.path.split("/")[2]: table for table in lake_at_home.resources(REPLICATED)}
    assert sorted(tables) == sorted(TABLES)
    assert list(lake_at_home.resources(TABLE)) == []
    for name, table in tables.items():
        assert "TimeToLiveSpecification" not in table.properties, name
        assert "TableName" not in table.properties, (
            "CloudFormation's begins with the stack's, as deployments may reach"
        )
        assert (table.body["DeletionPolicy"], table.body["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert table.properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
        replicas = {replica["Region"]: replica for replica in table.properties["Replicas"]}
        assert set(replicas) == {LOST, HERE}
        for region, keys in {LOST: "lake", HERE: "lakereplica"}.items():
            replica = replicas[region]
            assert replica["DeletionProtectionEnabled"] is True, name
            recovery = replica["PointInTimeRecoverySpecification"]
            assert recovery == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 30}
            led_to = data_invariants.places(lake_at_home, table, replica["SSESpecification"])
            assert {stack for stack, _ in led_to} == {keys}, name


def test_a_replicated_table_has_the_keys_and_indexes_of_one_that_is_not(
    lake_at_home: Deployed, extended: Deployed
) -> None:
    def shape(deployed: Deployed, kind: str) -> Mapping[str, Any]:
        wanted = ("KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        return {
            table.path.split("/")[2]: {name: table.properties.get(name) for name in wanted}
            for table in deployed.resources(kind)
        }

    assert shape(lake_at_home, REPLICATED) == shape(extended, TABLE)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("Pseudonyms", RecoveryParameter.LAKE_PSEUDONYMS),
        ("Certificates", RecoveryParameter.LAKE_CERTIFICATES),
    ],
)
def test_a_key_that_nobody_could_make_again_is_in_both_regions_and_made_in_one(
    name: str, parameter: RecoveryParameter, lake_at_home: Deployed, lake_back: Deployed
) -> None:
    """Another one would be other people for everybody, and another signer."""
    (primary,) = (key for key in lake_at_home.resources("AWS::KMS::Key") if key.logical_id.startswith(name))
    assert primary.properties["MultiRegion"] is True
    (replica,) = (
        key
        for key in lake_at_home.resources("AWS::KMS::ReplicaKey")
        if ("lake", primary.logical_id)
        in data_invariants.places(lake_at_home, key, key.properties["PrimaryKeyArn"])
    )
    assert replica.stack == "production/lakerecovery"
    arn = written(lake_at_home, "lakerecovery")[parameter.path("production")]
    assert arn == {"Fn::GetAtt": [replica.logical_id, "Arn"]}
    assert not any(key.logical_id.startswith(name) for key in lake_back.resources("AWS::KMS::Key"))


def test_where_nothing_is_copied_no_key_is_of_several_regions(extended: Deployed) -> None:
    assert [key.where for key in extended.resources("AWS::KMS::Key") if "MultiRegion" in key.properties] == []


# ---- where it comes back --------------------------------------------------------------------------------------------


def test_every_stack_of_it_stands_here_or_where_copies_go_from_now_on(lake_back: Deployed) -> None:
    where = {
        stack: manifest["environment"].split("/")[-1]
        for stack, manifest in lake_back.manifests.items()
        if stack in STACKS
    }
    there = set(STACKS) - {"controlplane", "lakerecovery", "lakecopies"}
    assert where == dict.fromkeys(there, HERE) | {"lakecopies": THIRD}


def test_nothing_that_came_over_is_made_a_second_time(lake_back: Deployed) -> None:
    made = {
        bucket.path.split("/")[2]
        for bucket in lake_back.resources("AWS::S3::Bucket")
        if _stack(bucket) == "lake"
    }
    assert made == {"Answers"}
    assert list(lake_back.resources(TABLE, REPLICATED)) == []
    assert [key.where for key in lake_back.resources("AWS::KMS::Key") if _stack(key) == "lake"] == []


def test_files_that_come_in_here_are_told_of_and_may_be_posted(lake_back: Deployed) -> None:
    raw = _bucket(lake_back, "lakereplica/Raw")
    assert raw["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert raw["CorsConfiguration"]["CorsRules"][0]["AllowedMethods"] == ["POST"]


def test_what_the_lake_needs_to_know_is_written_down_in_full(lake_at_home: Deployed) -> None:
    agreed = {parameter.path("production") for parameter in LAKE_PARAMETERS}
    assert set(written(lake_at_home, "lakerecovery")) == agreed


def test_tasks_are_told_of_the_tables_buckets_and_keys_that_came_over(
    lake_at_home: Deployed, lake_back: Deployed
) -> None:
    told, before = (dict(_told(deployed)) for deployed in (lake_back, lake_at_home))
    assert set(told) == set(before)
    for name in ("RAW", "CURATED", "LEDGER"):
        assert "production-lakereplica" in json.dumps(told[f"AMPLY_LAKE_{name}_BUCKET"])
    for name in ("PSEUDONYM_KEY_ARN", "CERTIFICATE_KEY_ARN", "DATASETS_TABLE", "CONSENT_TABLE"):
        assert "recovery" in json.dumps(told[f"AMPLY_LAKE_{name}"])
    assert told["AMPLY_LAKE_COPIES"] == before["AMPLY_LAKE_COPIES"] == "true", (
        "and copies go on into a third region"
    )
    name = "AMPLY_LAKE_CERTIFICATE_NAME"
    assert told[name] == before[name], "the chain of certificates goes on"


def _told(deployed: Deployed) -> Iterator[tuple[str, Any]]:
    """Of the task that makes releases; a parameter's place for what it refers to."""
    (task,) = (one for one in deployed.resources("AWS::ECS::TaskDefinition") if _stack(one) == "etl")
    parameters = deployed.templates["etl"].get("Parameters", {})
    for variable in task.properties["ContainerDefinitions"][0]["Environment"]:
        value = variable["Value"]
        if isinstance(value, dict) and "Ref" in value and value["Ref"] in parameters:
            value = parameters[value["Ref"]]["Default"]
        yield variable["Name"], value
