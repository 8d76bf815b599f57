"""A one-off task is started once, waited for within a bound, and never reported as done when it was not."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_ecs.client import ECSClient
from mypy_boto3_ssm.client import SSMClient

from operations.task_runs import Clock, NotRunError, Runner, TaskFailedError

TASK = "arn:aws:ecs:eu-west-1:333333333333:task/cluster/0a1b"
PARAMETERS = {
    "api/cluster-name": "cluster",
    "network/task-public-address": "ENABLED",
    "network/task-subnets": "subnet-a,subnet-b",
    "network/jobs-group": "sg-jobs",
}


class Hours:
    """A clock that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)


@pytest.fixture
def ecs() -> ECSClient:
    return boto3.client("ecs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def ssm() -> Iterator[SSMClient]:
    client = boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        for name, value in PARAMETERS.items():
            stubber.add_response(
                "get_parameter", {"Parameter": {"Value": value}}, {"Name": f"/amply/sandbox/{name}"}
            )
        yield client
        stubber.assert_no_pending_responses()


@pytest.fixture
def answers(ecs: ECSClient) -> Iterator[Stubber]:
    with Stubber(ecs) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def _starts(answers: Stubber, name: str = "migrate", **answer: Any) -> None:
    answers.add_response(
        "run_task",
        {"tasks": [{"taskArn": TASK}], "failures": []} | answer,
        {
            "cluster": "cluster",
            "taskDefinition": f"sandbox-{name}",
            "launchType": "FARGATE",
            "startedBy": "delivery",
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": ["subnet-a", "subnet-b"],
                    "securityGroups": ["sg-jobs"],
                    "assignPublicIp": "ENABLED",
                }
            },
        },
    )


def _is(answers: Stubber, status: str, stopped: str = "", **container: Any) -> None:
    task = {"taskArn": TASK, "lastStatus": status, "stoppedReason": stopped, "containers": [container]}
    answers.add_response("describe_tasks", {"tasks": [task]}, {"cluster": "cluster", "tasks": [TASK]})


def _run(ecs: ECSClient, ssm: SSMClient, hours: Hours, *, name: str = "migrate") -> str:
    runner = Runner(environment="sandbox", ecs=ecs, ssm=ssm, clock=hours.clock(), started_by="delivery")
    return runner.run(name, wait_seconds=60)


def test_a_migration_is_waited_for(ecs: ECSClient, ssm: SSMClient, answers: Stubber) -> None:
    hours = Hours()
    _starts(answers)
    answers.add_response("describe_tasks", {"tasks": []})  # not known yet
    _is(answers, "RUNNING")
    _is(answers, "STOPPED", exitCode=0)
    assert _run(ecs, ssm, hours) == TASK
    assert hours.seconds == 10


def test_the_roles_are_made_by_a_task_of_their_own(ecs: ECSClient, ssm: SSMClient, answers: Stubber) -> None:
    _starts(answers, "roles")
    _is(answers, "STOPPED", exitCode=0)
    assert _run(ecs, ssm, Hours(), name="roles") == TASK


def test_a_failed_migration_says_why_it_stopped(ecs: ECSClient, ssm: SSMClient, answers: Stubber) -> None:
    _starts(answers)
    _is(answers, "STOPPED", "Essential container in task exited", exitCode=3)
    with pytest.raises(TaskFailedError, match="exit code 3: Essential container in task exited"):
        _run(ecs, ssm, Hours())


def test_a_container_that_never_started_is_no_success(
    ecs: ECSClient, ssm: SSMClient, answers: Stubber
) -> None:
    _starts(answers)
    _is(answers, "STOPPED", "CannotPullContainerError", reason="image not found")
    with pytest.raises(TaskFailedError, match=r"never started.*image not found; CannotPull"):
        _run(ecs, ssm, Hours())


def test_a_migration_that_does_not_end_is_given_up_on(
    ecs: ECSClient, ssm: SSMClient, answers: Stubber
) -> None:
    hours = Hours()
    _starts(answers)
    for _ in range(13):
        _is(answers, "RUNNING")
    with pytest.raises(NotRunError, match="still runs after 60 s"):
        _run(ecs, ssm, hours)
    assert hours.seconds == 60


def test_an_environment_that_is_not_there_is_answered_with_a_sentence(ecs: ECSClient) -> None:
    ssm = boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(ssm) as answers:
        answers.add_client_error("get_parameter", "ParameterNotFound")
        with pytest.raises(NotRunError, match=r"in eu-west-1: deploy sandbox, or sign in where it is"):
            _run(ecs, ssm, Hours())


def test_a_task_that_was_not_started_is_no_success(ecs: ECSClient, ssm: SSMClient, answers: Stubber) -> None:
    _starts(answers, tasks=[], failures=[{"reason": "RESOURCE:ENI"}])
    with pytest.raises(NotRunError, match="not started: RESOURCE:ENI"):
        _run(ecs, ssm, Hours())
