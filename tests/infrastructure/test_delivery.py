"""Who may deploy: jobs of one repository, each in its own deployment environment, through the bootstrap's roles."""

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatch
from functools import partial

import pytest

from constructs_lib.github import AUDIENCE, ISSUER, GitHubRepository
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS, PRODUCTION, REPOSITORY
from stacks.registry import REPOSITORY_NAME
from tests.infrastructure.assembly import ROOT, Deployed, Resource

DELIVERED: Mapping[str, Environment] = {
    name: environment for name, environment in ENVIRONMENTS.items() if environment.delivery
}
PURPOSES = {"diff": "{}-diff", "watch": "{}-watch", "deploy": "{}", "migrate": "{}"}


def _roles(deployed: Deployed) -> Mapping[str, Resource]:
    """The roles GitHub may take on, by name."""
    return {
        str(role.properties["RoleName"]): role
        for role in deployed.resources("AWS::IAM::Role")
        if "oidc-provider" in json.dumps(role.properties["AssumeRolePolicyDocument"])
    }


def _allowed(deployed: Deployed, role: Resource) -> list[tuple[str, str]]:
    """Every action and resource of the policies attached to a role."""
    return [
        (action, resource)
        for policy in deployed.resources("AWS::IAM::Policy")
        if {"Ref": role.logical_id} in policy.properties["Roles"] and policy.stack == role.stack
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in _many(statement["Action"])
        for resource in _many(statement["Resource"])
    ]


def _many(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize("name", DELIVERED)
def test_each_purpose_has_its_own_role_and_deployment_environment(
    name: str, environments: Mapping[str, Deployed]
) -> None:
    roles = _roles(environments[name])
    expected = {f"{name}-delivery-{purpose}": where.format(name) for purpose, where in PURPOSES.items()}
    if name == "staging":
        expected["staging-delivery-rehearse"] = "staging-rehearse"
    if name == "production":
        expected["production-delivery-push"] = "images"
    assert set(roles) == set(expected)
    for role_name, environment in expected.items():
        (statement,) = roles[role_name].properties["AssumeRolePolicyDocument"]["Statement"]
        subject = f"repo:amply-example@100000001/amply@200000001:environment:{environment}"
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Condition"] == {
            "StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}
        }


@pytest.mark.parametrize("name", DELIVERED)
def test_no_deployment_environment_opens_two_doors_of_different_strength(
    name: str, environments: Mapping[str, Deployed]
) -> None:
    """A job that only compares or looks around must find no role that does more."""
    subjects = {
        role_name: role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"][
            f"{ISSUER}:sub"
        ]
        for role_name, role in _roles(environments[name]).items()
    }
    for looking in ("diff", "watch"):
        assert subjects.pop(f"{name}-delivery-{looking}") not in subjects.values()


@pytest.mark.parametrize(
    ("purpose", "names"), [("watch", {"lookup"}), ("deploy", {"deploy", "file-publishing", "lookup"})]
)
@pytest.mark.parametrize("name", DELIVERED)
def test_a_role_may_take_on_the_roles_of_the_bootstrap_and_nothing_else(
    name: str, purpose: str, names: set[str], environments: Mapping[str, Deployed]
) -> None:
    deployed, account = environments[name], DELIVERED[name].account
    regions = {manifest["environment"].split("/")[-1] for manifest in deployed.manifests.values()}
    expected = {
        ("sts:AssumeRole", f"arn:aws:iam::{account}:role/cdk-hnb659fds-{kind}-role-{account}-{region}")
        for kind in names
        for region in regions
    }
    assert set(_allowed(deployed, _roles(deployed)[f"{name}-delivery-{purpose}"])) == expected


@pytest.mark.parametrize("name", DELIVERED)
def test_a_pull_request_may_read_what_our_stacks_were_made_from_and_nothing_else(
    name: str, environments: Mapping[str, Deployed]
) -> None:
    """Whoever may push a branch may be this role: no object, no message, no log, no setting, no other role."""
    deployed, account = environments[name], DELIVERED[name].account
    ours = {
        f"arn:aws:cloudformation:{region}:{account}:stack/{name}-*"
        for region in {manifest["environment"].split("/")[-1] for manifest in deployed.manifests.values()}
    }
    expected = {
        (f"cloudformation:{action}", one) for action in ("DescribeStacks", "GetTemplate") for one in ours
    }
    role = _roles(deployed)[f"{name}-delivery-diff"]
    assert set(_allowed(deployed, role)) == expected | {("cloudformation:ListStacks", "*")}
    assert "ManagedPolicyArns" not in role.properties
    assert "Policies" not in role.properties


@pytest.mark.parametrize("name", DELIVERED)
def test_whoever_migrates_may_run_that_one_task(name: str, environments: Mapping[str, Deployed]) -> None:
    deployed = environments[name]
    allowed = _allowed(deployed, _roles(deployed)[f"{name}-delivery-migrate"])
    assert {action for action, _ in allowed} == {
        "ecs:RunTask",
        "ecs:DescribeTasks",
        "iam:PassRole",
        "ssm:GetParameter",
    }
    (definition,) = {resource for action, resource in allowed if action == "ecs:RunTask"}
    assert definition == str({"Ref": deployed_definition(deployed)})


