"""A command of the administration is run once, its output is printed, and a failure is never taken for success."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_ecs.client import ECSClient
from mypy_boto3_ssm.client import SSMClient

from operations.admin import TASK, run
from operations.task_runs import Clock, NotRunError, Runner, TaskFailedError

ARN = "arn:aws:ecs:eu-west-1:333333333333:task/cluster/0a1b"
COMMAND = ("organization", "create", "--name", "Relief of Ada", "--slug", "relief", "--country", "DE")
PARAMETERS = {
    "administration/log-group": "group",
    "api/cluster-name": "cluster",
    "network/task-public-address": "DISABLED",
    "network/task-subnets": "subnet-a",
    "network/jobs-group": "sg-jobs",
}
KEYS: dict[str, Any] = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "x",
    "aws_secret_access_key": "x",
}


@pytest.fixture
def ssm() -> Iterator[SSMClient]:
    client = boto3.client("ssm", **KEYS)
    with Stubber(client) as stubber:
        for name, value in PARAMETERS.items():
            stubber.add_response(
                "get_parameter", {"Parameter": {"Value": value}}, {"Name": f"/amply/sandbox/{name}"}
            )
        yield client


@pytest.fixture
def logs() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("logs", **KEYS)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def _ecs(stopped: dict[str, Any] | None) -> ECSClient:
    """Starts the task with the command in place of its own, and says how it ended."""
    client = boto3.client("ecs", **KEYS)
    stubber = Stubber(client)
    stubber.add_response(
        "run_task",
        {"tasks": [{"taskArn": ARN}] if stopped is not None else [], "failures": []},
        {
            "cluster": "cluster",
            "taskDefinition": "sandbox-admin",
            "launchType": "FARGATE",
            "startedBy": "administration",
            "overrides": {
                "containerOverrides": [
                    {"name": TASK, "command": ["python", "-m", "amply.entrypoints.admin", *COMMAND]}
                ]
            },
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": ["subnet-a"],
                    "securityGroups": ["sg-jobs"],
                    "assignPublicIp": "DISABLED",
                }
            },
        },
    )
    if stopped is not None:
        task = {"taskArn": ARN, "lastStatus": "STOPPED", "containers": [stopped]}
        stubber.add_response("describe_tasks", {"tasks": [task]}, {"cluster": "cluster", "tasks": [ARN]})
    stubber.activate()
    return client


def _prints(logs: Stubber, *pages: tuple[list[str], str]) -> None:
    for number, (lines, token) in enumerate(pages):
        asked = {"logGroupName": "group", "logStreamName": "admin/admin/0a1b", "startFromHead": True}
        if number:
            asked["nextToken"] = pages[number - 1][1]
        events = [{"message": line} for line in lines]
        logs.add_response("get_log_events", {"events": events, "nextForwardToken": token}, asked)


def _run(ecs: ECSClient, ssm: SSMClient, logs: Any) -> None:
    clock = Clock(now=lambda: 0.0, sleep=lambda _: None)
    runner = Runner(environment="sandbox", ecs=ecs, ssm=ssm, clock=clock, started_by="administration")
    run(runner, logs, COMMAND, wait_seconds=60)


def test_what_the_command_printed_is_printed(
    ssm: SSMClient, logs: tuple[Any, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    client, answers = logs
    _prints(answers, (["first"], "f/1"), (['{"id": "org_1"}'], "f/2"), ([], "f/2"))
    _run(_ecs({"exitCode": 0}), ssm, client)
    assert capsys.readouterr().out == 'first\n{"id": "org_1"}\n'


def test_a_failed_command_says_what_it_printed_and_is_no_success(
    ssm: SSMClient, logs: tuple[Any, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    client, answers = logs
    _prints(answers, (["Give --email with --onboard"], "f/1"), ([], "f/1"))
    with pytest.raises(TaskFailedError, match="sandbox-admin ended with exit code 2"):
        _run(_ecs({"exitCode": 2}), ssm, client)
    assert capsys.readouterr().err == "Give --email with --onboard\n"


def test_a_command_that_never_started_printed_nothing(
    ssm: SSMClient, logs: tuple[Any, Stubber], capsys: pytest.CaptureFixture[str]
) -> None:
    client, answers = logs
    answers.add_client_error("get_log_events", "ResourceNotFoundException")
    with pytest.raises(TaskFailedError, match="never started its container: no image"):
        _run(_ecs({"reason": "no image"}), ssm, client)
    assert "printed nothing" in capsys.readouterr().err


def test_a_command_that_was_not_started_is_no_success(ssm: SSMClient, logs: tuple[Any, Stubber]) -> None:
    with pytest.raises(NotRunError, match="sandbox-admin was not started"):
        _run(_ecs(None), ssm, logs[0])
