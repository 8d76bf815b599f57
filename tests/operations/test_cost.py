"""What the estimate counts, and that it refuses to guess."""

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from operations.assembly import Deployed
from operations.cost import CostError, Estimate, estimate
from operations.cost.cli import main
from operations.cost.errors import NoAssumptionError, NoPriceError, UnknownTypeError, UnpricedError
from operations.cost.free import FREE
from operations.cost.prices import price_table
from operations.cost.rules import RULES
from operations.cost.usage import assumptions, usage_of
from operations.cost.words import rows

Body = Mapping[str, Any]
HOURS = Decimal(730)


def _deployed(
    resources: Mapping[str, Body], *, name: str = "production", place: str = "aws://111111111111/eu-west-1"
) -> Deployed:
    """One stack, `parts`, with these resources."""
    return Deployed(
        name=name, templates={"parts": {"Resources": resources}}, manifests={"parts": {"environment": place}}
    )


def _one(kind: str, properties: Body, *, path: str = "production/parts/It/Resource") -> Estimate:
    return estimate(_deployed({"It": _body(kind, properties, path=path)}))


def _body(kind: str, properties: Body, *, path: str = "") -> Body:
    return {"Type": kind, "Properties": properties, "Metadata": {"aws:cdk:path": path}}


def _by_price(found: Estimate) -> dict[str, Decimal]:
    return {line.price.name: line.quantity for line in found.lines}


SERVICE: Body = {
    "LaunchType": "FARGATE",
    "TaskDefinition": {"Ref": "Task"},
    "NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "DISABLED"}},
}
TASK: Body = {"Cpu": "512", "Memory": "1024", "RuntimePlatform": {"CpuArchitecture": "ARM64"}}


def _fleet(service: Body, **more: Body) -> Estimate:
    return estimate(
        _deployed(
            {
                "Service": _body("AWS::ECS::Service", service),
                "Task": _body("AWS::ECS::TaskDefinition", TASK),
                **more,
            }
        )
    )


def test_tasks_are_charged_by_their_number_and_size() -> None:
    assert _by_price(_fleet({**SERVICE, "DesiredCount": 3})) == {
        "fargate/ARM64/vcpu": 3 * Decimal("0.5") * HOURS,
        "fargate/ARM64/memory": 3 * HOURS,
    }


def test_disk_is_paid_for_beyond_what_every_task_has() -> None:
    fixed = {**SERVICE, "DesiredCount": 2}

    def with_disk(gib: int) -> Mapping[str, Decimal]:
        task = {**TASK, "EphemeralStorage": {"SizeInGiB": gib}}
        return _by_price(_fleet(fixed, Task=_body("AWS::ECS::TaskDefinition", task)))

    assert with_disk(20) == _by_price(_fleet(fixed))
    assert with_disk(60)["fargate/storage"] == 2 * 40 * HOURS


def test_a_task_with_a_public_address_pays_for_it() -> None:
    network = {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}}
    found = _by_price(_fleet({**SERVICE, "DesiredCount": 2, "NetworkConfiguration": network}))
    assert found["ipv4"] == 2 * HOURS


def test_scaled_tasks_count_what_is_kept_and_a_share_of_what_may_come() -> None:
    target = _body(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {
            "MinCapacity": 2,
            "MaxCapacity": 12,
            "ResourceId": {"Fn::Join": ["", ["service/x/", {"Fn::GetAtt": ["Service", "Name"]}]]},
        },
    )
    share = usage_of("production").of("scaling_share")
    assert _by_price(_fleet(SERVICE, Target=target))["fargate/ARM64/memory"] == (2 + 10 * share) * HOURS


def test_a_service_at_rest_costs_nothing() -> None:
    assert _fleet({**SERVICE, "DesiredCount": 0}).total_usd == 0


DATABASE: Body = {
    "Engine": "postgres",
    "DBInstanceClass": "db.t4g.medium",
    "AllocatedStorage": "20",
    "StorageType": "gp3",
}


def test_a_standby_doubles_instance_and_disk() -> None:
    single = _by_price(_one("AWS::RDS::DBInstance", DATABASE))
    double = _by_price(_one("AWS::RDS::DBInstance", {**DATABASE, "MultiAZ": True}))
    for price in ("rds/postgres/db.t4g.medium", "rds/storage/gp3"):
        assert double[price] == 2 * single[price]


