"""Runs one admin command in an environment, as a task: `python -m operations.admin ENVIRONMENT COMMAND…`.

Takes on the environment's role for operators, starts the task `ENVIRONMENT-admin` with the command in place of its own,
waits until it stops, and prints what it printed. For instance

    python -m operations.admin sandbox organization create --name Relief --slug relief --country DE

Commands stand in CloudTrail for months: name no donor in them. Region and credentials come from the surroundings, which
need `ssm:GetParameter` on `/amply/ENVIRONMENT/administration/role-arn` and `sts:AssumeRole` on that role.
Exit codes: 0 done, 1 the command ran and failed, 2 it could not be started or did not end in time.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any, Final, Protocol

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from operations.task_runs import PATIENCE, Clock, NotRunError, Runner, TaskFailedError, published

TASK: Final = "admin"
_ENTRYPOINT: Final = ("python", "-m", "amply.entrypoints.admin")
_PAGES_MAX: Final = 20
"""Of its output, each up to a megabyte."""


class Reader(Protocol):
    """CloudWatch Logs, as far as it is needed here."""

    def get_log_events(self, **question: Any) -> Any:
        """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html."""
        ...


def as_operator(environment: str) -> boto3.Session:
    """A session in the role that the environment has for operators, in the region of the surroundings."""
    here = boto3.Session()
    arn = published(here.client("ssm", config=PATIENCE), environment, "administration/role-arn")
    taken = here.client("sts", config=PATIENCE).assume_role(RoleArn=arn, RoleSessionName="amply-admin")
    return boto3.Session(
        aws_access_key_id=taken["Credentials"]["AccessKeyId"],
        aws_secret_access_key=taken["Credentials"]["SecretAccessKey"],
        aws_session_token=taken["Credentials"]["SessionToken"],
        region_name=here.region_name,
    )


def printed(logs: Reader, *, group: str, task: str) -> Iterator[str]:
    """What the task wrote, line by line; the stream is named by its prefix, its container and its task's id."""
    stream = f"{TASK}/{TASK}/{task.rpartition('/')[2]}"
    page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    for _ in range(_PAGES_MAX):
        yield from (event["message"] for event in page["events"])
        token = page["nextForwardToken"]
        page = logs.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True, nextToken=token
        )
        if page["nextForwardToken"] == token and not page["events"]:
            return


def run(runner: Runner, logs: Reader, command: tuple[str, ...], *, wait_seconds: float) -> None:
    """Run the command and print what it printed, also when it failed.

    Raises:
        TaskFailedError: It ended with another exit code than 0.
        NotRunError: It was not started, or still runs after `wait_seconds`.
    """
    group = runner.parameter("administration/log-group")
    try:
        task = runner.run(TASK, command=(*_ENTRYPOINT, *command), wait_seconds=wait_seconds)
    except TaskFailedError as failure:
        _say(logs, group, failure.task, to_errors=True)
        raise
    _say(logs, group, task, to_errors=False)


def _say(logs: Reader, group: str, task: str, *, to_errors: bool) -> None:
    try:
        for line in printed(logs, group=group, task=task):
            click.echo(line, err=to_errors)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        # A container that never started wrote nothing.
        click.echo(f"{task} printed nothing.", err=True)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("environment")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--wait", "wait_seconds", type=float, default=300, show_default=True, help="Seconds at most.")
def cli(environment: str, command: tuple[str, ...], wait_seconds: float) -> None:
    """Run COMMAND of the administration in ENVIRONMENT."""
    try:
        session = as_operator(environment)
        runner = Runner(
            environment=environment,
            ecs=session.client("ecs", config=PATIENCE),
            ssm=session.client("ssm", config=PATIENCE),
            clock=Clock(now=time.monotonic, sleep=time.sleep),
            started_by="administration",
        )
        run(runner, session.client("logs", config=PATIENCE), command, wait_seconds=wait_seconds)
    except TaskFailedError as failure:
        click.echo(failure, err=True)
        sys.exit(1)
    except (NotRunError, BotoCoreError, ClientError) as error:
        click.echo(f"Not run: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    cli()
