"""The workflows do what `make` does, with no more rights than each job needs."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.difference.cli import cli as difference_command

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS: Mapping[str, Any] = {
    file.stem: yaml.safe_load(file.read_text()) for file in sorted((GITHUB / "workflows").glob("*.yml"))
}
DEPENDENCIES = (ROOT / "docs" / "dependencies.md").read_text()
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
    told = re.findall(r"^\| `([a-z0-9-]+)` \| \S+ \| `([0-9a-f]{40})` \|", DEPENDENCIES, re.MULTILINE)
    assert {f"vectors/{folder}": commit for folder, commit in told} == fetched
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
    """A deployment would wait for the night's work, which touches other stacks."""
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


def test_each_environment_lets_deployments_in_one_by_one_and_drops_none() -> None:
    """GitHub keeps one waiting job a group unless told otherwise: an older one would push the newest out."""
    assert WORKFLOWS["environment"]["jobs"]["deploy"]["concurrency"] == {
        "group": "environment-${{ inputs.environment }}",
        "queue": "max",
        "cancel-in-progress": False,
    }


def test_an_environment_that_waits_for_people_holds_up_no_other() -> None:
    """A group around the whole workflow would: the sandbox would wait for production's reviewers."""
    holding = {
        name for name, job in _jobs() if name.startswith(("deploy/", "environment/")) and "concurrency" in job
    }
    assert holding == {"environment/deploy"}
    assert "concurrency" not in WORKFLOWS["deploy"]
    assert "concurrency" not in WORKFLOWS["environment"]


def test_nothing_that_changes_an_environment_is_interrupted() -> None:
    interrupted = {
        name
        for name, part in [*WORKFLOWS.items(), *_jobs()]
        if part.get("concurrency", {}).get("cancel-in-progress")
    }
    assert interrupted == {"pull-request"}


def test_a_deployment_first_asks_whether_it_was_overtaken() -> None:
    """Before it signs in, and while it holds the environment."""
    deploy = WORKFLOWS["environment"]["jobs"]["deploy"]
    steps = [step for step in deploy["steps"] if not step.get("uses", "").startswith((CHECKOUT, "./"))]
    assert steps[0] == {
        "run": 'make check-newest-run ENVIRONMENT="$NAME"',
        "env": {"GITHUB_TOKEN": "${{ secrets.GITHUB_TOKEN }}"},
    }
    assert deploy["permissions"]["actions"] == "read"


def test_what_github_guards_is_seen_before_a_deployment_and_every_night() -> None:
    """With a token that reads, and without credentials for AWS."""
    jobs = {name: job for name, job in _jobs() if name.endswith("/settings")}
    assert set(jobs) == {"environment/settings", "nightly/settings"}
    for job in jobs.values():
        (step,) = [step for step in job["steps"] if "run" in step]
        assert step["run"] == 'make check-protection ENVIRONMENT="$NAME"'
        assert step["env"]["GITHUB_TOKEN"] == "${{ secrets.GITHUB_TOKEN }}"
        assert job["permissions"] == {"actions": "read", "contents": "read"}
        assert "environment" not in job, "it would wait for the very approval it looks for"
        assert not any("continue-on-error" in part for part in (job, *job["steps"]))
    assert "settings" in WORKFLOWS["environment"]["jobs"]["deploy"]["needs"]
    assert jobs["nightly/settings"]["strategy"]["matrix"]["environment"] == [
        "production",
        "staging",
        "sandbox",
    ]


def test_a_workflow_that_calls_another_grants_what_its_jobs_ask_for() -> None:
    """GitHub refuses to start a called workflow that asks for more."""
    asked = {
        permission: level
        for job in WORKFLOWS["environment"]["jobs"].values()
        for permission, level in job["permissions"].items()
    }
    for name in ("sandbox", "staging", "production"):
        assert WORKFLOWS["deploy"]["jobs"][name]["permissions"] == asked


def test_a_restore_is_rehearsed_every_month_where_no_money_is() -> None:
    """By a role that may start that task alone, for the branch `main`; and neither dropped nor cut short."""
    workflow = WORKFLOWS["rehearsal"]
    # YAML 1.1 reads the key `on` as a boolean.
    (schedule,) = workflow[True]["schedule"]
    minute, hour, day, month, weekday = schedule["cron"].split()
    job = workflow["jobs"]["rehearse"]
    (credentials,) = (step for step in job["steps"] if "configure-aws" in step.get("uses", ""))

    assert (month, weekday) == ("*", "*")
    assert minute.isdigit()
    assert hour.isdigit()
    assert day.isdigit()
    assert int(day) <= 28, "February has that day too"
    assert job["environment"] == "staging-rehearse", "a door of its own: who looks around finds none here"
    assert credentials["with"]["role-to-assume"].endswith(":role/staging-delivery-rehearse")
    assert job["steps"][-1]["run"] == "make rehearse ENVIRONMENT=staging"
    (waiting,) = re.findall(
        r'one_off rehearse .*--wait "\$\(or \$\(WAIT\),(\d+)', (ROOT / "Makefile").read_text()
    )
    assert int(waiting) < credentials["with"]["role-duration-seconds"]
    assert int(waiting) < job["timeout-minutes"] * 60
    assert workflow["concurrency"]["cancel-in-progress"] is False


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


