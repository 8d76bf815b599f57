"""What is deployed is written so that the programs which read assemblies can read it."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_cloudformation.client import CloudFormationClient

from operations.assembly import read
from operations.deployed import belongs, download, running
from operations.difference.outcome import CannotCompareError
from operations.locations import AccountRegion, environment_of
from operations.lookup import WrongAccountError, own_cloudformation
from tests.operations.small_assembly import ACCOUNT, small_assembly

TEMPLATE = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
Client = Callable[[AccountRegion], CloudFormationClient]


def _stack(name: str, status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    return {"StackName": name, "StackStatus": status, "CreationTime": "2026-11-01T00:00:00Z"}


def _account(
    stubs: ExitStack, stacks: dict[str, list[dict[str, Any]]], body: str = json.dumps(TEMPLATE)
) -> Client:
    """CloudFormation by region, each with the stacks it holds and the template of each of ours."""

    def client(place: AccountRegion) -> CloudFormationClient:
        there = boto3.client(
            "cloudformation", region_name=place.region, aws_access_key_id="x", aws_secret_access_key="x"
        )
        answers = stubs.enter_context(Stubber(there))
        held = stacks.get(place.region, [])
        answers.add_response("list_stacks", {"StackSummaries": held}, {})
        for stack in [stack for stack in held if stack["StackName"].startswith("sandbox-q")]:
            name = {"StackName": stack["StackName"]}
            answers.add_response("describe_stacks", {"Stacks": [stack]}, name)
            asked = {**name, "TemplateStage": "Original"}
            answers.add_response("get_template", {"TemplateBody": body}, asked)
        return there

    return client


@pytest.fixture
def stubs() -> Any:
    with ExitStack() as stack:
        yield stack


def test_the_credentials_of_another_account_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stacks may have the same names, and the comment would compare with them."""
    sts = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(sts) as answers:
        answers.add_response("get_caller_identity", {"Account": "999999999999"})
        monkeypatch.setattr(boto3, "client", lambda *_args, **_kwargs: sts)
        with pytest.raises(WrongAccountError, match=f"999999999999, .* in {ACCOUNT}: sign in"):
            own_cloudformation(AccountRegion(account=ACCOUNT, region="eu-west-1"))


def _download(tmp_path: Path, client: Client) -> list[str]:
    deployed = environment_of(small_assembly(tmp_path, "sandbox"), "sandbox")
    return download(deployed, tmp_path / "deployed", client)


def test_a_stack_that_left_the_app_is_still_seen(tmp_path: Path, stubs: ExitStack) -> None:
    found = _download(tmp_path, _account(stubs, {"eu-west-1": [_stack("sandbox-queues")]}))
    assert found == ["sandbox-queues"]
    assert read(tmp_path / "deployed")["sandbox"].templates == {"queues": TEMPLATE}


def test_every_region_is_looked_into(tmp_path: Path, stubs: ExitStack) -> None:
    client = _account(
        stubs, {"eu-west-1": [_stack("sandbox-queues")], "us-east-1": [_stack("sandbox-quotas")]}
    )
    assert _download(tmp_path, client) == ["sandbox-queues", "sandbox-quotas"]


@pytest.mark.parametrize(
    "stack",
    [
        _stack("staging-queues"),
        _stack("sandbox-ada-queues"),
        _stack("CDKToolkit"),
        _stack("sandbox-queues", "DELETE_COMPLETE"),
        _stack("sandbox-queues", "REVIEW_IN_PROGRESS"),
    ],
    ids=lambda stack: f"{stack['StackName']} {stack['StackStatus']}",
)
def test_what_is_not_this_environment_or_not_there_is_left_out(
    stack: dict[str, Any], tmp_path: Path, stubs: ExitStack
) -> None:
    assert _download(tmp_path, _account(stubs, {"eu-west-1": [stack]})) == []


def test_an_environment_that_was_never_deployed_is_an_empty_one(tmp_path: Path, stubs: ExitStack) -> None:
    _download(tmp_path, _account(stubs, {}))
    assert read(tmp_path / "deployed")["sandbox"].templates == {}


def test_what_runs_is_read_as_an_assembly_is(tmp_path: Path, stubs: ExitStack) -> None:
    deployed = environment_of(small_assembly(tmp_path, "sandbox"), "sandbox")
    now = running(deployed, _account(stubs, {"us-east-1": [_stack("sandbox-quotas")]}))
    assert (now.name, now.templates) == ("sandbox", {"quotas": TEMPLATE})
    assert now.manifests["quotas"]["environment"] == f"aws://{ACCOUNT}/us-east-1"


def test_a_stack_that_was_not_made_by_the_cdk_is_no_answer(tmp_path: Path, stubs: ExitStack) -> None:
    yaml = "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n"
    client = _account(stubs, {"eu-west-1": [_stack("sandbox-queues")]}, yaml)
    deployed = environment_of(small_assembly(tmp_path, "sandbox"), "sandbox")
    with pytest.raises(CannotCompareError, match="something else than JSON"):
        running(deployed, client)


def test_a_named_sandbox_is_not_the_shared_one() -> None:
    assert belongs("sandbox-network", "sandbox")
    assert not belongs("sandbox-ada-network", "sandbox")
    assert belongs("sandbox-ada-network", "sandbox-ada")