def test_a_read_replica_has_the_disk_of_its_source() -> None:
    replica = {"DBInstanceClass": "db.t4g.medium", "SourceDBInstanceIdentifier": "source"}
    found = estimate(
        _deployed(
            {
                "Source": _body("AWS::RDS::DBInstance", DATABASE),
                "Replica": _body("AWS::RDS::DBInstance", replica),
            }
        )
    )
    disks = [line.quantity for line in found.lines if line.price.name == "rds/storage/gp3"]
    assert disks == [20, 20]


def test_a_managed_master_password_is_a_secret_on_the_bill() -> None:
    assert (
        _by_price(_one("AWS::RDS::DBInstance", {**DATABASE, "ManageMasterUserPassword": True}))["secret"] == 1
    )


def test_a_proxy_is_charged_by_the_instance_behind_it() -> None:
    behind = _body("AWS::RDS::DBInstance", {**DATABASE, "DBInstanceClass": "db.m7g.xlarge"})
    found = estimate(_deployed({"Proxy": _body("AWS::RDS::DBProxy", {}), "Database": behind}))
    assert _by_price(found)["rds/proxy"] == 4 * HOURS


def test_a_regional_nat_gateway_is_charged_in_each_zone() -> None:
    subnets = {
        f"Subnet{zone}{tier}": _body("AWS::EC2::Subnet", {"AvailabilityZone": f"eu-west-1{zone}"})
        for zone in "abc"
        for tier in "12"
    }
    gateway = _body("AWS::EC2::NatGateway", {"AvailabilityMode": "regional"})
    found = _by_price(estimate(_deployed({"Gateway": gateway, **subnets})))
    assert found["nat/hour"] == found["ipv4"] == 3 * HOURS


