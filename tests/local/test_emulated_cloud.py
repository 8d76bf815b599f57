"""What we add to MiniStack, in a real MiniStack, deployed by real CloudFormation templates."""

import io
import json
import os
import signal
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import boto3
import httpx2
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local_cloud import parts, tasks
from local_cloud.cloud import ACCESS, Cloud
from local_cloud.settings import REGION
from local_cloud.supervisor.client import Client
from local_cloud.supervisor.running import State
from tests.faults.waiting import until
from tests.local import counting_template, edge_template, listening
from tests.local.counting_template import GROUP, METRIC, NAMESPACE
from tests.local.free_ports import settings_of_our_own

pytestmark = pytest.mark.enable_socket


class EmulatedCloud:
    """A MiniStack of this module's own, under a supervisor."""

    def __init__(self, cloud: Cloud, supervisor: Client) -> None:
        self.cloud = cloud
        self.supervisor = supervisor
        # Any service by its name: the typed overloads know only literals.
        self._session: Any = boto3.session.Session(
            region_name=REGION,
            aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
        )

    def client(self, service: str) -> Any:
        return self._session.client(
            service,
            endpoint_url=self.cloud.settings.cloud_url,
        )

    def deploy(self, stack: str, resources: dict[str, Any], **outputs: Any) -> dict[str, str]:
        """Create a stack and answer its outputs."""
        template = {
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def get(self, host: str, path: str) -> tuple[int, bytes]:
        """What a viewer of a distribution gets."""
        viewer = {"Host": host, "X-Forwarded-Proto": "https"}
        answer = httpx2.get(f"{self.cloud.settings.cloud_url}{path}", headers=viewer)
        return answer.status_code, answer.content


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedCloud]:
    settings = settings_of_our_own(tmp_path_factory.mktemp("cloud"))
    supervisor = Client(run=settings.state, log=settings.log_of("supervisor"))
    supervisor.start()
    supervisor.ensure(parts.cloud(settings))
    yield EmulatedCloud(Cloud(settings), supervisor)
    supervisor.end()


def test_a_managed_master_password_is_a_secret(emulated: EmulatedCloud) -> None:
    instance = {
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": "20",
        "MasterUsername": "amply_master",
        "ManageMasterUserPassword": True,
    }
    outputs = emulated.deploy(
        "database",
        {"Database": {"Type": "AWS::RDS::DBInstance", "Properties": instance}},
        Secret={"Fn::GetAtt": ["Database", "MasterUserSecret.SecretArn"]},
    )
    login = json.loads(emulated.cloud.secret(outputs["Secret"]))
    assert login["username"] == "amply_master"
    assert len(login["password"]) >= 32

    cloudformation = emulated.client("cloudformation")
    cloudformation.delete_stack(StackName="database")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="database", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        emulated.client("secretsmanager").describe_secret(SecretId=outputs["Secret"])


@pytest.mark.parametrize(
    "named",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Host": "attacker.example"},
        {"Origin": "http://127.0.0.1.attacker.example"},
    ],
)
def test_a_web_page_cannot_read_the_cloud_through_a_browser(
    emulated: EmulatedCloud, named: dict[str, str]
) -> None:
    url = f"{emulated.cloud.settings.cloud_url}/_ministack/health"
    refused = httpx2.get(url, headers=named)
    preflight = httpx2.options(url, headers=named)

    assert {refused.status_code, preflight.status_code} == {403}
    assert "access-control-allow-origin" not in {*refused.headers, *preflight.headers}


def test_a_program_and_a_page_of_this_machine_are_answered(emulated: EmulatedCloud) -> None:
    url = f"{emulated.cloud.settings.cloud_url}/_ministack/health"

    assert httpx2.get(url).status_code == 200
    assert httpx2.get(url, headers={"Origin": emulated.cloud.settings.edge_url}).status_code == 200


