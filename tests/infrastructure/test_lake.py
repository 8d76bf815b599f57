"""The data platform where its flags are on: what it holds, what its roles may do, and what is promised of its data."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from amply.adapters import parquet
from amply.modules.ingestion import domain
from amply_lake import METRIC
from amply_releases import lines, running
from amply_releases.arrivals import Arrival
from operations.cost import estimate
from operations.difference.holdings import HOLDINGS
from stacks.contracts import CONTAINERS, TaskName
from stacks.environments import SANDBOX
from stacks.lake.ingestion import ACCEPTED, CHECKING_MIB
from stacks.lake.lifecycle import AS_IT_CAME, REFUSED, REFUSED_DAYS
from stacks.lake.tags import TAGS
from tests.backend.seller_data import INDEXES
from tests.backend.seller_data import TABLES as STALLS
from tests.infrastructure.alarms import alarms_of
from tests.infrastructure.assembly import ROOT, Deployed
from tests.infrastructure.permissions import LAKE, document_of, grants
from tests.infrastructure.test_golden import compare
from tests.marketplace.market import BY_CONTRACT, KEYS

STACKS = ("lake", "controlplane", "marketplace", "etl", "iot")
MODULES = ROOT / "services" / "backend" / "src" / "amply" / "modules"
SIGNED = Path(__file__).with_name("golden") / "permissions_lake.md"
SETTINGS = set(
    re.findall(r'environ\["(\w+)"\]', (ROOT / "services/releases/src/amply_releases/settings.py").read_text())
)
"""What the process reads of its environment."""
PROGRAM_MIB, WORKER_MIB = 96, 384
"""Resident: the program that reads Parquet before it has read anything, and a worker that is busy."""
VALUES_OF_A_TAG = 1000
"""https://docs.aws.amazon.com/lake-formation/latest/dg/lf-tag-considerations.html."""


def _of_the_lake(deployed: Deployed, *types: str) -> list[str]:
    return sorted(
        f"{resource.where} {resource.type}"
        for resource in deployed.resources(*types)
        if resource.stack.partition("/")[2] in STACKS
    )


def test_what_holds_data_keeps_its_logical_id(extended: Deployed) -> None:
    compare("data_lake.json", _of_the_lake(extended, *HOLDINGS))


def test_its_roles_may_do_what_was_signed(extended: Deployed) -> None:
    text = document_of(extended, *STACKS, header=LAKE)
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        SIGNED.write_text(text)
    assert text == SIGNED.read_text()


def test_its_resources_have_prices(extended: Deployed) -> None:
    stacks = {line.stack for line in estimate(extended).lines}
    assert set(STACKS) <= stacks


def test_there_are_six_tables_and_none_forgets_by_itself(extended: Deployed) -> None:
    tables = {
        table.path.split("/")[2]: table.properties for table in extended.resources("AWS::DynamoDB::Table")
    }
    assert set(tables) == {"Consents", "Datasets", "Contracts", "Usage", "RevenueShare", "Grants"}
    for name, table in tables.items():
        assert "TimeToLiveSpecification" not in table, name
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert table["DeletionProtectionEnabled"] is True, name
        assert table["SSESpecification"]["SSEType"] == "KMS", name


def test_functions_ask_the_tables_by_the_keys_they_have(extended: Deployed) -> None:
    tables = {
        table.path.split("/")[2].lower(): tuple(key["AttributeName"] for key in table.properties["KeySchema"])
        for table in extended.resources("AWS::DynamoDB::Table")
    }
    assert {name: tables[name] for name in KEYS} == dict(KEYS)
    (grants_table,) = (
        table.properties
        for table in extended.resources("AWS::DynamoDB::Table")
        if table.path.split("/")[2] == "Grants"
    )
    (index,) = grants_table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], _keys(index["KeySchema"])) == (BY_CONTRACT, ("contract_id", "token_digest"))


def test_the_task_that_makes_releases_is_told_what_was_agreed(extended: Deployed) -> None:
    contract = CONTAINERS[TaskName.RELEASES]
    (task,) = (
        task.properties
        for task in extended.resources("AWS::ECS::TaskDefinition")
        if task.stack.endswith("/etl")
    )
    (container,) = task["ContainerDefinitions"]
    told = {variable["Name"] for variable in container["Environment"]}
    assert told == contract.environment | contract.shared_data
    assert told == SETTINGS | {"AMPLY_ENVIRONMENT", "AWS_REGION"}
    assert tuple(container["Command"]) == contract.command
    assert "Secrets" not in container
    assert int(task["Memory"]) >= 3 * 1024
    assert task["EphemeralStorage"] == {"SizeInGiB": 60}


