"""A deployment that would lose data is refused by the real programs: the CDK's command line, in an emulated cloud."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from click.testing import CliRunner, Result

from operations.assembly import read
from operations.deploy import Deployment, cli
from operations.gate import Gate, WouldLoseDataError
from operations.lookup import cloudformation
from stacks.environments import SANDBOX
from stacks.images import image_missing
from stacks.stack import AmplyStack
from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.infrastructure.assembly import ROOT
from tests.operations.conftest import TODAY
from tests.ports import free_port

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.slow]

ACCOUNT: Final = "000000000000"
REGION: Final = "eu-west-1"
APPROVAL = """
[[replacement]]
environment = "sandbox"
stack = "storage"
logical_id = "Documents"
reason = "Everything was copied to the new bucket last week."
until = 9999-12-31
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cloud with a sandbox in it: one stack, one bucket."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }.items():
            environment.setenv(name, value)
        environment.chdir(ROOT)  # where the command line of the CDK is
        folder = tmp_path_factory.mktemp("cloud")
        with emulated_cloud(port=free_port(), directory=folder) as address:
            environment.setenv("AWS_ENDPOINT_URL", address)
            _bootstrap()
            yield


def _bootstrap() -> None:
    """What the command line looks for before it deploys; the emulator asks nobody for a role."""
    boto3.client("ssm", region_name=REGION).put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
    )
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}",
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )


@pytest.mark.usefixtures("cloud")
def test_a_refusal_is_said_before_any_stack_is_made(tmp_path: Path) -> None:
    """By CloudFormation, to whoever deploys with the command line alone; `network` stands first without an image."""
    environment = replace(SANDBOX, account=ACCOUNT, region=REGION)
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    stage = cdk.Stage(app, "sandbox", env=cdk.Environment(account=ACCOUNT, region=REGION))
    network, queues = (
        AmplyStack(stage, name, environment=environment, description="Amply: in a test")
        for name in ("network", "queues")
    )
    network.refuse("ImageMissing", image_missing("sandbox"))
    queues.add_stack_dependency(network)
    for stack in (network, queues):
        sqs.CfnQueue(stack, "Queue")
    before = _stacks()

    done = subprocess.run(
        [
            *("node_modules/.bin/cdk", "deploy", "sandbox/*"),
            *("--app", app.synth().directory, "--require-approval", "never"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"failed: {image_missing('sandbox')}" in done.stderr
    assert _stacks() == before


def _stacks() -> set[str]:
    pages = boto3.client("cloudformation", region_name=REGION).get_paginator("describe_stacks").paginate()
    return {stack["StackName"] for page in pages for stack in page["Stacks"]}


@pytest.fixture
def assembly(tmp_path: Path) -> Callable[[str], Path]:
    """Synthesises the sandbox with its bucket under a logical id, once."""

    @cache
    def synthesise(logical_id: str) -> Path:
        app = cdk.App(outdir=str(tmp_path / logical_id), builtin_cloud_formation_validation=False)
        stack = cdk.Stack(
            cdk.Stage(app, "sandbox", env=cdk.Environment(account=ACCOUNT, region=REGION)),
            "storage",
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        bucket = s3.CfnBucket(stack, "Bucket")
        bucket.override_logical_id(logical_id)
        return Path(app.synth().directory)

    return synthesise


def _words(assembly: Path, approved: Path) -> list[str]:
    return ["sandbox", "--assembly", str(assembly), "--replacements", str(approved)]


def _typed(assembly: Path, approved: Path) -> subprocess.CompletedProcess[str]:
    """As the pipeline runs it."""
    return subprocess.run(
        [sys.executable, "-m", "operations.deploy", *_words(assembly, approved)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _deploy(assembly: Path, approved: Path) -> Result:
    """The same command without a process of its own; the CDK's has one."""
    return CliRunner().invoke(cli, _words(assembly, approved))


def _buckets() -> set[str]:
    """The logical ids of the buckets that stand in the stack."""
    resources = boto3.client("cloudformation", region_name=REGION).list_stack_resources(
        StackName="sandbox-storage"
    )
    return {it["LogicalResourceId"] for it in resources["StackResourceSummaries"]}


@pytest.mark.usefixtures("cloud")
def test_a_bucket_is_lost_only_with_an_approval(assembly: Callable[[str], Path], tmp_path: Path) -> None:
    nothing_agreed, agreed = tmp_path / "none.toml", tmp_path / "agreed.toml"
    nothing_agreed.write_text("")
    agreed.write_text(APPROVAL)

    first = _typed(assembly("Documents"), nothing_agreed)
    assert first.returncode == 0, first.stdout + first.stderr
    assert _buckets() == {"Documents"}

    again = _deploy(assembly("Documents"), nothing_agreed)
    assert again.exit_code == 0, again.stderr
    assert again.stdout.endswith("sandbox/storage: no changes\n"), again.stdout

    refused = _deploy(assembly("Files"), nothing_agreed)
    assert refused.exit_code == 3, refused.stdout + refused.stderr
    assert "  storage/Documents (bucket) is destroyed: its objects" in refused.stderr
    assert _buckets() == {"Documents"}

    unseen = Deployment(
        deployed=read(assembly("Files"))["sandbox"],
        assembly=assembly("Files"),
        cdk="node_modules/.bin/cdk",
        client=cloudformation,
        # As if what is lost had come between the comparison and the change set.
        gate=Gate(running=lambda deployed: deployed, approved=(), today=TODAY),
    )
    with pytest.raises(WouldLoseDataError, match="The change set of sandbox/storage is not executed"):
        unseen.run(up_to=None)
    assert _buckets() == {"Documents"}

    done = _deploy(assembly("Files"), agreed)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert _buckets() == {"Files"}
