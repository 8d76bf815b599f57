"""An older run never deploys over a newer one, whatever order GitHub starts them in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from operations.github.turn import JOB, WORKFLOW, cli
from tests.operations.github_double import REPOSITORY, TOKEN, GitHub, github

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
STEP = {"name": "Set up job", "status": "completed", "conclusion": "success", "number": 1}


def _run_of(number: int) -> dict[str, Any]:
    """In the form of "List workflow runs for a workflow", as far as it matters."""
    return {
        "id": 30433000 + number,
        "name": "deploy",
        "head_branch": "main",
        "head_sha": f"{number:02x}" * 20,
        "path": f".github/workflows/{WORKFLOW}@main",
        "run_number": number,
        "run_attempt": 1,
        "event": "push",
        "status": "in_progress",
        "conclusion": None,
    }


def _job(name: str, status: str, conclusion: str | None, *steps: dict[str, Any]) -> dict[str, Any]:
    """In the form of "List jobs for a workflow run"."""
    return {"id": 1, "name": name, "status": status, "conclusion": conclusion, "steps": list(steps)}


def _runs(served: GitHub, *numbers: int) -> None:
    runs = [_run_of(number) for number in numbers]
    served.answers["/actions/workflows/deploy.yml/runs"] = {"total_count": len(runs), "workflow_runs": runs}
    for run in runs:
        _jobs(served, run["run_number"])


def _jobs(served: GitHub, number: int, *jobs: dict[str, Any]) -> None:
    path = f"/actions/runs/{30433000 + number}/jobs"
    served.answers[path] = {"total_count": len(jobs), "jobs": list(jobs)}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github() as served:
        monkeypatch.setenv("GITHUB_API_URL", served.address)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_RUN_NUMBER", "7")
        _runs(served, 9, 8, 7, 6)
        yield served


def _ask() -> Result:
    return CliRunner().invoke(cli, ["staging"])


def test_the_newest_goes_ahead_and_asks_of_no_older_run(served: GitHub) -> None:
    _runs(served, 7, 6, 5)
    _jobs(served, 6, _job("staging / deploy", "completed", "success", STEP))
    done = _ask()
    assert (done.exit_code, done.output) == (0, "Nothing newer has begun in staging.\n")
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("status", "conclusion", "steps"),
    [
        ("queued", None, ()),
        ("waiting", None, ()),
        ("pending", None, ()),
        ("completed", "skipped", ()),
        ("completed", "cancelled", ()),
    ],
)
def test_a_newer_run_that_has_not_begun_here_overtakes_nobody(
    status: str, conclusion: str | None, steps: tuple[dict[str, Any], ...], served: GitHub
) -> None:
    _jobs(
        served,
        8,
        _job("sandbox / deploy", "completed", "success", STEP),
        _job("staging / difference", "completed", "success", STEP),
        _job("staging / deploy", status, conclusion, *steps),
    )
    assert _ask().exit_code == 0


@pytest.mark.parametrize(
    ("status", "conclusion", "steps"),
    [
        ("in_progress", None, ()),
        ("completed", "success", (STEP,)),
        ("completed", "failure", (STEP,)),
        ("completed", "cancelled", (STEP,)),
    ],
)
def test_a_newer_run_that_has_begun_here_is_not_put_back(
    status: str, conclusion: str | None, steps: tuple[dict[str, Any], ...], served: GitHub
) -> None:
    _jobs(served, 8, _job("staging / deploy", status, conclusion, *steps))
    done = _ask()
    assert (done.exit_code, done.output.partition(",")[0]) == (1, "staging has taken up run 8 (080808080808)")


def test_an_attempt_that_began_counts_though_a_later_one_did_not(served: GitHub) -> None:
    began = _job("staging / deploy", "completed", "failure", STEP)
    _jobs(served, 8, _job("staging / deploy", "completed", "skipped"), began)
    assert _ask().exit_code == 1
    assert [path for _, path, _ in served.asked if "filter=all" in path]


def test_a_run_older_than_all_that_is_shown_is_not_deployed(served: GitHub) -> None:
    _runs(served, *range(107, 7, -1))
    done = _ask()
    assert (done.exit_code, done.output) == (
        2,
        "Not asked: 100 runs are newer than this one; deploy the newest instead.\n",
    )


def test_without_an_answer_nothing_is_deployed(served: GitHub) -> None:
    served.answers.clear()
    assert _ask().exit_code == 2
    served.answers["/actions/workflows/deploy.yml/runs"] = {"message": "other"}
    assert _ask().exit_code == 2


def test_the_names_it_looks_for_are_those_of_the_workflows() -> None:
    """A job of a called workflow is named after the caller's job and its own, where neither has a name of its own."""
    jobs = yaml.safe_load((WORKFLOWS / WORKFLOW).read_text())["jobs"]
    called = yaml.safe_load((WORKFLOWS / "environment.yml").read_text())["jobs"]
    for name in ("sandbox", "staging", "production"):
        assert jobs[name]["uses"] == "./.github/workflows/environment.yml"
        assert jobs[name]["with"]["environment"] == name
        assert "name" not in jobs[name]
    assert JOB == "{environment} / deploy"
    assert "name" not in called["deploy"]
