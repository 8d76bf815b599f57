"""Client of GitHub's REST API for the job's own repository.

Repository, address and token come from the variables every GitHub job has. Bounded: each question has a time limit and a
few attempts, a refusal is an answer. https://docs.github.com/en/rest
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2

_TIMEOUT_SECONDS: Final = 20
_ATTEMPTS: Final = 3
"""Of a question that GitHub fails to answer (5xx) or a connection that fails."""
PAGE: Final = 100
"""The longest page GitHub gives."""


class GitHubError(Exception):
    """There is no answer; the message says why."""


class NotThereError(GitHubError):
    """GitHub knows nothing by this address, or this job may not know it."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """`name` reads OWNER/NAME."""

    name: str
    client: httpx2.Client

    def get(self, path: str, **parameters: str | int) -> Any:
        """What stands under /repos/OWNER/NAME, as JSON.

        Raises:
            NotThereError: Nothing does.
            GitHubError: GitHub refused, failed every time, or answered something else than JSON.
        """
        try:
            answer = self._ask(f"/repos/{self.name}{path}", parameters)
            if answer.status_code == httpx2.codes.NOT_FOUND:
                raise NotThereError(f"GitHub knows nothing under {answer.request.url}.")
            if not answer.is_success:
                raise GitHubError(f"GitHub answers {answer.status_code} to {answer.request.url}.")
            return answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise GitHubError(f"GitHub gave no answer to {path}: {error!r}.") from error

    def _ask(self, path: str, parameters: Mapping[str, str | int]) -> httpx2.Response:
        for _ in range(_ATTEMPTS - 1):
            answer = self.client.get(path, params=parameters)
            if not answer.is_server_error:
                return answer
        return self.client.get(path, params=parameters)


def job_variable(name: str) -> str:
    """A variable of the GitHub job.

    Raises:
        GitHubError: This is no such job.
    """
    if not (value := os.environ.get(name)):
        raise GitHubError(f"{name} is not set; a GitHub job has it.")
    return value


@contextmanager
def repository_of_the_job() -> Iterator[Repository]:
    """The repository this job runs for.

    Raises:
        GitHubError: This is no GitHub job, or it was not given the token.
    """
    token, name = job_variable("GITHUB_TOKEN"), job_variable("GITHUB_REPOSITORY")
    with httpx2.Client(
        base_url=os.environ.get("GITHUB_API_URL", "https://api.github.com"),
        headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
        timeout=_TIMEOUT_SECONDS,
        transport=httpx2.HTTPTransport(retries=_ATTEMPTS - 1),
    ) as client:
        yield Repository(name=name, client=client)