def test_a_task_definition_keeps_its_secrets_and_health_check(emulated: EmulatedCloud) -> None:
    container = {
        "Name": "worker",
        "Image": "localhost/amply",
        "Command": ["python", "-m", "amply.entrypoints.worker"],
        "Environment": [{"Name": "AMPLY_SERVICE", "Value": "worker"}],
        "Secrets": [{"Name": "AMPLY_KEY", "ValueFrom": {"Fn::Join": ["", [{"Ref": "Key"}, ":inner::"]]}}],
        "HealthCheck": {"Command": ["CMD", "true"], "Interval": 15, "StartPeriod": 60},
        "DockerLabels": {"Kept": "As it is"},
        "StopTimeout": 60,
    }
    emulated.deploy(
        "tasks",
        {
            "Key": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "GenerateSecretString": {
                        "SecretStringTemplate": "{}",
                        "GenerateStringKey": "inner",
                        "ExcludePunctuation": True,
                        "PasswordLength": 64,
                    }
                },
            },
            "Task": {
                "Type": "AWS::ECS::TaskDefinition",
                "Properties": {"Family": "local-worker", "ContainerDefinitions": [container]},
            },
        },
    )
    task = tasks.one_off(emulated.cloud, "worker")
    assert task.command == ("python", "-m", "amply.entrypoints.worker")
    assert task.environment == {"AMPLY_SERVICE": "worker"}
    assert task.health is not None
    assert task.health.command == ("true",)
    assert task.health.interval == 15
    assert task.stop_seconds == 60
    secret = tasks.secret(task, "AMPLY_KEY", emulated.cloud)
    assert len(secret) == 64
    assert secret.isalnum()


def test_object_lock_is_enforced_as_declared(emulated: EmulatedCloud) -> None:
    properties = {
        "BucketName": "archive",
        "ObjectLockEnabled": True,
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    emulated.deploy("archive", {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}})
    s3 = emulated.client("s3")
    version = s3.put_object(Bucket="archive", Key="checkpoint", Body=b"signed")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="archive", Key="checkpoint", VersionId=version)


def test_a_type_that_does_not_run_here_is_recorded_and_said_to_be(emulated: EmulatedCloud) -> None:
    gateway = {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": "subnet-1"}}
    outputs = emulated.deploy("network", {"Gateway": gateway}, Gateway={"Ref": "Gateway"})
    assert outputs["Gateway"] == "network-Gateway-recorded"
    log = emulated.cloud.settings.log_of("cloud").read_text()
    assert "AWS::EC2::NatGateway in network is recorded, not run: a laptop has one loopback network" in log


def test_a_raw_message_is_kept_whole_with_its_attachment(emulated: EmulatedCloud) -> None:
    ses = emulated.client("sesv2")
    ses.create_email_identity(EmailIdentity="example.org")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Receipt"
    message.set_content("Thank you.")
    message.add_attachment("proof\n", filename="don_1.tlog-proof")
    ses.send_email(
        FromEmailAddress="a@example.org",
        Destination={"ToAddresses": ["b@example.org"]},
        Content={"Raw": {"Data": message.as_bytes()}},
    )
    (kept,) = emulated.cloud.settings.mail.glob("*.eml")
    assert kept.read_bytes() == message.as_bytes()
    assert json.loads(kept.with_suffix(".json").read_text())["to"] == ["b@example.org"]


def test_the_edge_serves_what_a_bucket_deployment_put_there(emulated: EmulatedCloud) -> None:
    _upload_site(emulated, {"index.html": b"front <TOKEN>", "folder/index.html": b"folder"})
    host = emulated.deploy(
        "edge", edge_template.RESOURCES, Host={"Fn::GetAtt": ["Distribution", "DomainName"]}
    )["Host"]
    assert emulated.get(host, "/") == (200, b"front deployed")
    assert emulated.get(host, "/folder/") == (200, b"folder")
    assert emulated.get(host, "/missing")[0] == 403
    head = emulated.client("s3").head_object(Bucket="site", Key="index.html")
    assert head["ContentType"] == "text/html"
    assert head["CacheControl"] == "no-cache"


def _upload_site(emulated: EmulatedCloud, files: dict[str, bytes]) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, body in files.items():
            packed.writestr(name, body)
    s3 = emulated.client("s3")
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key="site.zip", Body=archive.getvalue())


