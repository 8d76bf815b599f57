"""What GitHub guards is read from GitHub, and each thing that is not guarded stops a deployment."""

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from operations.github.protection import cli
from tests.operations.github_double import REPOSITORY, TOKEN, GitHub, github

ROOT = Path(__file__).parents[2]
CHECKS = ("check", "gates", "test")
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

WAIT = {"id": 3736, "node_id": "MDQ6R2F0ZTM3MzY=", "type": "wait_timer", "wait_timer": 30}
REVIEWERS = {
    "id": 3755,
    "node_id": "MDQ6R2F0ZTM3NTU=",
    "prevent_self_review": False,
    "type": "required_reviewers",
    "reviewers": [{"type": "Team", "reviewer": {"id": 1, "name": "Deployers", "slug": "deployers"}}],
}
BRANCHES = {"id": 3756, "node_id": "MDQ6R2F0ZTM3NTY=", "type": "branch_policy"}
MAIN = {"id": 361471, "node_id": "MDE2OkdhdGVCcmFuY2hQb2xpY3kzNjE0NzE=", "name": "main", "type": "branch"}


def _environment(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """In the form of "Get an environment"."""
    return {
        "id": 161088068,
        "node_id": "MDExOkVudmlyb25tZW50MTYxMDg4MDY4",
        "name": name,
        "url": f"https://api.github.com/repos/{REPOSITORY}/environments/{name}",
        "created_at": "2026-01-23T22:00:40Z",
        "updated_at": "2026-01-23T22:00:40Z",
        "can_admins_bypass": False,
        "protection_rules": [*rules, BRANCHES],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    }


def _policies(*names: dict[str, Any]) -> dict[str, Any]:
    return {"total_count": len(names), "branch_policies": list(names)}


def _rules(*checks: str) -> list[dict[str, Any]]:
    """In the form of "Get rules for a branch"."""
    told = {"ruleset_source_type": "Repository", "ruleset_source": REPOSITORY, "ruleset_id": 42}
    required = [{"context": check, "integration_id": 15368} for check in checks]
    parameters = {"strict_required_status_checks_policy": True, "required_status_checks": required}
    return [
        {"type": "deletion", **told},
        {"type": "required_status_checks", "parameters": parameters, **told},
    ]


GUARDED: dict[str, Any] = {
    "/environments/production": _environment("production", WAIT, REVIEWERS),
    "/environments/production/deployment-branch-policies": _policies(MAIN),
    "/environments/production-watch": _environment("production-watch"),
    "/environments/production-watch/deployment-branch-policies": _policies(MAIN),
    "/environments/images": _environment("images"),
    "/environments/images/deployment-branch-policies": _policies(MAIN),
    "/environments/staging": _environment("staging"),
    "/environments/staging/deployment-branch-policies": _policies(MAIN),
    "/environments/staging-watch": _environment("staging-watch"),
    "/environments/staging-watch/deployment-branch-policies": _policies(MAIN),
    "/environments/staging-rehearse": _environment("staging-rehearse"),
    "/environments/staging-rehearse/deployment-branch-policies": _policies(MAIN),
    "/environments/sandbox": _environment("sandbox"),
    "/environments/sandbox/deployment-branch-policies": _policies(MAIN),
    "/environments/sandbox-watch": _environment("sandbox-watch"),
    "/environments/sandbox-watch/deployment-branch-policies": _policies(MAIN),
    "/actions/oidc/customization/sub": {"use_default": True, "use_immutable_subject": True},
    "/rules/branches/main": _rules(*CHECKS, "losses (production)", "losses (staging)", "losses (sandbox)"),
}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github() as served:
        served.answers = copy.deepcopy(GUARDED)
        monkeypatch.setenv("GITHUB_API_URL", served.address)
        monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield served


def _run(environment: str = "production") -> Result:
    return CliRunner().invoke(cli, [environment])


def test_what_is_guarded_passes_and_was_only_read(served: GitHub) -> None:
    done = _run()
    assert (done.exit_code, done.output) == (0, "production is guarded as it must be.\n")
    assert {method for method, _, _ in served.asked} == {"GET"}
    assert {token for _, _, token in served.asked} == {f"Bearer {TOKEN}"}
    assert len(served.asked) == 8


def test_a_sandbox_asks_nobody_and_is_limited_to_main_all_the_same(served: GitHub) -> None:
    assert _run("sandbox").exit_code == 0
    served.answers["/environments/sandbox"]["deployment_branch_policy"] = None
    done = _run("sandbox")
    assert (done.exit_code, "sandbox may be used from every branch" in done.output) == (1, True)


def test_who_rehearses_a_restore_does_so_from_main_alone(served: GitHub) -> None:
    assert _run("staging").exit_code == 0
    del served.answers["/environments/staging-rehearse"]
    done = _run("staging")
    assert (done.exit_code, "There is no deployment environment staging-rehearse" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ({"use_default": True, "use_immutable_subject": False}, 1),
        ({"use_default": False, "include_claim_keys": ["repo"], "use_immutable_subject": True}, 1),
        ({"use_default": True}, 0),
    ],
    ids=["a repository of before", "a subject of one's own", "an answer that does not say"],
)
def test_tokens_that_the_roles_would_refuse_are_told(
    template: dict[str, Any], code: int, served: GitHub
) -> None:
    served.answers["/actions/oidc/customization/sub"] = template
    done = _run()
    assert (done.exit_code, "another subject than the roles trust" in done.output) == (code, bool(code))