def test_gateway_endpoints_are_free_and_interface_endpoints_cost_in_each_zone() -> None:
    assert _one("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}).total_usd == 0
    interface = {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b", "c"]}
    assert _by_price(_one("AWS::EC2::VPCEndpoint", interface))["endpoint/hour"] == 3 * HOURS


def test_an_alarm_is_charged_for_each_metric_it_reads() -> None:
    metric = {"MetricStat": {"Period": 60}}
    assert _by_price(_one("AWS::CloudWatch::Alarm", {"Period": 60})) == {"alarm": 1}
    read = [metric, metric, {"Expression": "m1/m2"}]
    assert _by_price(_one("AWS::CloudWatch::Alarm", {"Metrics": read})) == {"alarm": 2}
    assert _by_price(_one("AWS::CloudWatch::Alarm", {"Period": 10})) == {"alarm/high-resolution": 1}


@pytest.mark.parametrize(
    ("expression", "runs"), [("rate(5 minutes)", 8760), ("rate(1 hour)", 730), ("rate(1 minute)", 43800)]
)
def test_a_canary_is_charged_by_the_run(expression: str, runs: int) -> None:
    found = _by_price(_one("AWS::Synthetics::Canary", {"Schedule": {"Expression": expression}}))
    assert found["canary/run"] == runs


@pytest.mark.parametrize(("percent", "summarised"), [(0, None), (1, None), (3, Decimal("0.08"))])
def test_spans_are_charged_by_what_is_written_and_summaries_beyond_the_free_ones(
    percent: int, summarised: Decimal | None
) -> None:
    found = _by_price(_one("AWS::XRay::TransactionSearchConfig", {"IndexingPercentage": percent}))
    usage = usage_of("production")

    assert found["spans/ingested"] == usage.of("span_gb")
    assert found.get("spans/indexed") == summarised


def test_a_firewall_is_charged_by_its_rules_and_what_it_reads() -> None:
    found = _by_price(_one("AWS::WAFv2::WebACL", {"Scope": "REGIONAL", "Rules": [{}, {}, {}]}))
    assert found == {
        "waf/acl": 1,
        "waf/rule": 3,
        "waf/requests": usage_of("production").of("api_requests_millions"),
    }


def test_a_copied_bucket_pays_for_the_way() -> None:
    assert "transfer/region" not in _by_price(_one("AWS::S3::Bucket", {}))
    copied: Body = {"ReplicationConfiguration": {"Rules": []}}
    assert "transfer/region" in _by_price(_one("AWS::S3::Bucket", copied))


def test_a_table_is_written_kept_and_restorable_in_each_region_and_pays_for_the_way() -> None:
    restorable = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
    replicas = [{"Region": region, **restorable} for region in ("eu-west-1", "eu-central-1")]
    alone, both = (
        _by_price(_one(kind, {"BillingMode": "PAY_PER_REQUEST", **more}))
        for kind, more in (
            ("AWS::DynamoDB::Table", restorable),
            ("AWS::DynamoDB::GlobalTable", {"Replicas": replicas}),
        )
    )
    for price in ("table/writes", "table/stored", "table/recovery"):
        assert both[price] == 2 * alone[price], price
    assert both["table/reads"] == alone["table/reads"]
    assert both["transfer/region"] == alone["table/writes"], "a gigabyte for a million writes"


def test_a_plan_that_copies_backups_pays_for_the_way() -> None:
    here: Body = {"BackupPlan": {"BackupPlanRule": [{}]}}
    there: Body = {"BackupPlan": {"BackupPlanRule": [{"CopyActions": [{}]}]}}
    assert _one("AWS::Backup::BackupPlan", here).total_usd == 0
    assert _one("AWS::Backup::BackupPlan", there).total_usd > 0


def test_the_part_that_writes_most_has_a_number_of_its_own() -> None:
    kept = {"RetentionInDays": 30}
    api = _one("AWS::Logs::LogGroup", kept, path="production/api/Api/Log/Resource")
    other = _one("AWS::Logs::LogGroup", kept, path="production/api/ApiElse/Log/Resource")
    assert api.total_usd > other.total_usd


def test_the_same_costs_another_price_in_another_region() -> None:
    bodies = {"Gateway": _body("AWS::EC2::NatGateway", {})}
    ireland = estimate(_deployed(bodies)).total_usd
    virginia = estimate(_deployed(bodies, place="aws://111111111111/us-east-1")).total_usd
    assert ireland > virginia > 0


def test_an_emulated_cloud_sends_no_bill_but_forgets_no_type_either() -> None:
    laptop = "aws://000000000000/us-east-1"
    gateway = {"Gateway": _body("AWS::EC2::NatGateway", {})}
    assert estimate(_deployed(gateway, name="local", place=laptop)).lines == ()
    with pytest.raises(UnknownTypeError):
        estimate(_deployed({"It": _body("AWS::EC2::Instance", {})}, name="local", place=laptop))


def test_a_named_sandbox_is_used_like_the_shared_one() -> None:
    bodies = {"Queue": _body("AWS::SQS::Queue", {})}
    named = estimate(_deployed(bodies, name="sandbox-ada"))
    assert named.total_usd == estimate(_deployed(bodies, name="sandbox")).total_usd > 0


def test_money_is_never_a_float() -> None:
    found = _one("AWS::RDS::DBInstance", DATABASE)
    amounts = [found.total_usd, *(line.usd for line in found.lines), *(line.quantity for line in found.lines)]
    assert {type(amount) for amount in amounts} == {Decimal}


def test_a_type_nobody_has_priced_stops_the_estimate_and_is_named() -> None:
    with pytest.raises(
        UnknownTypeError, match=r"AWS::EC2::Instance \(production/parts/It\) has no price rule"
    ):
        _one("AWS::EC2::Instance", {})


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::RDS::DBInstance", {**DATABASE, "Iops": 12000}),
        ("AWS::RDS::DBInstance", {**DATABASE, "PerformanceInsightsRetentionPeriod": 31}),
        ("AWS::SSM::Parameter", {"Tier": "Advanced"}),
        ("AWS::ApiGatewayV2::Api", {"ProtocolType": "WEBSOCKET"}),
        ("AWS::CertificateManager::Certificate", {"CertificateAuthorityArn": "arn"}),
        ("AWS::ECR::RegistryScanningConfiguration", {"ScanType": "ENHANCED"}),
        ("AWS::Synthetics::Canary", {"Schedule": {"Expression": "cron(0 8 * * ? *)"}}),
        ("AWS::Logs::LogGroup", {}),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "GatewayLoadBalancer"}),
        ("AWS::ECS::Service", {**SERVICE, "LaunchType": "EC2"}),
        ("AWS::ECS::Service", SERVICE),
    ],
)
def test_a_property_whose_price_nobody_knows_stops_the_estimate(kind: str, properties: Body) -> None:
    with pytest.raises(UnpricedError, match="production/parts/It"):
        _one(kind, properties)


