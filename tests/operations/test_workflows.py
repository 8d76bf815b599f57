"""The workflows do what `make` does, with no more rights than each job needs."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS: Mapping[str, Any] = {
    file.stem: yaml.safe_load(file.read_text()) for file in sorted((GITHUB / "workflows").glob("*.yml"))
}
CHECKOUT = "actions/checkout@"


def _jobs() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for workflow, content in WORKFLOWS.items():
        for name, job in content["jobs"].items():
            yield f"{workflow}/{name}", job


def _steps() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, job in _jobs():
        yield from ((name, step) for step in job.get("steps", []))


TELLS_FAILURES_APART = r"\.venv/bin/python -m operations\.(cost_check|difference)"
"""Programs whose exit codes make would turn into one."""


def test_every_step_but_the_images_is_a_make_target_or_a_program_whose_exit_code_counts() -> None:
    commands = {
        step["run"].strip() for name, step in _steps() if "run" in step and name != "deploy/image"
    } | {step["run"] for step in _setup()["runs"]["steps"] if "run" in step}
    known = rf"(make [a-z-]+|{TELLS_FAILURES_APART})( |$)[^;&|\n]*$"
    assert [command for command in commands if not re.match(known, command)] == []


def test_where_failures_differ_the_program_is_called_and_not_make() -> None:
    called = [
        match[1] for _, step in _steps() if (match := re.match(TELLS_FAILURES_APART, step.get("run", "")))
    ]
    assert sorted(called) == ["cost_check", "difference"]
    asked = {target for _, step in _steps() for target in re.findall(r"^make ([a-z-]+)", step.get("run", ""))}
    telling = {
        line.partition(":")[0]
        for line, body in pairwise((ROOT / "Makefile").read_text().splitlines())
        if "$(call tells," in body
    }
    assert telling & asked == set()


def _setup() -> Any:
    return yaml.safe_load((GITHUB / "actions" / "setup" / "action.yml").read_text())


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {
        target for _, step in _steps() for target in re.findall(r"^make ([a-z-]+)", step.get("run", ""))
    }
    assert sorted(called - targets) == []
    assert {"check", "gates", "test", "assembly", "deploy", "migrate", "smoke", "drift"} <= called


@pytest.mark.parametrize("file", sorted(GITHUB.rglob("*.yml")), ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text())
    pinned = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/.*")
    assert [action for action in used if not pinned.fullmatch(action)] == []


def test_an_action_has_one_version_everywhere() -> None:
    text = "".join(file.read_text() for file in GITHUB.rglob("*.yml"))
    pinned = set(re.findall(r"uses: ([\w.-]+/[\w.-]+)@([0-9a-f]{40})", text))
    assert len({action for action, _ in pinned}) == len(pinned)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_allowed_that_a_job_does_not_ask_for(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    assert [job for job in WORKFLOWS[name]["jobs"].values() if "permissions" not in job] == []


def test_only_comments_are_written() -> None:
    writing = {
        (name, permission)
        for name, job in _jobs()
        for permission, level in job["permissions"].items()
        if level == "write" and permission != "id-token"
    }
    assert writing == {("pull-request/difference", "pull-requests")}


def test_no_checkout_leaves_its_token_behind() -> None:
    checkouts = [step for _, step in _steps() if step.get("uses", "").startswith(CHECKOUT)]
    assert checkouts
    assert [step for step in checkouts if step["with"].get("persist-credentials") is not False] == []


def test_the_tests_have_the_outside_vectors_and_may_not_do_without() -> None:
    """Each by its commit. The folder is named, and a named folder without them is a failure and no skip."""
    steps = WORKFLOWS["pull-request"]["jobs"]["test"]["steps"]
    fetched = {step["with"]["path"]: step["with"]["ref"] for step in steps if "path" in step.get("with", {})}
    (tests,) = (step for step in steps if step.get("run") == "make test")
    used = re.findall(r'vectors / "([\w-]+)"', (ROOT / "tests/verify/test_outside_vectors.py").read_text())

    assert set(fetched) == {f"vectors/{folder}" for folder in used}
    assert [ref for ref in fetched.values() if not re.fullmatch(r"[0-9a-f]{40}", ref)] == []
    assert tests["env"] == {"AMPLY_VECTORS": "${{ github.workspace }}/vectors"}


def test_nothing_switches_validation_off() -> None:
    text = "".join(file.read_text() for file in [*GITHUB.rglob("*.yml"), ROOT / "Makefile"])
    assert "CDK_VALIDATION" not in text
    assert "--no-validation" not in text


def test_a_job_ends_in_time() -> None:
    assert [name for name, job in _jobs() if "uses" not in job and "timeout-minutes" not in job] == []


def test_a_change_under_review_never_runs_beside_credentials() -> None:
    """The job with a token runs the target branch's programs, and forks get no token at all."""
    trusted = [job for job in WORKFLOWS["pull-request"]["jobs"].values() if "id-token" in job["permissions"]]
    assert trusted
    for job in trusted:
        assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
        (checkout,) = (step for step in job["steps"] if step.get("uses", "").startswith(CHECKOUT))
        assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "pull_request_target" not in str(WORKFLOWS["pull-request"])


