"""Stacks are deployed in order, each by a change set that is prepared, shown, read and then executed."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from mypy_boto3_cloudformation.client import CloudFormationClient

from operations.assembly import Deployed
from operations.deploy import (
    CHANGE_SET,
    Deployment,
    DeploymentFailedError,
    changes,
    cli,
    last_error,
    passed_on,
)
from operations.difference.review import nothing
from operations.gate import Gate, WouldLoseDataError
from operations.locations import AccountRegion, NoSuchEnvironmentError, environment_of
from operations.losses import prepared
from operations.readiness import NotFinishedError, refuse_unfinished
from tests.operations.conftest import TODAY
from tests.operations.small_assembly import small_assembly

CDK = """#!/usr/bin/env python3
import json, pathlib, sys
here = pathlib.Path(__file__).parent
stack, method = sys.argv[2], sys.argv[sys.argv.index("--method") + 1]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if (here / "fails").exists() and (here / "fails").read_text() == f"{stack} {method}":
    print("\x1b[31m❌  failed: the bucket is not empty\x1b[39m", file=sys.stderr)
    sys.exit("See https://docs.example/")
print(f"{stack} (no changes)" if stack.endswith("network") else f"{stack} deployed")
"""
"""Stands in for the command line: notes each call, finds no changes in the network, fails where it is told to."""


def _answering(change: dict[str, Any]) -> Callable[[AccountRegion], CloudFormationClient]:
    def client(_place: AccountRegion) -> CloudFormationClient:
        client = boto3.client(
            "cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        answers = Stubber(client)
        answers.add_response("describe_change_set", {"Changes": [change]})
        answers.activate()
        return client

    return client


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    cdk = tmp_path / "cdk"
    cdk.write_text(CDK)
    cdk.chmod(0o755)
    assembly = small_assembly(tmp_path, "sandbox")
    return Deployment(
        deployed=environment_of(assembly, "sandbox"),
        assembly=assembly,
        cdk=str(cdk),
        client=_answering(_change("Modify", "Api")),
        gate=Gate(running=lambda deployed: nothing(deployed.name), approved=(), today=TODAY),
    )


def _calls(deployment: Deployment) -> list[tuple[str, str]]:
    lines = (Path(deployment.cdk).parent / "calls").read_text().splitlines()
    calls = [json.loads(line) for line in lines]
    assert all(call[call.index("--change-set-name") + 1] == CHANGE_SET for call in calls)
    assert all("--exclusively" in call and str(deployment.assembly) in call for call in calls)
    return [(call[1].partition("/")[2], call[call.index("--method") + 1]) for call in calls]


def test_each_stack_is_prepared_and_then_executed(deployment: Deployment) -> None:
    deployment.run(up_to=None)
    expected = [("network", "prepare-change-set")]
    for stack in ("database", "api", "migrations", "certificate"):
        expected += [(stack, "prepare-change-set"), (stack, "execute-change-set")]
    assert _calls(deployment) == expected


def test_a_stack_without_changes_is_left_alone(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.run(up_to="network")
    assert _calls(deployment) == [("network", "prepare-change-set")]
    assert capsys.readouterr().out.splitlines()[-1] == "sandbox/network: no changes"


def test_up_to_a_stack_means_with_what_it_stands_on(deployment: Deployment) -> None:
    assert deployment.stacks("migrations") == ["network", "database", "migrations"]


@pytest.mark.parametrize("method", ["prepare-change-set", "execute-change-set"])
def test_a_failure_stops_there_and_says_what_the_command_line_said(
    deployment: Deployment, method: str
) -> None:
    (Path(deployment.cdk).parent / "fails").write_text(f"sandbox/database {method}")
    with pytest.raises(DeploymentFailedError) as failure:
        deployment.run(up_to=None)
    assert str(failure.value) == f"sandbox/database failed ({method}): failed: the bucket is not empty"
    assert _calls(deployment)[-1] == ("database", method)


def test_each_line_is_passed_on_when_it_is_said(tmp_path: Path) -> None:
    """The program waits for an answer to its first line before it says a second one."""
    patient, answer = tmp_path / "patient", tmp_path / "answer"
    patient.write_text(
        f"#!/bin/sh\nmkfifo {answer} && echo '\033[32mfirst\033[0m' && read -r word < {answer} && echo $word\n"
    )
    patient.chmod(0o755)

    class Listener(io.StringIO):
        def write(self, text: str) -> int:
            written = super().write(text)
            if "first" in text:
                answer.write_text("second\n")
            return written

    with redirect_stdout(Listener()) as heard:
        code, said = passed_on([str(patient)], "sandbox/network")
    assert (code, said) == (0, ["first", "second"])
    assert heard.getvalue() == "sandbox/network | first\nsandbox/network | second\n"


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ([], "it said nothing"),
        (["deploying", "the end"], "the end"),
        (
            ["12:00 CREATE_FAILED AWS::S3::Bucket: exists", "see the console"],
            "12:00 CREATE_FAILED AWS::S3::Bucket: exists",
        ),
        (["one failed: a", "❌ two failed: b", "", "bye"], "two failed: b"),
    ],
)
def test_the_last_error_is_one_sentence(said: list[str], last: str) -> None:
    assert last_error(said) == last


def test_a_change_set_that_would_lose_data_is_prepared_and_never_executed(deployment: Deployment) -> None:
    bucket = _change("Remove", "Documents", ResourceType="AWS::S3::Bucket")
    with pytest.raises(WouldLoseDataError, match="sandbox/database is not executed"):
        replace(deployment, client=_answering(bucket)).run(up_to=None)
    assert _calls(deployment) == [
        ("network", "prepare-change-set"),
        ("database", "prepare-change-set"),
    ]


def test_an_environment_that_would_lose_data_is_not_touched_at_all(deployment: Deployment) -> None:
    def running(after: Deployed) -> Deployed:
        held = {"Resources": {"Documents": {"Type": "AWS::S3::Bucket", "Properties": {}}}}
        return replace(after, templates={**after.templates, "certificate": held})

    refusing = replace(deployment, gate=replace(deployment.gate, running=running))
    with pytest.raises(WouldLoseDataError, match=r"certificate/Documents \(bucket\) is destroyed"):
        refusing.run(up_to="migrations")
    assert not (Path(deployment.cdk).parent / "calls").exists()


def test_without_the_list_of_approvals_nothing_is_deployed(tmp_path: Path) -> None:
    """Not "none": a path that is wrong would otherwise look like a list that is empty."""
    assembly = small_assembly(tmp_path, "sandbox")
    done = CliRunner().invoke(
        cli, ["sandbox", "--assembly", str(assembly), "--replacements", str(tmp_path / "no")]
    )
    assert (done.exit_code, done.output.startswith("Not deployed: The approvals in")) == (2, True)


@pytest.mark.parametrize("up_to", [None, "network"])
def test_an_unfinished_environment_is_refused_before_anything_is_changed(
    deployment: Deployment, up_to: str | None
) -> None:
    never = {"Assert": {"Fn::Equals": ["placeholder", "real"]}, "AssertDescription": "Name the witnesses."}
    unfinished = {"Resources": {}, "Rules": {"Unfinished1": {"Assertions": [never]}}}
    templates = {**deployment.deployed.templates, "api": unfinished}
    refused = replace(deployment, deployed=replace(deployment.deployed, templates=templates))
    with pytest.raises(NotFinishedError, match=r"^Name the witnesses\.$"):
        refused.run(up_to=up_to)
    assert not (Path(deployment.cdk).parent / "calls").exists()


@pytest.mark.parametrize(
    "condition",
    [
        {"Fn::Equals": ["real", "real"]},
        {"Fn::Equals": [{"Ref": "Known"}, "real"]},
        {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "BootstrapVersion"}]}]},
    ],
)
def test_a_rule_that_can_be_fulfilled_refuses_nothing(
    deployment: Deployment, condition: dict[str, Any]
) -> None:
    held = {"Rules": {"Rule": {"Assertions": [{"Assert": condition, "AssertDescription": "Never said."}]}}}
    refuse_unfinished(replace(deployment.deployed, templates={"api": held}))


def test_an_unknown_stack_is_answered_with_those_there_are(deployment: Deployment) -> None:
    with pytest.raises(NoSuchEnvironmentError, match="no stack 'moon'; it has network"):
        deployment.stacks("moon")


def _change(action: str, name: str, **more: str) -> dict[str, Any]:
    change = {"Action": action, "LogicalResourceId": name, "ResourceType": "AWS::X::Y", **more}
    return {"Type": "Resource", "ResourceChange": change}


def test_what_is_lost_is_shown_first() -> None:
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as answers:
        answers.add_response(
            "describe_change_set",
            {
                "Changes": [
                    _change("Add", "New"),
                    _change("Modify", "Same", Replacement="False"),
                    _change("Modify", "Database", Replacement="True"),
                    _change("Modify", "Service", Replacement="Conditional"),
                    _change("Remove", "Bucket"),
                ]
            },
            {"StackName": "sandbox-database", "ChangeSetName": CHANGE_SET},
        )
        assert list(changes(prepared(client, "sandbox-database", CHANGE_SET))) == [
            "REMOVES AWS::X::Y Bucket",
            "REPLACES AWS::X::Y Database",
            "may replace AWS::X::Y Service",
            "adds AWS::X::Y New",
            "changes AWS::X::Y Same",
        ]
