"""A pull request has one comment an environment, however often it is compared."""

import json
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from operations.comment import NotPostedError, PullRequest, cli, post

PULL_REQUEST = PullRequest(repository="amply-example/amply", number=7)
TEXT = "<!-- amply-difference:production -->\n# Nothing is lost"


class GitHub:
    """The comments of one pull request, as GitHub keeps them."""

    def __init__(self, *comments: tuple[str, str]) -> None:
        self.comments = [
            {"id": number, "body": body, "user": {"type": kind}}
            for number, (kind, body) in enumerate(comments, start=1)
        ]

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            page = int(request.url.params["page"]) - 1
            return httpx2.Response(200, json=self.comments[page * 100 : page * 100 + 100])
        body = json.loads(request.content)["body"]
        if request.method == "PATCH":
            comment: dict[str, Any] = self.comments[int(request.url.path.rpartition("/")[2]) - 1]
            comment["body"] = body
        else:
            self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"type": "Bot"}})
        return httpx2.Response(200, json={"html_url": "https://github.example/7"})

    def post(self, text: str) -> None:
        with httpx2.Client(transport=httpx2.MockTransport(self.answer), base_url="https://api") as client:
            post(client, PULL_REQUEST, text)

    def bodies(self) -> list[object]:
        return [comment["body"] for comment in self.comments]


def test_the_first_comparison_writes_a_comment() -> None:
    github = GitHub(("User", "Looks good."))
    github.post(TEXT)
    assert github.bodies() == ["Looks good.", TEXT]


def test_the_next_comparison_renews_it() -> None:
    github = GitHub(("User", "Looks good."))
    github.post(TEXT)
    github.post(f"{TEXT}, still")
    assert github.bodies() == ["Looks good.", f"{TEXT}, still"]


def test_each_environment_has_its_own() -> None:
    github = GitHub()
    github.post(TEXT)
    github.post(TEXT.replace("production", "staging"))
    assert len(github.comments) == 2


def test_a_person_who_quotes_the_comment_keeps_his_words() -> None:
    github = GitHub(("User", f"> {TEXT}\nWhy?"))
    github.post(TEXT)
    assert github.bodies() == [f"> {TEXT}\nWhy?", TEXT]


def test_a_comment_far_down_is_found() -> None:
    github = GitHub(*[("User", "Yes.")] * 150, ("Bot", TEXT))
    github.post(f"{TEXT}, still")
    assert len(github.comments) == 151


def test_a_text_without_a_marker_is_not_posted() -> None:
    with pytest.raises(NotPostedError, match="no marker"):
        GitHub().post("# Nothing is lost")


def test_a_refusal_is_told() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(403))
    with (
        httpx2.Client(transport=transport, base_url="https://api") as client,
        pytest.raises(NotPostedError, match="answers 403 to GET"),
    ):
        post(client, PULL_REQUEST, TEXT)


def test_outside_a_job_it_says_what_is_missing(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    (tmp_path / "comment.md").write_text(TEXT)
    done = CliRunner().invoke(cli, [str(tmp_path / "comment.md"), "--pull-request", "7"])
    assert done.exit_code == 2
    assert "GITHUB_TOKEN is not set" in done.output