def test_a_job_with_a_token_names_its_deployment_environment() -> None:
    """Its name is in the token's subject: without one, no role would be handed out."""
    for name, job in _jobs():
        if "id-token" in job["permissions"] and "uses" not in job:
            assert "environment" in job, name


def test_each_expired_sandbox_is_a_job_with_credentials_of_its_own() -> None:
    """Those of a chained role last an hour, and one sandbox takes most of it."""
    jobs = WORKFLOWS["nightly"]["jobs"]
    expired, sandboxes = jobs["expired"], jobs["sandboxes"]
    (listed,) = (step for step in expired["steps"] if "run" in step)
    taken = [step["uses"].partition("@")[0] for step in sandboxes["steps"] if "with" in step][1:]

    assert listed["run"] == 'make sandboxes-expired >> "$GITHUB_OUTPUT"'
    assert expired["outputs"] == {"sandboxes": f"${{{{ steps.{listed['id']}.outputs.sandboxes }}}}"}
    assert sandboxes["needs"] == "expired"
    assert sandboxes["if"] == "needs.expired.outputs.sandboxes != '[]'", "an empty matrix is an error"
    assert sandboxes["strategy"] == {
        "fail-fast": False,
        "max-parallel": 1,
        "matrix": {"sandbox": "${{ fromJSON(needs.expired.outputs.sandboxes) }}"},
    }
    assert taken == ["aws-actions/configure-aws-credentials"] * 2
    assert sandboxes["steps"][-1]["run"] == 'make sandboxes-reap SANDBOX="$NAME"'


def test_nothing_else_waits_in_the_group_of_a_deployment() -> None:
    """GitHub keeps one waiting job a group and drops the others: a night's job would push a deployment out."""
    groups = {
        name: job["concurrency"]["group"]
        for name, job in _jobs()
        if str(job.get("concurrency", {}).get("group", "")).startswith("environment-")
    }
    assert set(groups) == {"environment/deploy"}


def test_what_a_pull_request_signs_in_as_is_nothing_the_night_uses() -> None:
    """A branch can run what it likes in the first; the second is limited to `main` and may look around."""
    environments = {name: str(job.get("environment", "")) for name, job in _jobs()}
    assert environments["pull-request/difference"] == "${{ matrix.environment }}-diff"
    at_night = {name: where for name, where in environments.items() if name.startswith("nightly/")}
    assert {name for name, where in at_night.items() if where.endswith("-watch")} == {
        "nightly/drift",
        "nightly/cost",
        "nightly/expired",
    }
    assert not any(where.endswith("-diff") for where in at_night.values())


def test_deployments_are_never_interrupted() -> None:
    groups = [WORKFLOWS[name]["concurrency"] for name in ("deploy", "nightly")]
    groups += [WORKFLOWS["environment"]["jobs"]["deploy"]["concurrency"]]
    assert [group["cancel-in-progress"] for group in groups] == [False, False, False]
    assert groups[-1]["group"] == "environment-${{ inputs.environment }}"


def test_environments_follow_each_other_from_what_can_be_lost_to_what_cannot() -> None:
    jobs = WORKFLOWS["deploy"]["jobs"]
    order = [
        ("assembly", "image"),
        ("sandbox", "assembly"),
        ("staging", "sandbox"),
        ("production", "staging"),
    ]
    assert [(name, jobs[name]["needs"]) for name, _ in order] == order


def test_one_assembly_is_made_and_every_environment_takes_that_one() -> None:
    made = [
        name
        for name, step in _steps()
        if step.get("run", "").startswith("make assembly") and "deploy/" in name
    ]
    assert made == ["deploy/assembly"]
    assert any(
        step.get("uses", "").startswith("actions/download-artifact@")
        for name, step in _steps()
        if name == "environment/deploy"
    )


def test_migrations_run_between_what_they_stand_on_and_what_counts_on_them() -> None:
    commands = [
        step["run"].split(" ENV")[0]
        for name, step in _steps()
        if name == "environment/deploy" and "run" in step
    ]
    assert [command.split(" API")[0] for command in commands] == [
        "make deploy",
        "make migrate",
        "make deploy",
        "make smoke",
    ]
    first = next(step["run"] for name, step in _steps() if name == "environment/deploy" and "run" in step)
    assert first.endswith("UP_TO=migrations")


def test_the_comment_reads_the_waivers_of_the_change_and_runs_the_code_of_the_base() -> None:
    jobs = WORKFLOWS["pull-request"]["jobs"]
    (kept,) = [step for step in jobs["assembly"]["steps"] if "upload-artifact" in step.get("uses", "")]
    difference = jobs["difference"]["steps"]
    (checkout,) = [step for step in difference if step.get("uses", "").startswith(CHECKOUT)]
    (compare,) = [step for step in difference if "operations.difference" in step.get("run", "")]

    assert "stacks/replacements.toml" in kept["with"]["path"].split()
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "--waivers change/stacks/replacements.toml" in compare["run"]