def test_a_worker_has_memory_for_what_it_checks_beside_itself(extended: Deployed) -> None:
    """The file, the program that reads it, and all that this may take besides; half of the rest is the worker's own."""
    (worker,) = (
        task.properties
        for task in extended.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"].endswith("-worker")
    )
    beside = parquet._MEMORY_BYTES + domain.UPLOAD_BYTES_MAX + PROGRAM_MIB * 1024**2
    assert SANDBOX.tasks.worker.size.memory_mib < CHECKING_MIB == int(worker["Memory"])
    assert beside + WORKER_MIB * 1024**2 <= CHECKING_MIB * 1024**2


def test_an_arrival_is_what_the_process_takes_for_one(extended: Deployed) -> None:
    (rule,) = (
        rule.properties for rule in extended.resources("AWS::Events::Rule") if rule.stack.endswith("/etl")
    )
    prefixes = [one["prefix"] for one in rule["EventPattern"]["detail"]["object"]["key"]]
    assert prefixes == ["donations/", "datasets/"]
    for prefix in prefixes:
        place = prefix if prefix == "donations/" else f"{prefix}visits/"
        Arrival.of(json.dumps({"detail": {"object": {"key": f"{place}dt=2026-11-27/a.parquet"}}}))


def test_what_was_released_of_whom_is_added_to_and_never_taken_from(extended: Deployed) -> None:
    may = {line for role, line in grants(extended) if role == "etl/ReleasesRole"}
    assert {line.split()[1] for line in may if "Delete" in line} == {
        "sqs:DeleteMessage",
        "glue:DeletePartition",
    }
    assert {line for line in may if "s3:Put" in line} == {
        "may s3:PutObject on lake/Curated/given/*, if s3:if-none-match Null false",
        "may s3:PutObject on lake/Curated/released/*, if s3:if-none-match Null false",
        "may s3:PutObject on lake/Ledger/*, if s3:if-none-match Null false",
    }
    assert {line for line in may if "GenerateMac" in line} == {
        "may kms:GenerateMac on lake/Pseudonyms",
        "may kms:GenerateMac on lake/Certificates",
    }


def test_who_buys_is_read_by_what_makes_releases_and_not_changed(extended: Deployed) -> None:
    may = {line for role, line in grants(extended) if role == "etl/ReleasesRole"}
    assert {line for line in may if "Contracts" in line or "Grants" in line} == {
        "may dynamodb:Scan on controlplane/Contracts",
        "may dynamodb:GetItem on controlplane/Grants",
        "may dynamodb:Query on controlplane/Grants/index/by-contract",
    }


def test_sellers_pages_ask_the_tables_by_the_keys_and_indexes_they_have(extended: Deployed) -> None:
    tables = {
        table.path.split("/")[2].lower(): table.properties
        for table in extended.resources("AWS::DynamoDB::Table")
    }
    named = {"datasets": "datasets", "usage": "usage", "revenue": "revenueshare"}
    for name, keys in STALLS.items():
        assert _keys(tables[named[name]]["KeySchema"]) == keys
    for name, index in INDEXES.items():
        (found,) = tables[named[name]]["GlobalSecondaryIndexes"]
        assert (found["IndexName"], _keys(found["KeySchema"])) == index


def _keys(schema: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in schema)


def test_the_api_reads_by_key_and_owner_and_no_row_that_was_released(extended: Deployed) -> None:
    may = {line for role, line in grants(extended) if role == "api/ApiRole"}
    assert {line for line in may if "controlplane" in line or "lake/Curated" in line} == {
        "may dynamodb:BatchGetItem on controlplane/Datasets",
        "may dynamodb:BatchGetItem on controlplane/RevenueShare",
        "may dynamodb:Query on controlplane/Datasets/index/by-owner",
        "may dynamodb:Query on controlplane/RevenueShare/index/by-credited",
        "may dynamodb:Query on controlplane/Usage",
        "may s3:GetObject on lake/Curated/released/*/certificate",
    }


def test_what_is_handed_in_is_gone_after_90_days_and_what_is_released_after_730(extended: Deployed) -> None:
    found = {}
    for bucket in extended.resources("AWS::S3::Bucket"):
        if bucket.stack.endswith("/lake"):
            assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
            rules = bucket.properties["LifecycleConfiguration"]["Rules"]
            found[bucket.path.split("/")[2]] = {
                rule.get("Prefix", ""): (
                    rule["ExpirationInDays"],
                    rule["NoncurrentVersionExpiration"]["NoncurrentDays"],
                )
                for rule in rules
                if "ExpirationInDays" in rule
            }
    assert found == {
        "Raw": {"": (90, 1), "handed-in/": (7, 1), "quarantine/": (30, 1)},
        "Curated": {"": (730, 1)},
        "Answers": {"": (7, 7)},
        "Ledger": {},
    }