def test_an_environment_is_compared_with_what_runs_before_it_is_deployed() -> None:
    """By a job that asks nobody and may change nothing, so that whoever approves the next one has read it."""
    jobs = WORKFLOWS["environment"]["jobs"]
    difference, deploy = jobs["difference"], jobs["deploy"]
    commands = [step["run"] for step in difference["steps"] if "run" in step]

    assert commands == [
        'make fetch-templates ENVIRONMENT="$NAME"',
        'make diff-comment BEFORE=deployed.out AFTER=cdk.out ENVIRONMENT="$NAME" >> "$GITHUB_STEP_SUMMARY"',
    ]
    assert "difference" in deploy["needs"]
    assert (difference["environment"], deploy["environment"]) == (
        "${{ inputs.environment }}-diff",
        "${{ inputs.environment }}",
    )
    (role,) = [
        step["with"]["role-to-assume"] for step in difference["steps"] if "role-to-assume" in str(step)
    ]
    assert role.endswith("${{ inputs.environment }}-delivery-diff")
    assert not any("continue-on-error" in part for part in (difference, *difference["steps"]))


def test_a_change_from_a_fork_is_judged_without_credentials() -> None:
    """By the target branch's program, for every environment, whoever sends it; nothing can skip it."""
    job = WORKFLOWS["pull-request"]["jobs"]["losses"]
    (checkout,) = [step for step in job["steps"] if step.get("uses", "").startswith(CHECKOUT)]
    commands = [step["run"] for step in job["steps"] if "run" in step]

    assert "if" not in job
    assert job["permissions"] == {"contents": "read"}
    assert job["strategy"]["matrix"]["environment"] == ["production", "staging", "sandbox"]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert commands[0] == "make assembly"
    assert commands[1].startswith(
        "make diff-comment BEFORE=cdk.out AFTER=change/cdk.out REPLACEMENTS=change/stacks/replacements.toml"
    )
    assert " WAIVERS=change/stacks/replacements.toml " in commands[1]
    assert not any("continue-on-error" in part for part in (job, *job["steps"]))


def test_migrations_run_between_what_they_stand_on_and_what_counts_on_them() -> None:
    commands = [
        step["run"].split(" ENV")[0]
        for name, step in _steps()
        if name == "environment/deploy" and "run" in step
    ]
    assert [command.split(" API")[0] for command in commands] == [
        "make check-newest-run",
        "make deploy",
        "make migrate",
        "make deploy",
        "make smoke",
    ]
    first = next(step["run"] for _, step in _steps() if step.get("run", "").startswith("make deploy "))
    assert first.endswith("UP_TO=migrations")


def test_the_look_after_a_deployment_demands_the_witnesses_of_what_was_deployed() -> None:
    (smoke,) = (step for _, step in _steps() if step.get("run", "").startswith("make smoke"))
    assert 'ENVIRONMENT="$NAME"' in smoke["run"].split()


def test_the_base_is_asked_by_names_that_the_release_before_knows_and_this_one_still() -> None:
    """The pull request that brings this release is judged by the commands of the one before."""
    before = {"assembly", "deployed", "comment", "diff-comment"}
    jobs = WORKFLOWS["pull-request"]["jobs"]
    runs = [step["run"] for name in ("losses", "difference") for step in jobs[name]["steps"] if "run" in step]
    assert {target for run in runs for target in re.findall(r"^make ([a-z-]+)", run)} == before
    takes = {name for option in difference_command.params for name in option.opts}
    assert takes >= {"--waivers", "--replacements"}


def test_the_comment_reads_the_approvals_of_the_change_and_runs_the_code_of_the_base() -> None:
    jobs = WORKFLOWS["pull-request"]["jobs"]
    (kept,) = [step for step in jobs["assembly"]["steps"] if "upload-artifact" in step.get("uses", "")]
    difference = jobs["difference"]["steps"]
    (checkout,) = [step for step in difference if step.get("uses", "").startswith(CHECKOUT)]
    (compare,) = [step for step in difference if "operations.difference" in step.get("run", "")]

    assert "stacks/replacements.toml" in kept["with"]["path"].split()
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "--waivers change/stacks/replacements.toml" in compare["run"]
