"""Posts or updates one comment for each pull request and environment: `python -m operations.comment FILE --pull-request N`.

The comment to renew is found by the hidden marker its first line carries. Repository, address and token come from the
variables every GitHub job has. Exit codes: 0 posted, 2 not.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import httpx2

from operations.github.api import GitHubError, repository_of_the_job

_MARKER: Final = re.compile(r"<!-- amply-difference:[a-z0-9-]+ -->")
_PAGES: Final = 30
"""Of a hundred comments; nobody reads further either."""


class NotPostedError(Exception):
    """The comment is not there; the message says why."""


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """`repository` reads OWNER/NAME."""

    repository: str
    number: int

    @property
    def comments(self) -> str:
        return f"/repos/{self.repository}/issues/{self.number}/comments"


def post(client: httpx2.Client, pull_request: PullRequest, text: str) -> str:
    """Renew the comment with this text's marker, or write the first; answers its address.

    Raises:
        NotPostedError: The text has no marker, or GitHub refused.
    """
    found = _MARKER.search(text)
    if not found:
        raise NotPostedError("The comment carries no marker <!-- amply-difference:ENVIRONMENT -->.")
    number = _existing(client, pull_request, found.group())
    if number is None:
        answer = client.post(pull_request.comments, json={"body": text})
    else:
        answer = client.patch(
            f"/repos/{pull_request.repository}/issues/comments/{number}", json={"body": text}
        )
    return str(_checked(answer).json()["html_url"])


def _existing(client: httpx2.Client, pull_request: PullRequest, marker: str) -> int | None:
    for page in range(1, _PAGES + 1):
        answer = client.get(pull_request.comments, params={"per_page": 100, "page": page})
        comments = _checked(answer).json()
        for comment in comments:
            # A person may quote the marker; only the workflow's own comment is renewed.
            if marker in comment["body"] and comment["user"]["type"] == "Bot":
                return int(comment["id"])
        if not comments:
            return None
    return None


def _checked(answer: httpx2.Response) -> httpx2.Response:
    if answer.is_success:
        return answer
    raise NotPostedError(
        f"GitHub answers {answer.status_code} to {answer.request.method} {answer.request.url}."
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--pull-request", "number", type=int, required=True)
def cli(file: Path, number: int) -> None:
    """Post FILE as the pull request's comment."""
    try:
        with repository_of_the_job() as repository:
            pull_request = PullRequest(repository=repository.name, number=number)
            click.echo(post(repository.client, pull_request, file.read_text()))
    except (NotPostedError, GitHubError, httpx2.HTTPError) as error:
        click.echo(f"Not posted: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    cli()
