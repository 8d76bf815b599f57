"""What each role may do stands in one file a security reviewer signs, and nothing in it is unlimited without a reason."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from operations.waivers import waivers
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.permissions import document, grants, unexplained_wildcards

GOLDEN = Path(__file__).with_name("golden") / "permissions.md"
EVERYTHING = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _with(deployed: Deployed, stack: str, statement: Mapping[str, Any]) -> Deployed:
    """The environment with one more statement in every policy of a stack."""
    templates = {**deployed.templates, stack: copy.deepcopy(dict(deployed.templates[stack]))}
    for body in templates[stack]["Resources"].values():
        if body["Type"] == "AWS::IAM::Policy":
            body["Properties"]["PolicyDocument"]["Statement"].append(statement)
    return Deployed(deployed.name, templates, deployed.manifests)


def test_permissions_are_what_was_signed(environments: Mapping[str, Deployed]) -> None:
    text = document(environments)
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_a_named_sandbox_gives_what_the_shared_one_gives(
    named: Deployed, environments: Mapping[str, Deployed]
) -> None:
    """But for what lets GitHub in; so the signature above is good for it as well."""
    shared = {
        (role, line)
        for role, line in grants(environments["sandbox"])
        if not role.startswith("delivery/") and role != "migrations/ByDelivery"
    }
    assert set(grants(named)) == shared


def test_one_more_permission_is_one_more_line(environments: Mapping[str, Deployed]) -> None:
    changed = {**environments, "staging": _with(environments["staging"], "migrations", EVERYTHING)}
    added = set(document(changed).splitlines()) - set(document(environments).splitlines())
    assert added == {"- may s3:GetObject on * (staging only)"}


def test_another_condition_is_another_line(environments: Mapping[str, Deployed]) -> None:
    wider = EVERYTHING | {"Condition": {"StringLike": {"s3:prefix": "log/*"}}}
    changed = _with(environments["staging"], "migrations", wider)
    assert ("migrations/ByDelivery", "may s3:GetObject on *, if s3:prefix StringLike log/*") in set(
        grants(changed)
    )


def test_a_role_in_one_stack_is_found_from_the_policy_in_another(
    environments: Mapping[str, Deployed],
) -> None:
    assert ("keys/PublisherRole", "may kms:Sign on keys/Signing") in set(grants(environments["production"]))


def test_no_resource_is_a_wildcard_without_a_reason(assembly: Path, deployed: Deployed) -> None:
    assert list(unexplained_wildcards(deployed, waivers(assembly, deployed))) == []


def test_a_wildcard_nobody_explained_is_noticed(assembly: Path, environments: Mapping[str, Deployed]) -> None:
    production = environments["production"]
    changed = _with(production, "workers", EVERYTHING)
    found = list(unexplained_wildcards(changed, waivers(assembly, production)))
    assert any("WorkerRoleDefaultPolicy" in place and place.endswith("* without a waiver") for place in found)


def test_a_waiver_of_one_wildcard_does_not_excuse_another(
    assembly: Path, environments: Mapping[str, Deployed]
) -> None:
    sandbox = environments["sandbox"]
    wider = EVERYTHING | {"Resource": "arn:aws:s3:::*"}
    found = list(unexplained_wildcards(_with(sandbox, "workers", wider), waivers(assembly, sandbox)))
    assert any("WorkerExecutionRoleDefaultPolicy" in place for place in found)


def test_every_wildcard_is_excused_by_a_waiver_that_stands_there(
    assembly: Path, environments: Mapping[str, Deployed]
) -> None:
    """Without the waivers the same look finds them, so the look is not blind."""
    assert list(unexplained_wildcards(environments["production"], [])) != []
    assert waivers(assembly, environments["production"]) != []
