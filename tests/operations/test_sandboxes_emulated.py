"""The reaper over real stacks, in an emulated cloud: what it removes, and what it would never touch."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from operations.sandboxes import cli
from operations.sandboxes.cloud import CloudFormation, NotRemovedError, Patience
from operations.sandboxes.leases import named_sandboxes
from stacks.contracts import Parameter
from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.ports import free_port

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.usefixtures("address")]

IRELAND, VIRGINIA = "eu-west-1", "us-east-1"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cloud of each test's own: what is left in it is the result."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(cli, "today", lambda: date(2026, 11, 26))
    with emulated_cloud(port=free_port(), directory=tmp_path) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield address


def _client(region: str) -> Any:
    return boto3.client("cloudformation", region_name=region)


def _deploy(
    name: str,
    tags: Mapping[str, str],
    *,
    reads: str | None = None,
    region: str = IRELAND,
    protected: bool = False,
) -> None:
    """A stack with a queue, whose name another stack may read."""
    queue: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {}}
    if reads:
        output = {"Fn::GetStackOutput": {"StackName": reads, "Region": region, "OutputName": "Arn"}}
        queue["Properties"]["RedrivePolicy"] = {"deadLetterTargetArn": output, "maxReceiveCount": 3}
    template = {
        "Resources": {"Queue": queue},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    }
    client = _client(region)
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        EnableTerminationProtection=protected,
    )
    client.get_waiter("stack_create_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )


def _lease(name: str, expires: str) -> Mapping[str, str]:
    return {"amply:environment": name, "amply:owner": "ada@example.org", "amply:expires": expires}


def _left(region: str = IRELAND) -> set[str]:
    return {stack["StackName"] for stack in _client(region).describe_stacks()["Stacks"]}


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, arguments)


def test_only_what_has_expired_goes_and_consumers_go_first() -> None:
    old, young = _lease("sandbox-old", "2026-11-25"), _lease("sandbox-young", "2026-11-26")
    _deploy("sandbox-old-queues", old)
    _deploy("sandbox-old-api", old, reads="sandbox-old-queues")
    _deploy("sandbox-old-certificate", old, region=VIRGINIA)
    _deploy("sandbox-young-queues", young)
    _deploy("sandbox-queues", {"amply:environment": "sandbox"})
    _deploy("sandbox-old-handmade", {})
    _deploy("production-queues", _lease("production", "2026-11-25"))

    done = _run("reap")

    assert done.exit_code == 0, done.output
    gone = [line.split()[0] for line in done.output.splitlines() if line.endswith("is gone")]
    assert set(gone) == {"sandbox-old-queues", "sandbox-old-api", "sandbox-old-certificate"}
    assert gone.index("sandbox-old-api") < gone.index("sandbox-old-queues")
    assert _left() == {
        "sandbox-young-queues",
        "sandbox-queues",
        "sandbox-old-handmade",
        "production-queues",
    }
    assert _left(VIRGINIA) == set()


def test_a_dry_run_says_what_would_go_and_removes_nothing() -> None:
    old = _lease("sandbox-old", "2026-11-25")
    _deploy("sandbox-old-queues", old)
    _deploy("sandbox-old-api", old, reads="sandbox-old-queues")

    done = _run("reap", "--dry-run")

    assert done.exit_code == 0, done.output
    assert [line.strip() for line in done.output.splitlines()] == [
        "sandbox-old of ada@example.org expired on 2026-11-25",
        "sandbox-old-api (eu-west-1) would be deleted",
        "sandbox-old-queues (eu-west-1) would be deleted",
    ]
    assert _left() == {"sandbox-old-queues", "sandbox-old-api"}


def test_a_protected_sandbox_stays_whole_is_told_of_and_stops_no_other() -> None:
    kept, old = _lease("sandbox-kept", "2026-11-25"), _lease("sandbox-old", "2026-11-25")
    _deploy("sandbox-kept-queues", kept)
    _deploy("sandbox-kept-storage", kept, protected=True)
    _deploy("sandbox-old-queues", old)

    done = _run("reap")

    assert done.exit_code == cli.NOT_REMOVED
    assert "sandbox-kept-storage is protected from termination" in done.output
    assert _left() == {"sandbox-kept-queues", "sandbox-kept-storage"}


def test_a_lease_that_was_extended_meanwhile_is_respected() -> None:
    _deploy("sandbox-old-queues", _lease("sandbox-old", "2026-11-25"))
    cloud = CloudFormation([IRELAND], Patience(every_seconds=1, times=30))
    (seen,) = named_sandboxes(cloud.stacks())
    extended = _lease("sandbox-old", "2026-12-24")
    _client(IRELAND).update_stack(
        StackName="sandbox-old-queues",
        UsePreviousTemplate=True,
        Tags=[{"Key": key, "Value": value} for key, value in extended.items()],
    )
    _client(IRELAND).get_waiter("stack_update_complete").wait(
        StackName="sandbox-old-queues", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )

    with pytest.raises(NotRemovedError, match="has changed since"):
        cloud.remove(seen.stacks[0])

    assert _left() == {"sandbox-old-queues"}


def test_the_list_says_whose_each_is_and_how_long_it_stays() -> None:
    _deploy("sandbox-old-queues", _lease("sandbox-old", "2026-11-25"))
    _deploy("sandbox-young-queues", _lease("sandbox-young", "2026-12-06"))

    listed = json.loads(_run("list", "--json").output)
    table = _run("list").output

    assert [(sandbox["name"], sandbox["has_expired"]) for sandbox in listed] == [
        ("sandbox-old", True),
        ("sandbox-young", False),
    ]
    assert "expired" in table
    assert " 10 " in table


def test_each_expired_one_can_be_taken_away_by_itself() -> None:
    """The night has one job for each, with credentials of its own: the list is what its matrix is made of."""
    for name, day in {
        "sandbox-old": "2026-11-25",
        "sandbox-older": "2026-11-24",
        "sandbox-young": "2026-11-26",
    }.items():
        _deploy(f"{name}-queues", _lease(name, day))

    assert _run("expired").output == 'sandboxes=["sandbox-old", "sandbox-older"]\n'
    done = _run("reap", "--only", "sandbox-older")
    assert done.exit_code == 0, done.output
    assert _left() == {"sandbox-old-queues", "sandbox-young-queues"}

    late = _run("reap", "--only", "sandbox-young")
    assert (late.exit_code, late.output) == (0, "sandbox-young has not expired.\n")
    assert _left() == {"sandbox-old-queues", "sandbox-young-queues"}


def test_where_nothing_has_expired_there_is_no_job() -> None:
    assert _run("expired").output == "sandboxes=[]\n"


def test_nothing_expired_is_nothing_to_do() -> None:
    done = _run("reap")
    assert (done.exit_code, done.output) == (0, "No named sandbox has expired.\n")


def test_a_cloud_that_cannot_be_asked_is_no_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    done = _run("reap")
    assert done.exit_code == cli.UNREACHABLE
    assert "Could not list the stacks" in done.output


def test_an_environment_says_where_it_is_reached() -> None:
    ssm = boto3.client("ssm", region_name=IRELAND)
    for path, url in {
        Parameter.API_URL: "https://api.example.org",
        Parameter.EDGE_URL: "https://edge.example.org",
        Parameter.LOG_ORIGIN: "log.example.org",
        Parameter.SIGNING_KEY_ARN: "arn:aws:kms:eu-west-1:1:key/2",
    }.items():
        ssm.put_parameter(Name=path.path("sandbox-ada"), Value=url, Type="String")

    assert _run("addresses", "sandbox-ada").output == (
        "API=https://api.example.org EDGE=https://edge.example.org LOG=https://edge.example.org/log "
        "ORIGIN=log.example.org SIGNING_KEY=arn:aws:kms:eu-west-1:1:key/2\n"
    )


def test_an_environment_that_is_not_there_has_no_address() -> None:
    done = _run("addresses", "sandbox-nobody")
    assert done.exit_code == cli.UNREACHABLE
    assert "/amply/sandbox-nobody/api/url" in done.output
