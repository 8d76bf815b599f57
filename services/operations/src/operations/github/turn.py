"""Checks that no newer deployment has begun: `python -m operations.github.turn ENVIRONMENT`.

Runs of the workflow queue for each environment by itself, and GitHub promises no order between them (ADR 0067): an image
that took long, an approval that came late or a run that is started again would put older code over newer. The job asks when
it holds the environment, so nothing can begin between the answer and the deployment.
Exit codes: 0 its turn, 1 overtaken, 2 could not be asked.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

import click

from operations.github.api import PAGE, GitHubError, Repository, job_variable, repository_of_the_job

WORKFLOW: Final = "deploy.yml"
BRANCH: Final = "main"
JOB: Final = "{environment} / deploy"
"""As GitHub names a job of a called workflow: the caller's job, then its own."""


class TooManyRunsError(GitHubError):
    """This run is older than everything GitHub shows on one page."""


def overtaken_by(repository: Repository, environment: str, run_number: int) -> Mapping[str, Any] | None:
    """The newest run after this one that has begun to deploy this environment, if there is one.

    Raises:
        GitHubError: GitHub gave no answer, or this run is too old to be told from the others.
    """
    runs = repository.get(f"/actions/workflows/{WORKFLOW}/runs", branch=BRANCH, event="push", per_page=PAGE)
    newer = [run for run in runs["workflow_runs"] if run["run_number"] > run_number]
    if len(newer) == PAGE:
        raise TooManyRunsError(f"{PAGE} runs are newer than this one; deploy the newest instead.")
    for run in sorted(newer, key=lambda it: -int(it["run_number"])):
        # Of all attempts: the last one may have been cancelled before it began.
        jobs = repository.get(f"/actions/runs/{run['id']}/jobs", filter="all", per_page=PAGE)
        if any(job["name"] == JOB.format(environment=environment) and _began(job) for job in jobs["jobs"]):
            found: Mapping[str, Any] = run
            return found
    return None


def _began(job: Mapping[str, Any]) -> bool:
    """A job that waits, was skipped, or was cancelled while it waited has no steps."""
    return bool(job["status"] == "in_progress" or job.get("steps"))


@click.command()
@click.argument("environment")
def cli(environment: str) -> None:
    """See whether ENVIRONMENT has not taken up something newer than this run."""
    try:
        with repository_of_the_job() as repository:
            newer = overtaken_by(repository, environment, int(job_variable("GITHUB_RUN_NUMBER")))
    except GitHubError as error:
        click.echo(f"Not asked: {error}", err=True)
        sys.exit(2)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        click.echo(f"Not asked: GitHub answers in a form this program does not know ({error!r}).", err=True)
        sys.exit(2)
    if newer:
        click.echo(
            f"{environment} has taken up run {newer['run_number']} ({newer['head_sha'][:12]}), which holds this change "
            "and more; there is nothing left to do here."
        )
        sys.exit(1)
    click.echo(f"Nothing newer has begun in {environment}.")


if __name__ == "__main__":
    cli()
