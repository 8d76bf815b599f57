"""What was changed by hand is named, and what could not be looked at is as loud."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from mypy_boto3_cloudformation.client import CloudFormationClient

from operations import drift
from operations.drift import Exit, NotLookedAtError, look_at
from operations.locations import AccountRegion, environment_of
from tests.operations.small_assembly import small_assembly

STACK = "sandbox-queues"
NOW = "2026-11-26T03:17:00Z"


@pytest.fixture
def there() -> CloudFormationClient:
    return boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.fixture
def answers(there: CloudFormationClient) -> Iterator[Stubber]:
    with Stubber(there) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _compared(answers: Stubber, *states: str, stack: str = STACK, reason: str | None = None) -> None:
    """CloudFormation takes up a comparison and then says, look after look, how far it is."""
    answers.add_response("detect_stack_drift", {"StackDriftDetectionId": "one"}, {"StackName": stack})
    for state in states:
        status = {"StackId": "id", "StackDriftDetectionId": "one", "DetectionStatus": state, "Timestamp": NOW}
        answers.add_response(
            "describe_stack_drift_detection_status",
            status | ({"DetectionStatusReason": reason} if reason else {}),
            {"StackDriftDetectionId": "one"},
        )


def _resource(name: str, state: str, **more: Any) -> dict[str, Any]:
    found = {"StackId": "id", "LogicalResourceId": name, "ResourceType": "AWS::SQS::Queue", "Timestamp": NOW}
    return {**found, "StackResourceDriftStatus": state, **more}


def _found(answers: Stubber, *resources: dict[str, Any], stack: str = STACK) -> None:
    answers.add_response(
        "describe_stack_resource_drifts", {"StackResourceDrifts": list(resources)}, {"StackName": stack}
    )


def _look(there: CloudFormationClient) -> list[tuple[Exit, str]]:
    return [(one.exit, one.words) for one in look_at(there, STACK, lambda _: None)]


def test_what_is_as_deployed_or_cannot_be_compared_is_not_mentioned(
    there: CloudFormationClient, answers: Stubber
) -> None:
    _compared(answers, "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE")
    _found(answers, _resource("High", "IN_SYNC"), _resource("Low", "NOT_CHECKED"))
    assert _look(there) == []


def test_a_changed_property_is_named_with_both_values(there: CloudFormationClient, answers: Stubber) -> None:
    changed = {
        "PropertyPath": "/VisibilityTimeout",
        "ExpectedValue": "300",
        "ActualValue": "30",
        "DifferenceType": "NOT_EQUAL",
    }
    _compared(answers, "DETECTION_COMPLETE")
    _found(answers, _resource("High", "MODIFIED", PropertyDifferences=[changed]), _resource("Low", "DELETED"))
    assert _look(there) == [
        (
            Exit.DIFFERS,
            "sandbox-queues: AWS::SQS::Queue High was changed\n  /VisibilityTimeout: 300 became 30",
        ),
        (Exit.DIFFERS, "sandbox-queues: AWS::SQS::Queue Low is gone"),
    ]


def test_a_resource_the_role_may_not_read_is_no_silence(
    there: CloudFormationClient, answers: Stubber
) -> None:
    _compared(answers, "DETECTION_COMPLETE")
    _found(answers, _resource("High", "UNKNOWN", DriftStatusReason="not authorized: sqs:GetQueueAttributes"))
    ((status, words),) = _look(there)
    assert status is Exit.NOT_LOOKED_AT
    assert words.endswith("could not be looked at: not authorized: sqs:GetQueueAttributes")


def test_a_comparison_that_failed_in_part_says_so_and_shows_the_rest(
    there: CloudFormationClient, answers: Stubber
) -> None:
    _compared(answers, "DETECTION_FAILED", reason="Failed to detect drift on resource [High]")
    _found(answers, _resource("Low", "DELETED"))
    assert _look(there) == [
        (Exit.NOT_LOOKED_AT, "sandbox-queues: Failed to detect drift on resource [High]"),
        (Exit.DIFFERS, "sandbox-queues: AWS::SQS::Queue Low is gone"),
    ]


def test_a_second_page_is_read(there: CloudFormationClient, answers: Stubber) -> None:
    _compared(answers, "DETECTION_COMPLETE")
    answers.add_response(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [], "NextToken": "more"},
        {"StackName": STACK},
    )
    answers.add_response(
        "describe_stack_resource_drifts",
        {"StackResourceDrifts": [_resource("Low", "DELETED")]},
        {"StackName": STACK, "NextToken": "more"},
    )
    assert [status for status, _ in _look(there)] == [Exit.DIFFERS]


def test_waiting_has_an_end(there: CloudFormationClient, answers: Stubber) -> None:
    _compared(answers, *["DETECTION_IN_PROGRESS"] * 120)
    with pytest.raises(NotLookedAtError, match="within 600 seconds; run it again"):
        _look(there)


@pytest.fixture
def stubs() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _account(stubs: ExitStack, resource: dict[str, Any] | None, refused: str = "") -> drift.Client:
    """Answers for the five stacks of the small assembly; the first has this resource, one may be refused."""
    order = iter(["network", "database", "api", "migrations", "certificate"])

    def client(place: AccountRegion) -> CloudFormationClient:
        stack = next(order)
        there = boto3.client(
            "cloudformation", region_name=place.region, aws_access_key_id="x", aws_secret_access_key="x"
        )
        answers = stubs.enter_context(Stubber(there))
        if stack == refused:
            answers.add_client_error("detect_stack_drift", "ValidationError", "Stack does not exist")
            return there
        _compared(answers, "DETECTION_COMPLETE", stack=f"sandbox-{stack}")
        held = [resource] if resource and stack == "network" else []
        _found(answers, *held, stack=f"sandbox-{stack}")
        return there

    return client


def _upgraded(before: str, after: str) -> dict[str, Any]:
    difference = {
        "PropertyPath": "/EngineVersion",
        "ExpectedValue": before,
        "ActualValue": after,
        "DifferenceType": "NOT_EQUAL",
    }
    return _resource(
        "Instance", "MODIFIED", ResourceType="AWS::RDS::DBInstance", PropertyDifferences=[difference]
    )


@pytest.mark.parametrize(
    ("resource", "refused", "status", "said"),
    [
        (None, "", Exit.AS_DEPLOYED, "sandbox is as it was deployed."),
        (_upgraded("18.6", "18.7"), "", Exit.AS_DEPLOYED, "18.6 became 18.7 (known: a minor version came"),
        (_upgraded("18.6", "19.1"), "", Exit.DIFFERS, "was changed\n  /EngineVersion: 18.6 became 19.1\n"),
        (_resource("High", "DELETED"), "", Exit.DIFFERS, "sandbox-network: AWS::SQS::Queue High is gone"),
        (_resource("High", "UNKNOWN"), "", Exit.NOT_LOOKED_AT, "could not be looked at"),
        (_resource("High", "DELETED"), "api", Exit.NOT_LOOKED_AT, "sandbox-api: An error occurred"),
    ],
)
def test_the_exit_status_is_the_answer(
    resource: dict[str, Any] | None,
    refused: str,
    status: Exit,
    said: str,
    tmp_path: Path,
    stubs: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assembly = small_assembly(tmp_path, "sandbox")
    monkeypatch.setattr(drift, "cloudformation", _account(stubs, resource, refused))
    done = CliRunner().invoke(drift.cli, ["sandbox", "--assembly", str(assembly)])
    assert (done.exit_code, said in done.output) == (status, True)


def test_an_environment_that_is_not_there_is_answered_with_a_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(drift.cli, ["moon", "--assembly", str(small_assembly(tmp_path, "sandbox"))])
    assert done.exit_code == Exit.NOT_LOOKED_AT
    assert "holds no 'moon'; it holds sandbox." in done.output


def test_every_stack_is_looked_at_where_it_stands(tmp_path: Path, stubs: ExitStack) -> None:
    asked: list[str] = []
    answering = _account(stubs, None)

    def client(place: AccountRegion) -> CloudFormationClient:
        asked.append(place.region)
        return answering(place)

    deployed = environment_of(small_assembly(tmp_path, "sandbox"), "sandbox")
    assert list(drift.drift(deployed, client)) == []
    assert asked == [*["eu-west-1"] * 4, "us-east-1"]