def test_the_backend_writes_where_the_bucket_forgets() -> None:
    assert (domain.HANDED_IN, domain.QUARANTINE, domain.ACCEPTED) == (AS_IT_CAME, REFUSED, ACCEPTED)
    assert domain.QUARANTINE_DAYS == REFUSED_DAYS


def test_a_question_ends_at_its_limit_and_nobody_sets_another(extended: Deployed) -> None:
    group = extended.the("AWS::Athena::WorkGroup").properties["WorkGroupConfiguration"]
    assert group["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    assert group["EnforceWorkGroupConfiguration"] is True
    assert group["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"


def test_no_tag_is_a_tenants(extended: Deployed) -> None:
    """However many sellers and buyers there are, these are all the values there will be."""
    made = {
        tag.properties["TagKey"]: tuple(tag.properties["TagValues"])
        for tag in extended.resources("AWS::LakeFormation::Tag")
    }
    assert made == dict(TAGS)
    assert all(len(values) < VALUES_OF_A_TAG / 10 for values in made.values())
    assert not {word for key in made for word in key.split("-")} & {"tenant", "seller", "buyer", "contract"}


def test_another_administrator_of_the_lake_stays_one(extended: Deployed) -> None:
    settings = extended.the("AWS::LakeFormation::DataLakeSettings").properties
    assert settings["MutationType"] == "APPEND"
    assert settings["CreateTableDefaultPermissions"] == settings["CreateDatabaseDefaultPermissions"] == []


def test_buyers_are_counted_and_slowed_by_the_gateway(extended: Deployed) -> None:
    plan = extended.the("AWS::ApiGateway::UsagePlan").properties
    assert plan["Throttle"] == {"BurstLimit": 20, "RateLimit": 10}
    assert plan["Quota"] == {"Limit": 100_000, "Period": "MONTH"}
    keyed = {
        method.path.partition("/Default/")[2].removesuffix("/Resource"): method.properties.get(
            "ApiKeyRequired", False
        )
        for method in extended.resources("AWS::ApiGateway::Method")
    }
    assert keyed == {
        "datasets/GET": True,
        "datasets/{dataset}/links/POST": True,
        "usage/GET": True,
        "delta-sharing/{proxy+}/GET": False,
        "delta-sharing/{proxy+}/POST": False,
    }


def test_only_what_was_released_is_ever_linked_to(extended: Deployed) -> None:
    """A link carries the right of the function that signs it: to no dataset's own release, and to no buyer's by the sellers' API."""
    reading = {line for role, line in grants(extended) if role.startswith("marketplace/") and "s3:" in line}
    assert set(reading) == {"may s3:GetObject on lake/Curated/given/*"}


def test_who_makes_buyers_keys_sees_and_gives_a_use_to_those_of_the_plan_alone(extended: Deployed) -> None:
    gateway = "arn:aws:apigateway:REGION::"
    path = extended.the("AWS::ApiGateway::UsagePlan").path.removeprefix(f"{extended.name}/")
    plan = f"{gateway}/usageplans/{path.removesuffix('/Resource')}/keys"
    assert {
        line.removeprefix("may apigateway:")
        for role, line in grants(extended)
        if role == "administration/AdminRole" and "apigateway:" in line
    } == {
        *(f"POST on {gateway}/apikeys", f"DELETE on {gateway}/apikeys/*"),
        *(f"GET on {plan}", f"POST on {plan}", f"DELETE on {plan}/*"),
    }


def test_who_keeps_contracts_and_who_settles_them_reach_no_more_of_the_tables(extended: Deployed) -> None:
    def reached(role: str) -> set[str]:
        return {line for name, line in grants(extended) if name.startswith(role) and "dynamodb:" in line}

    assert reached("administration/AdminRole") == {
        "may dynamodb:GetItem on controlplane/Contracts",
        "may dynamodb:PutItem on controlplane/Contracts",
        "may dynamodb:Scan on controlplane/Contracts",
        "may dynamodb:PutItem on controlplane/Grants",
        "may dynamodb:Query on controlplane/Grants",
        "may dynamodb:Query on controlplane/Grants/index/by-contract",
        "may dynamodb:UpdateItem on controlplane/Grants",
        "may dynamodb:GetItem on controlplane/Datasets",
    }
    otherwise = {
        "may dynamodb:PutItem on controlplane/Consents",
        "may dynamodb:UpdateItem on controlplane/Datasets",
    }
    assert reached("workers/WorkerRole") - otherwise == {
        "may dynamodb:GetItem on controlplane/Contracts",
        "may dynamodb:Scan on controlplane/Contracts",
        "may dynamodb:GetItem on controlplane/Usage",
        "may dynamodb:Query on controlplane/Usage",
        "may dynamodb:GetItem on controlplane/Datasets",
        "may dynamodb:PutItem on controlplane/RevenueShare",
    }


@pytest.mark.parametrize(
    ("name", "line", "threshold", "periods", "seconds"),
    [
        ("consents-untold", ("sharing/consent_sync.py", "UNTOLD", "consent_not_told"), 0, 2, 900),
        ("facts-unwritten", ("sharing/fact_files.py", "NOT_WRITTEN", "facts_not_written"), 1, 1, 10_800),
        ("datasets-untold", ("ingestion/dataset_sync.py", "UNTOLD", "dataset_not_told"), 0, 2, 900),
        ("files-unread", ("ingestion/reading_jobs.py", "NOT_READ", "file_not_read"), 0, 2, 3_600),
        ("files-given-up", ("ingestion/reading_jobs.py", "GIVEN_UP", "file_given_up"), 0, 1, 60),
        ("data-unsettled", ("marketplace/settling.py", "NOT_SETTLED", "data_not_settled"), 0, 2, 7_200),
        (
            "data-contracts-unreadable",
            ("marketplace/domain.py", "code", "data_contract_unreadable"),
            0,
            1,
            7_200,
        ),
        ("data-shares-untold", ("marketplace/revenue.py", "UNTOLD", "data_share_not_told"), 0, 2, 7_200),
    ],
)
def test_what_the_worker_cannot_do_for_the_data_platform_is_told_in_the_morning(
    name: str, line: tuple[str, str, str], threshold: int, periods: int, seconds: int, extended: Deployed
) -> None:
    """By the lines that the worker writes, in the worker's log."""
    file, constant, event = line
    assert re.search(rf'\b{constant}(: Final)? = "{event}"', (MODULES / file).read_text())
    alarm = alarms_of(extended)[name].properties
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", threshold)
    assert (alarm["EvaluationPeriods"], alarm["Period"]) == (periods, seconds)
    (notices,) = alarm["AlarmActions"]
    assert notices["Ref"].startswith("Notices")
    (counted,) = (
        found.properties
        for found in extended.resources("AWS::Logs::MetricFilter")
        if found.properties["MetricTransformations"][0]["MetricName"] == alarm["MetricName"]
    )
    assert counted["FilterPattern"] == f'{{ $.event = "{event}" }}'
    (booked,) = (
        found.properties["LogGroupName"]
        for found in extended.resources("AWS::Logs::MetricFilter")
        if found.properties["FilterPattern"] == '{ $.event = "gift_booked" }'
    )
    assert counted["LogGroupName"] == booked


def test_what_could_not_be_released_is_told(extended: Deployed) -> None:
    found = {name for name, alarm in alarms_of(extended).items() if alarm.stack.endswith("/etl")}
    assert found == {
        "k-anon-violations",
        "files-set-aside",
        "releases-failing",
        "releases-refused",
        "arrivals-set-aside",
        "arrivals-waiting",
    }
    counted = {
        found.properties["MetricTransformations"][0]["MetricName"]: found.properties["FilterPattern"]
        for found in extended.resources("AWS::Logs::MetricFilter")
        if found.stack.endswith("/etl")
    }
    assert counted == {
        METRIC: f'{{ $.event = "{lines.VIOLATED}" }}',
        "FilesSetAside": f'{{ $.event = "{lines.SET_ASIDE}" }}',
        "ReleasesFailed": f'{{ $.event = "{lines.FAILED}" }}',
        "ReleasesRefused": f'{{ $.event = "{lines.REFUSED}" }}',
    }


def test_a_release_that_fails_again_and_again_rings_however_long_each_turn_takes(extended: Deployed) -> None:
    alarm = alarms_of(extended)["releases-failing"].properties
    assert (alarm["DatapointsToAlarm"], alarm["Threshold"], alarm["Period"]) == (3, 0, 1_200)
    longest = 2 * (running.STUCK_AFTER + running.AGAIN_AFTER)
    assert alarm["EvaluationPeriods"] * alarm["Period"] >= longest.total_seconds() + alarm["Period"]
