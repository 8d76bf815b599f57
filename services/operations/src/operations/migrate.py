"""Brings the database's schema up to the deployed task: `python -m operations.migrate ENVIRONMENT`.

Starts the task `ENVIRONMENT-migrate` once and waits until it stops. Region and credentials come from the surroundings.
Exit codes: 0 migrated, 1 the task ran and failed, 2 it could not be started or did not stop in time.
"""

import sys
import time

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from operations.one_off import PATIENCE, Clock, NotRunError, Runner, TaskFailedError

TASK = "migrate"


@click.command()
@click.argument("environment")
@click.option("--wait", "wait_seconds", type=float, default=1800, show_default=True, help="Seconds at most.")
def cli(environment: str, wait_seconds: float) -> None:
    """Migrate the database of ENVIRONMENT."""
    try:
        task = Runner(
            environment=environment,
            ecs=boto3.client("ecs", config=PATIENCE),
            ssm=boto3.client("ssm", config=PATIENCE),
            clock=Clock(now=time.monotonic, sleep=time.sleep),
            started_by="delivery",
        ).run(TASK, wait_seconds=wait_seconds)
    except TaskFailedError as failure:
        click.echo(failure, err=True)
        sys.exit(1)
    except (NotRunError, BotoCoreError, ClientError) as error:
        click.echo(f"Not migrated: {error}", err=True)
        sys.exit(2)
    click.echo(f"migrated by {task}")


if __name__ == "__main__":
    cli()
