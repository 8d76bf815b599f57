"""The stranger's view: where it runs, what it is made of, and what it may do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.outside_view import lay_out
from tests.infrastructure.assembly import Deployed, Resource
from tests.verify.ledger_samples import cosigned, sample_policy, sign

WATCHED = ("production", "staging")
EMPTY_ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("script"))


def _canary(deployed: Deployed) -> Resource:
    return deployed.the("AWS::Synthetics::Canary")


def _allowed(deployed: Deployed) -> dict[str, object]:
    """Action to resource, of everything the canary's role may do."""
    return {
        action: statement["Resource"]
        for policy in deployed.resources("AWS::IAM::Policy")
        if "/OutsideView/" in policy.path
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_it_looks_where_people_rely_on_it(deployed: Deployed) -> None:
    canaries = list(deployed.resources("AWS::Synthetics::Canary"))

    assert len(canaries) == (1 if deployed.name in WATCHED else 0)
    for canary in canaries:
        assert canary.properties["Schedule"]["Expression"] == "rate(5 minutes)"
        assert "VPCConfig" not in canary.properties, "a stranger comes from outside"


@pytest.mark.parametrize("name", WATCHED)
def test_it_is_told_addresses_and_the_logs_name(name: str, environments: dict[str, Deployed]) -> None:
    told = _canary(environments[name]).properties["RunConfig"]["EnvironmentVariables"]

    assert set(told) == {
        "AMPLY_API_URL",
        "AMPLY_EDGE_URL",
        "AMPLY_LOG_URL",
        "AMPLY_LOG_ORIGIN",
        "AMPLY_WITNESS_POLICY",
        "AMPLY_SIGNING_KEY_ARN",
        "AMPLY_OVERLAPPING_KEY_ARN",
    }
    assert told["AMPLY_LOG_ORIGIN"] == f"log.amply.example/{name}"
    assert told["AMPLY_WITNESS_POLICY"] == _told_to_the_publisher(environments[name])


def _told_to_the_publisher(deployed: Deployed) -> str:
    (publisher,) = (
        task
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == f"{deployed.name}-publisher"
    )
    (container,) = publisher.properties["ContainerDefinitions"]
    return str({each["Name"]: each["Value"] for each in container["Environment"]}["AMPLY_WITNESS_POLICY"])


@pytest.mark.parametrize("name", WATCHED)
def test_it_may_read_the_log_s_key_and_never_sign(name: str, environments: dict[str, Deployed]) -> None:
    assert set(_allowed(environments[name])) == {
        "cloudwatch:PutMetricData",
        "kms:GetPublicKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetBucketLocation",
        "s3:ListBucket",
        "s3:PutObject",
    }


@pytest.mark.parametrize("name", WATCHED)
def test_it_writes_to_a_log_that_forgets_and_cannot_make_another(
    name: str, environments: dict[str, Deployed]
) -> None:
    deployed = environments[name]
    (log,) = (group for group in deployed.resources("AWS::Logs::LogGroup") if "/OutsideView/" in group.path)

    assert log.properties["RetentionInDays"] == (365 if name == "production" else 30)
    assert "SourceLocationArn" in json.dumps(log.properties["LogGroupName"])
    assert _allowed(deployed)["logs:PutLogEvents"] == {"Fn::GetAtt": [log.logical_id, "Arn"]}


def test_two_failed_looks_page(environments: dict[str, Deployed]) -> None:
    (alarm,) = (
        alarm
        for alarm in environments["production"].resources("AWS::CloudWatch::Alarm")
        if alarm.properties.get("MetricName") == "SuccessPercent"
    )
    properties = alarm.properties
    assert (properties["Threshold"], properties["ComparisonOperator"]) == (100, "LessThanThreshold")
    assert (properties["Period"], properties["EvaluationPeriods"]) == (300, 2)
    assert properties["TreatMissingData"] == "breaching"


def test_its_handler_is_where_the_runtime_looks(script: Path, environments: dict[str, Deployed]) -> None:
    file, _, function = _canary(environments["production"]).properties["Code"]["Handler"].partition(".")

    assert f"def {function}(" in (script / "python" / f"{file}.py").read_text()


def test_its_checks_run_with_nothing_installed(script: Path) -> None:
    """Without site-packages: the runtime has the standard library and boto3, and no `cryptography`."""
    program = (
        f"import sys; sys.path.insert(0, {str(script / 'python')!r}); "
        "from amply_canary import checks; "
        'print(checks.read_freshness(b\'{"published_size": 3, "oldest_unpublished_seconds": 0}\').published_size)'
    )
    assert _with_nothing_installed(program) == "3"


@pytest.mark.parametrize(("names", "expected"), [(("harbour", "orchard"), "met"), (("harbour",), "not met")])
def test_it_verifies_cosignatures_with_nothing_installed(
    script: Path, names: tuple[str, ...], expected: str
) -> None:
    """All but the one import of boto3 that `keys` begins with, for which an empty module stands."""
    note = cosigned(sign("log.amply.example/example\n0\n" + EMPTY_ROOT + "\n"), *names)
    program = f"""
import sys, types
sys.path.insert(0, {str(script / "python")!r})
for name in ("boto3", "botocore", "botocore.config"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["botocore.config"].Config = dict
from amply_canary.keys import read_policy
from ledger_format.checkpoints import witnessed_by
from ledger_format.notes import open_note
policy = read_policy({sample_policy(logs=()).text()!r})
found = witnessed_by(open_note({note!r}, policy.witness_keys), policy)
print("met" if policy.is_met([each.name for each in found]) else "not met")
"""
    assert _with_nothing_installed(program) == expected


def _with_nothing_installed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_it_is_plain_files(script: Path) -> None:
    assert {file.suffix for file in script.rglob("*") if file.is_file()} == {".py"}