def test_a_price_of_another_region_is_not_taken() -> None:
    bodies = {"Gateway": _body("AWS::EC2::NatGateway", {})}
    with pytest.raises(NoPriceError, match="'nat/hour' for ap-south-1"):
        estimate(_deployed(bodies, place="aws://111111111111/ap-south-1"))


def test_an_instance_class_without_a_price_is_named() -> None:
    with pytest.raises(NoPriceError, match=r"rds/postgres/db\.x2g\.large"):
        _one("AWS::RDS::DBInstance", {**DATABASE, "DBInstanceClass": "db.x2g.large"})


def test_an_environment_nobody_has_assumed_anything_about_is_named() -> None:
    with pytest.raises(NoAssumptionError, match="for demo"):
        estimate(_deployed({"Queue": _body("AWS::SQS::Queue", {})}, name="demo"))


def test_no_type_is_both_priced_and_free() -> None:
    assert set(RULES) & set(FREE) == set()


def test_every_price_says_its_unit_its_source_and_what_is_assumed() -> None:
    document = tomllib.loads((files("operations.cost") / "prices.toml").read_text())
    for name, entry in document["price"].items():
        assert set(entry) - {"assumed"} == {"unit", "usd", "source"}, name
        assert entry["source"].startswith("https://"), name
        assert set(entry.get("assumed", [])) <= set(entry["usd"]), name
        assert all(isinstance(usd, str) and Decimal(usd) > 0 for usd in entry["usd"].values()), name


def test_every_assumption_has_a_reason_and_a_number_for_each_kind_of_environment() -> None:
    for assumption in assumptions().values():
        assert len(assumption.why) > 15, assumption.name
        assert set(assumption.values) == {"production", "staging", "sandbox"}, assumption.name


def test_lines_that_say_the_same_are_shown_as_one_row() -> None:
    found = estimate(
        _deployed({f"Alarm{number}": _body("AWS::CloudWatch::Alarm", {"Period": 60}) for number in range(15)})
    )
    (row,) = rows(found)
    assert (row.quantity, row.usd) == (Decimal(15), Decimal("1.50"))


def _assembly(folder: Path, resources: Mapping[str, Body]) -> Path:
    stage = folder / "assembly-production"
    stage.mkdir(parents=True)
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111111111111/eu-west-1",
        "properties": {"stackName": "production-parts", "templateFile": "parts.json"},
    }
    (stage / "manifest.json").write_text(json.dumps({"artifacts": {"parts": stack}}))
    (stage / "parts.json").write_text(json.dumps({"Resources": resources}))
    return folder


def test_the_last_line_of_the_command_is_json_with_the_totals(tmp_path: Path) -> None:
    assembly = _assembly(tmp_path, {"Key": _body("AWS::KMS::ReplicaKey", {})})
    done = CliRunner().invoke(main, [str(assembly)])
    assert done.exit_code == 0
    assert "production: 1.00 USD a month" in done.output
    last = json.loads(done.output.splitlines()[-1])
    assert last["environments"] == {"production": {"total_usd": "1.00"}}
    assert last["prices_checked"] == price_table().checked.isoformat()


def test_with_json_every_line_is_given_and_no_amount_is_a_number(tmp_path: Path) -> None:
    assembly = _assembly(tmp_path, {"Key": _body("AWS::KMS::ReplicaKey", {})})
    done = CliRunner().invoke(main, [str(assembly), "--json"])
    (line,) = json.loads(done.output)["environments"]["production"]["lines"]
    assert (line["where"], line["quantity"], line["usd"]) == ("production/parts/Key", "1", "1.00")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [((), "AWS::EC2::Instance"), (("--environment", "staging"), "holds no staging, only production")],
)
def test_what_cannot_be_computed_ends_with_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    assembly = _assembly(tmp_path, {"It": _body("AWS::EC2::Instance", {})})
    done = CliRunner().invoke(main, [str(assembly), *arguments])
    assert done.exit_code == 1
    assert sentence in done.output


def test_a_folder_without_an_assembly_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert done.exit_code == 1
    assert "make synth" in done.output


def test_every_refusal_is_one_kind_of_error() -> None:
    assert all(issubclass(kind, CostError) for kind in (UnknownTypeError, UnpricedError, NoPriceError))
