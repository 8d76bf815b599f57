"""The data platform where its flags are on: what it holds, what its roles may do, and what is promised of its data."""

import os
from pathlib import Path

from amply.modules.ingestion import domain
from operations.cost import estimate
from operations.difference.holdings import HOLDINGS
from stacks.lake.governance import AS_IT_CAME, KEPT_OTHERWISE, REFUSED, REFUSED_DAYS
from stacks.lake.handing_in import ACCEPTED
from stacks.lake.tags import TAGS
from tests.infrastructure.alarms import alarms_of
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.permissions import LAKE, document_of, grants
from tests.infrastructure.test_golden import compare
from tests.marketplace.market import KEYS

STACKS = ("lake", "controlplane", "marketplace", "etl")
SIGNED = Path(__file__).with_name("golden") / "permissions_lake.md"
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


def test_every_reason_for_no_backup_is_of_something_that_is_there(extended: Deployed) -> None:
    there = {"/".join(resource.path.split("/")[1:3]) for resource in extended.resources()}
    assert set(KEPT_OTHERWISE) <= there


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
    """A link carries the right of the function that signs it."""
    reading = {line for role, line in grants(extended) if role.startswith("marketplace/") and "s3:" in line}
    assert set(reading) == {"may s3:GetObject on lake/Curated/released/*"}


def test_what_could_not_be_released_is_told(extended: Deployed) -> None:
    found = {name for name, alarm in alarms_of(extended).items() if alarm.stack.endswith("/etl")}
    assert found == {"k-anon-violations", "arrivals-set-aside", "arrivals-waiting"}
    (counted,) = (
        found.properties
        for found in extended.resources("AWS::Logs::MetricFilter")
        if found.stack.endswith("/etl")
    )
    assert counted["FilterPattern"] == '{ $.event = "k_anon_violation" }'
    assert counted["MetricTransformations"][0]["MetricName"] == "KAnonViolations"
