"""Every door into an account that GitHub has the key to: a job goes through it, and its deployment environment is guarded.

GitHub makes an environment that nobody set up by itself, open to every branch. A role that trusts one which no workflow
uses and nothing looks at is a way in for whoever may push.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from constructs_lib.github import ISSUER
from operations.github import protection
from stacks.environments import ENVIRONMENTS, REPOSITORY
from tests.infrastructure.assembly import ROOT, Deployed
from tests.infrastructure.breaking import add, broken

Door = tuple[str, str]
"""A role's name, and the deployment environment whose jobs may take it on."""
Workflows = Mapping[str, Any]
WORKFLOWS: Workflows = {
    file.name: yaml.safe_load(file.read_text()) for file in (ROOT / ".github/workflows").glob("*.yml")
}
DELIVERED = sorted(name for name, environment in ENVIRONMENTS.items() if environment.delivery)


def _doors(deployed: Deployed) -> set[Door]:
    """A subject of another form stands for itself, and is in nobody's list."""
    return {
        (str(role.properties["RoleName"]), subject.removeprefix(REPOSITORY.subject("x").removesuffix("x")))
        for role in deployed.resources("AWS::IAM::Role")
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]
        if "Federated" in statement["Principal"]
        for subject in [str(statement.get("Condition", {}).get("StringEquals", {}).get(f"{ISSUER}:sub"))]
    }


def _used(workflows: Workflows) -> set[Door]:
    return {
        (role, where)
        for file, workflow in workflows.items()
        for job in workflow["jobs"].values()
        for told in _tellings(file, job, workflows)
        for where in [_filled(str(job.get("environment", "")), told)]
        for step in job.get("steps", [])
        for role in re.findall(r":role/(\S+-delivery-\S+)", _filled(str(step), told).replace("'", " "))
    }


def _tellings(file: str, job: Mapping[str, Any], workflows: Workflows) -> Iterator[Mapping[str, str]]:
    """What `matrix.environment` and `inputs.environment` are, each time the job runs."""
    callers = [
        other["with"]["environment"]
        for workflow in workflows.values()
        for other in workflow["jobs"].values()
        if other.get("uses") == f"./.github/workflows/{file}"
    ]
    for matrix in job.get("strategy", {}).get("matrix", {}).get("environment", [""]):
        for caller in callers or [""]:
            yield {"matrix.environment": matrix, "inputs.environment": caller}


def _filled(text: str, told: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: told.get(found[1], ""), text)


def _faults(environments: Mapping[str, Deployed], workflows: Workflows) -> Iterator[str]:
    doors = {name: _doors(deployed) for name, deployed in environments.items()}
    there, used = set().union(*doors.values()), _used(workflows)
    yield from (f"{role} trusts {where}, and no job uses that" for role, where in there - used)
    yield from (
        f"a job in {where or 'no environment'} asks in vain for {role}" for role, where in used - there
    )
    for name in DELIVERED:
        open_on_purpose = f"{name}-diff"
        trusted = {where for _, where in doors[name]} - {open_on_purpose}
        yield from (
            f"{where} is trusted and not looked at" for where in trusted - {*protection.guarded(name)}
        )
        yield from (f"{where} is looked at for nothing" for where in {*protection.guarded(name)} - trusted)


def test_every_door_is_used_by_a_job_and_guarded(synthesised: Mapping[str, Deployed]) -> None:
    assert sorted(_faults(synthesised, WORKFLOWS)) == []


def test_no_job_finds_a_door_to_a_database_that_was_restored_from_real_gifts(
    environments: Mapping[str, Deployed],
) -> None:
    """The job could run the task with a command of its own."""
    rehearsing = {
        role for deployed in environments.values() for role, _ in _doors(deployed) if "rehearse" in role
    }
    assert rehearsing == {"staging-delivery-rehearse"}


def _trusting(subject: str) -> Callable[[Mapping[str, Deployed]], Mapping[str, Deployed]]:
    statement = {
        "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"},
        "Condition": {"StringEquals": {f"{ISSUER}:sub": subject}},
    }
    one_more = add(
        "AWS::IAM::Role",
        RoleName="production-delivery-new",
        AssumeRolePolicyDocument={"Statement": [statement]},
    )
    return lambda environments: {
        **environments,
        "production": broken(environments["production"], "rehearsal", one_more),
    }


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (
            REPOSITORY.subject("production-new"),
            [
                "production-delivery-new trusts production-new, and no job uses that",
                "production-new is trusted and not looked at",
            ],
        ),
        (
            REPOSITORY.subject("production-diff"),
            ["production-delivery-new trusts production-diff, and no job uses that"],
        ),
        (
            "repo:other/amply:environment:production",
            [
                "production-delivery-new trusts repo:other/amply:environment:production, and no job uses that",
                "repo:other/amply:environment:production is trusted and not looked at",
            ],
        ),
    ],
)
def test_one_more_door_is_noticed(subject: str, said: list[str], synthesised: Mapping[str, Deployed]) -> None:
    assert sorted(_faults(_trusting(subject)(synthesised), WORKFLOWS)) == said


def test_a_door_that_no_job_uses_any_more_is_noticed(synthesised: Mapping[str, Deployed]) -> None:
    fewer = {file: workflow for file, workflow in WORKFLOWS.items() if file != "rehearsal.yml"}
    assert list(_faults(synthesised, fewer)) == [
        "staging-delivery-rehearse trusts staging-rehearse, and no job uses that"
    ]


def test_a_job_at_the_wrong_door_is_noticed(synthesised: Mapping[str, Deployed]) -> None:
    image = {**WORKFLOWS["deploy.yml"]["jobs"]["image"], "environment": "pictures"}
    deploy = {"jobs": {**WORKFLOWS["deploy.yml"]["jobs"], "image": image}}
    assert sorted(_faults(synthesised, {**WORKFLOWS, "deploy.yml": deploy})) == [
        "a job in pictures asks in vain for production-delivery-push",
        "production-delivery-push trusts images, and no job uses that",
    ]


def test_a_door_that_nothing_looks_at_is_noticed(
    synthesised: Mapping[str, Deployed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protection, "ALONGSIDE", {"sandbox": ("sandbox-new",)})
    assert sorted(_faults(synthesised, WORKFLOWS)) == [
        "images is trusted and not looked at",
        "sandbox-new is looked at for nothing",
        "staging-rehearse is trusted and not looked at",
    ]