def deployed_definition(deployed: Deployed) -> str:
    (task,) = (
        task
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == f"{deployed.name}-migrate"
    )
    return task.logical_id


def test_a_stacks_id_is_one_word(deployed: Deployed) -> None:
    """`operations.deployed` tells `sandbox-network` from a named sandbox's `sandbox-ada-network` by that."""
    assert [stack for stack in deployed.manifests if "-" in stack] == []


def test_nothing_is_delivered_to_a_laptop(environments: Mapping[str, Deployed]) -> None:
    assert _roles(environments["local"]) == {}
    assert "delivery" not in environments["local"].templates


def test_images_are_held_where_every_environment_looks_for_them(
    environments: Mapping[str, Deployed],
) -> None:
    held = [
        (deployed.name, repository)
        for deployed in environments.values()
        for repository in deployed.resources("AWS::ECR::Repository")
        if repository.stack.endswith("/delivery")
    ]
    ((holder, repository),) = held
    home = ENVIRONMENTS[holder]  # type: ignore[index]  # names read from disk
    address = f"{home.account}.dkr.ecr.{home.region}.amazonaws.com/{repository.properties['RepositoryName']}"
    assert {environment.image.repository for environment in DELIVERED.values()} == {address}
    assert repository.properties["RepositoryName"] == REPOSITORY_NAME


def test_other_environments_may_pull_images_and_not_push_them(environments: Mapping[str, Deployed]) -> None:
    statements = [
        statement
        for repository in environments["production"].resources("AWS::ECR::Repository")
        for statement in repository.properties["RepositoryPolicyText"]["Statement"]
    ]
    others = [environment.account for environment in DELIVERED.values() if environment is not PRODUCTION]
    for statement in statements:
        assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{account}:root" for account in others]}
        assert [action for action in statement["Action"] if "Put" in action or "Upload" in action] == []


def test_an_image_keeps_its_name_and_is_searched_for_known_faults(
    environments: Mapping[str, Deployed],
) -> None:
    for repository in environments["production"].resources("AWS::ECR::Repository"):
        properties = repository.properties
        assert properties["ImageTagMutability"] == "IMMUTABLE"
        assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert properties["EncryptionConfiguration"]["EncryptionType"] == "KMS"


def _expired(repository: Resource, images: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Of images by digest with their tags, all of them old and many pushed since: those that a rule could take away."""
    rules = json.loads(repository.properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    gone: set[str] = set()
    for selection in (rule["selection"] for rule in rules):
        prefixes = tuple(selection.get("tagPrefixList", ()))
        patterns = selection.get("tagPatternList", ())
        for digest, tags in images.items():
            named = any(tag.startswith(prefixes) or any(map(partial(fnmatch, tag), patterns)) for tag in tags)
            if {"untagged": not tags, "any": True, "tagged": named}[selection["tagStatus"]]:
                gone.add(digest)
    return gone


IMAGES = {"sha256:aa": ("0123abc-1",), "sha256:bb": ("0123abc-2", "rescue"), "sha256:cc": ()}


def test_nothing_takes_away_an_image_that_may_still_run(environments: Mapping[str, Deployed]) -> None:
    """Every image that is deployed was pushed with a tag, and nothing in the registry knows which of them run."""
    repositories = list(environments["production"].resources("AWS::ECR::Repository"))
    assert len(repositories) == 2
    for repository in repositories:
        assert _expired(repository, IMAGES) == {"sha256:cc"}


@pytest.mark.parametrize("selection", [{"tagStatus": "any"}, {"tagStatus": "tagged", "tagPrefixList": ["0"]}])
def test_a_rule_that_could_take_one_away_is_noticed(selection: Mapping[str, object]) -> None:
    text = json.dumps({"rules": [{"selection": selection}]})
    careless = Resource(
        "production/delivery",
        "New",
        {"Type": "T", "Properties": {"LifecyclePolicy": {"LifecyclePolicyText": text}}},
    )
    assert "sha256:aa" in _expired(careless, IMAGES)


def test_the_pipeline_pushes_no_image_without_a_tag() -> None:
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert re.search(r"docker buildx build .*\n.*--tag \"\$registry/amply:\$GITHUB_SHA-", workflow)


@pytest.mark.parametrize("owner", ["", "*", "amply/other", "amply:x", "amply@1"])
def test_a_repository_that_could_match_another_is_refused(owner: str) -> None:
    with pytest.raises(ValueError, match="one owner"):
        GitHubRepository(owner=owner, owner_id=1, name="amply", repository_id=1)


def test_a_repository_without_its_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers start at 1"):
        GitHubRepository(owner="amply", owner_id=0, name="amply", repository_id=1)


def test_a_deployment_environment_that_could_match_another_is_refused() -> None:
    with pytest.raises(ValueError, match="one word"):
        REPOSITORY.subject("production*")


@pytest.mark.parametrize("environment", DELIVERED.values(), ids=lambda environment: environment.name)
def test_one_repository_delivers_everywhere(environment: Environment) -> None:
    assert environment.delivery
    assert environment.delivery.repository == REPOSITORY