def _without_reviewers(answers: dict[str, Any]) -> None:
    answers["/environments/production"]["protection_rules"] = [WAIT, BRANCHES]


def _with_nobody_to_review(answers: dict[str, Any]) -> None:
    answers["/environments/production"]["protection_rules"] = [{**REVIEWERS, "reviewers": []}, BRANCHES]


def _with_a_way_round(answers: dict[str, Any]) -> None:
    answers["/environments/production"]["can_admins_bypass"] = True


def _silent_about_a_way_round(answers: dict[str, Any]) -> None:
    del answers["/environments/production"]["can_admins_bypass"]


def _from_any_branch(answers: dict[str, Any]) -> None:
    answers["/environments/production"]["deployment_branch_policy"] = None


def _from_protected_branches(answers: dict[str, Any]) -> None:
    answers["/environments/production"]["deployment_branch_policy"] = {
        "protected_branches": True,
        "custom_branch_policies": False,
    }


def _from_another_branch_too(answers: dict[str, Any]) -> None:
    policies = _policies(MAIN, {**MAIN, "id": 361472, "name": "release/*"})
    answers["/environments/production/deployment-branch-policies"] = policies


def _from_a_tag_called_main(answers: dict[str, Any]) -> None:
    answers["/environments/production/deployment-branch-policies"] = _policies({**MAIN, "type": "tag"})


def _at_night_from_any_branch(answers: dict[str, Any]) -> None:
    answers["/environments/production-watch"]["deployment_branch_policy"] = None


def _images_from_any_branch(answers: dict[str, Any]) -> None:
    answers["/environments/images"]["deployment_branch_policy"] = None


def _never_created(answers: dict[str, Any]) -> None:
    del answers["/environments/production"]


def _losses_not_required(answers: dict[str, Any]) -> None:
    answers["/rules/branches/main"] = _rules(*CHECKS, "losses (sandbox)")


@pytest.mark.parametrize(
    ("loosen", "says"),
    [
        (_without_reviewers, "production asks nobody: name at least one required reviewer"),
        (_with_nobody_to_review, "production asks nobody: name at least one required reviewer"),
        (_with_a_way_round, "Administrators may pass by the reviewers of production"),
        (_silent_about_a_way_round, "Administrators may pass by the reviewers of production"),
        (_from_any_branch, "production may be used from every branch: choose 'Selected branches"),
        (_from_protected_branches, "production may be used from every protected branch"),
        (_from_another_branch_too, "production may be used from branch main, branch release/*: name the"),
        (_from_a_tag_called_main, "production may be used from tag main: name the branch main alone"),
        (_at_night_from_any_branch, "production-watch may be used from every branch"),
        (_images_from_any_branch, "images may be used from every branch"),
        (_never_created, "There is no deployment environment production: create it"),
        (_losses_not_required, "main takes changes without the check 'losses (production)'"),
    ],
)
def test_what_is_not_guarded_stops_the_deployment(
    loosen: Callable[[dict[str, Any]], None], says: str, served: GitHub
) -> None:
    loosen(served.answers)
    done = _run()
    assert done.exit_code == 1, done.output
    (sentence,) = done.output.splitlines()
    assert sentence.startswith(says)


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_is_required(check: str, served: GitHub) -> None:
    required = [*CHECKS, "losses (production)"]
    required.remove(check)
    served.answers["/rules/branches/main"] = _rules(*required)
    done = _run()
    assert done.exit_code == 1, done.output
    (sentence,) = done.output.splitlines()
    assert sentence.startswith(f"main takes changes without the check '{check}': require it by a ruleset")


def test_a_branch_without_rules_is_told_every_check(served: GitHub) -> None:
    served.answers["/rules/branches/main"] = []
    done = _run()
    assert done.exit_code == 1
    asked = [re.findall("check '(.+)'", sentence) for sentence in done.output.splitlines()]
    assert asked == [["check"], ["gates"], ["test"], ["losses (production)"]]


def test_what_is_required_is_what_a_pull_request_runs() -> None:
    """GitHub would wait for ever for a check that no job reports."""
    jobs = yaml.safe_load((ROOT / ".github/workflows/pull-request.yml").read_text())["jobs"]
    assert set(CHECKS) <= {name for name, job in jobs.items() if "strategy" not in job and "if" not in job}


def test_a_failure_that_passes_is_asked_again_and_one_that_stays_is_no_answer(served: GitHub) -> None:
    served.failures = 2
    assert _run().exit_code == 0
    served.failures = 1000
    done = _run()
    assert done.exit_code == 2
    assert "Not looked at: GitHub answers 502" in done.output
    assert len(served.asked) == 8 + 2 + 3


@pytest.mark.parametrize("answer", [(403, {"message": "Resource not accessible"}), b"<html>", ["other"]])
def test_what_is_no_answer_is_not_taken_for_one(answer: Any, served: GitHub) -> None:
    served.answers["/environments/production"] = answer
    done = _run()
    assert done.exit_code == 2, done.output
    assert done.output.startswith("Not looked at: ")


def test_outside_a_job_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    done = _run()
    assert (done.exit_code, done.output) == (
        2,
        "Not looked at: GITHUB_TOKEN is not set; a GitHub job has it.\n",
    )
