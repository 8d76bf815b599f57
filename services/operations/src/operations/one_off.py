"""Runs a task of an environment once and waits for its end: `python -m operations.one_off TASK ENVIRONMENT`.

`migrate` brings the database's schema up, `roles` makes the database's roles as its master user, `rehearse` restores a
backup and checks it. Region and credentials come from the surroundings.
Exit codes: 0 done, 1 the task ran and failed, 2 it could not be started or did not stop in time.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_ecs.client import ECSClient
from mypy_boto3_ecs.type_defs import TaskTypeDef
from mypy_boto3_ssm.client import SSMClient

_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})
_EVERY_SECONDS: Final = 5


class TaskFailedError(Exception):
    """The task ran and did not end well; the message says why it stopped."""


class NotRunError(Exception):
    """The task did not run, or nobody knows how it ended."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Monotonic seconds, and a way to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


def run(
    name: str, environment: str, *, ecs: ECSClient, ssm: SSMClient, clock: Clock, wait_seconds: float
) -> str:
    """Run the task `name` of the environment to its end; answers its ARN.

    Raises:
        TaskFailedError: It stopped with another exit code than 0.
        NotRunError: It was not started, or still runs after `wait_seconds`.
    """
    cluster = _parameter(ssm, environment, "api/cluster-name")
    task = _start(ecs, ssm, name, environment, cluster)
    deadline = clock.now() + wait_seconds
    while True:
        stopped = _stopped(ecs, cluster, task)
        if stopped:
            _judge(name, stopped)
            return task
        if clock.now() >= deadline:
            raise NotRunError(
                f"{task} still runs after {wait_seconds:.0f} s; look at it before anything else."
            )
        clock.sleep(_EVERY_SECONDS)


def _parameter(ssm: SSMClient, environment: str, name: str) -> str:
    return ssm.get_parameter(Name=f"/amply/{environment}/{name}")["Parameter"]["Value"]


def _start(ecs: ECSClient, ssm: SSMClient, name: str, environment: str, cluster: str) -> str:
    answer = ecs.run_task(
        cluster=cluster,
        taskDefinition=f"{environment}-{name}",
        launchType="FARGATE",
        startedBy="delivery",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": _parameter(ssm, environment, "network/task-subnets").split(","),
                "securityGroups": [_parameter(ssm, environment, "network/jobs-group")],
                "assignPublicIp": "ENABLED"
                if _parameter(ssm, environment, "network/task-public-address") == "ENABLED"
                else "DISABLED",
            }
        },
    )
    if not answer["tasks"]:
        why = ", ".join(failure.get("reason", "no reason given") for failure in answer["failures"])
        raise NotRunError(f"{environment}-{name} was not started: {why}.")
    return answer["tasks"][0]["taskArn"]


def _stopped(ecs: ECSClient, cluster: str, task: str) -> TaskTypeDef | None:
    found = ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    # A task that was just started may not be known yet.
    return found[0] if found and found[0]["lastStatus"] == "STOPPED" else None


def _judge(name: str, task: TaskTypeDef) -> None:
    (container,) = task["containers"]
    code = container.get("exitCode")
    if code == 0:
        return
    reasons = [container.get("reason"), task.get("stoppedReason")]
    why = "; ".join(reason for reason in reasons if reason) or "no reason given"
    ended = f"ended with exit code {code}" if code is not None else "never started its container"
    raise TaskFailedError(f"The task {name} {ended}: {why}. Its log group says more.")


@click.command()
@click.argument("name", type=click.Choice(["migrate", "roles", "rehearse"]), metavar="TASK")
@click.argument("environment")
@click.option("--wait", "wait_seconds", type=float, default=1800, show_default=True, help="Seconds at most.")
def cli(name: str, environment: str, wait_seconds: float) -> None:
    """Run TASK (migrate, roles or rehearse) of ENVIRONMENT once."""
    try:
        task = run(
            name,
            environment,
            ecs=boto3.client("ecs", config=_PATIENCE),
            ssm=boto3.client("ssm", config=_PATIENCE),
            clock=Clock(now=time.monotonic, sleep=time.sleep),
            wait_seconds=wait_seconds,
        )
    except TaskFailedError as failure:
        click.echo(failure, err=True)
        sys.exit(1)
    except (NotRunError, BotoCoreError, ClientError) as error:
        click.echo(f"The task {name} did not run: {error}", err=True)
        sys.exit(2)
    click.echo(f"{name} done by {task}")


if __name__ == "__main__":
    cli()
