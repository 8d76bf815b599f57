"""Runs a task of an environment once and waits for its end: `python -m operations.one_off TASK ENVIRONMENT`.

`migrate` brings the database's schema up, `roles` makes the database's roles as its master user, `rehearse` restores a
backup and checks it. Region and credentials come from the surroundings.
Exit codes: 0 done, 1 the task ran and failed, 2 it could not be started or did not stop in time.
"""

import sys
import time

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from operations.task_runs import PATIENCE, Clock, NotRunError, Runner, TaskFailedError


@click.command()
@click.argument("name", type=click.Choice(["migrate", "roles", "rehearse"]), metavar="TASK")
@click.argument("environment")
@click.option("--wait", "wait_seconds", type=float, default=1800, show_default=True, help="Seconds at most.")
def cli(name: str, environment: str, wait_seconds: float) -> None:
    """Run TASK (migrate, roles or rehearse) of ENVIRONMENT once."""
    try:
        task = Runner(
            environment=environment,
            ecs=boto3.client("ecs", config=PATIENCE),
            ssm=boto3.client("ssm", config=PATIENCE),
            clock=Clock(now=time.monotonic, sleep=time.sleep),
            started_by="delivery",
        ).run(name, wait_seconds=wait_seconds)
    except TaskFailedError as failure:
        click.echo(failure, err=True)
        sys.exit(1)
    except (NotRunError, BotoCoreError, ClientError) as error:
        click.echo(f"The task {name} did not run: {error}", err=True)
        sys.exit(2)
    click.echo(f"{name} done by {task}")


if __name__ == "__main__":
    cli()