def test_a_killed_cloud_comes_back_with_its_keys_objects_secrets_and_stacks(emulated: EmulatedCloud) -> None:
    kms = emulated.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    public_key = kms.get_public_key(KeyId=key)["PublicKey"]
    emulated.client("s3").create_bucket(Bucket="kept")
    emulated.client("s3").put_object(Bucket="kept", Key="a", Body=b"object")
    emulated.client("secretsmanager").create_secret(Name="kept", SecretString="secret")
    emulated.deploy("kept", {"Queue": {"Type": "AWS::SQS::Queue"}})
    _wait_until_saved(
        emulated, {"kms.json": key, "cloudformation.json": '"kept"', "secretsmanager.json": "kept"}
    )
    _kill_and_wait(emulated)
    assert kms.get_public_key(KeyId=key)["PublicKey"] == public_key
    signed = kms.sign(KeyId=key, Message=b"checkpoint", SigningAlgorithm="ED25519_SHA_512", MessageType="RAW")
    verifier = load_der_public_key(public_key)
    assert isinstance(verifier, Ed25519PublicKey)
    verifier.verify(signed["Signature"], b"checkpoint")
    assert emulated.client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"object"
    assert emulated.cloud.secret("kept") == "secret"
    stacks = emulated.client("cloudformation").describe_stacks(StackName="kept")["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"


def _wait_until_saved(emulated: EmulatedCloud, saved: dict[str, str]) -> None:
    """By the name of a file of the cloud's state, what must stand in it."""
    state = emulated.cloud.settings.emulator / "state"
    until(
        lambda: all(
            (state / name).exists() and text in (state / name).read_text() for name, text in saved.items()
        ),
        otherwise="the cloud has not saved its state",
    )


def _kill_and_wait(emulated: EmulatedCloud) -> None:
    (part,) = emulated.supervisor.status()
    assert part.pid is not None
    os.kill(part.pid, signal.SIGKILL)

    def is_back() -> bool:
        (now,) = emulated.supervisor.status()
        return now.restarts > part.restarts and now.state is State.HEALTHY

    until(is_back, otherwise="the cloud does not come back")


def _counted(emulated: EmulatedCloud) -> float:
    """How many lines the metric has counted in the last hour."""
    now = datetime.now(UTC)
    answer = emulated.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=METRIC,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in answer["Datapoints"]))


def _alarm_state(emulated: EmulatedCloud) -> str:
    (alarm,) = emulated.client("cloudwatch").describe_alarms(AlarmNames=["counting"])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_a_line_counts_once_by_the_deployed_filter_and_the_alarm_rings(emulated: EmulatedCloud) -> None:
    """Written by a process before the cloud is killed or after, or handed in; whatever becomes of other logs and filters."""
    settings = emulated.cloud.settings
    settings.log_of("broken").mkdir(parents=True)
    emulated.deploy("counting", counting_template.resources())
    logs = emulated.client("logs")
    other = {"metricNamespace": NAMESPACE, "metricName": "Other", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=GROUP, filterName="other", filterPattern="understood", metricTransformations=[other]
    )
    _wait_until_saved(
        emulated,
        {"cloudwatch_logs.json": "understood", "cloudwatch.json": METRIC, "ecs.json": "local-counting"},
    )
    line = json.dumps({"event": "k_anon_violation"})

    def write() -> None:
        with settings.log_of("counting").open("a") as log:
            log.write(f'{{"event": "another"}}\n{line}\n')

    write()
    until(lambda: _counted(emulated) == 1, otherwise="the line is not counted")
    assert _alarm_state(emulated) != "ALARM"
    saved = settings.emulator / "state" / "cloudwatch_logs.json"
    saved.write_text(saved.read_text().replace("understood", "%not understood%"))
    _kill_and_wait(emulated)
    write()
    until(lambda: _counted(emulated) >= 2, otherwise="the second line is not counted")
    logs.create_log_stream(logGroupName=GROUP, logStreamName="function")
    event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": line}
    logs.put_log_events(logGroupName=GROUP, logStreamName="function", logEvents=[event])
    until(lambda: _counted(emulated) >= 3, otherwise="the event is not counted")
    assert _counted(emulated) == 3
    assert _alarm_state(emulated) == "ALARM"


def test_a_filter_that_would_not_be_counted_as_it_says_is_refused(emulated: EmulatedCloud) -> None:
    logs = emulated.client("logs")
    logs.create_log_group(logGroupName="refusing")
    with pytest.raises(ClientError, match=r"does not understand the filter pattern .* use words and quoted"):
        logs.put_metric_filter(
            logGroupName="refusing",
            filterName="refused",
            filterPattern="{ $.status >= 500 }",
            metricTransformations=[{"metricNamespace": NAMESPACE, "metricName": METRIC, "metricValue": "1"}],
        )


def test_the_cloud_listens_on_loopback_only(emulated: EmulatedCloud) -> None:
    (part,) = emulated.supervisor.status()
    assert part.pid is not None
    assert listening.addresses([part.pid]) == {"127.0.0.1"}
