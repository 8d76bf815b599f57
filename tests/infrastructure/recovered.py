"""Production after the loss of its region as its plan describes it, and its global resources."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from stacks.environment import Environment
from stacks.environments import PRODUCTION
from stacks.failover import fail_over
from stacks.platform import AmplyPlatform
from stacks.recovery_plan import RecoveryPlan
from stacks.signing_keys import EndedKey
from tests.infrastructure.assembly import CONTEXT, Deployed, Resource, read, small_site
from tests.verify.ledger_samples import verifier_key

LAST_TREE = EndedKey(
    number=1,
    verifier_key=str(verifier_key()),
    last_size=123456,
)
HERE, LOST = "eu-central-1", "eu-west-1"


def recovered(*, of: Environment = PRODUCTION, names_moved: bool = False, **plan: object) -> Environment:
    """With the last tree written down, so that it may run."""
    assert of.recovery
    decided: RecoveryPlan = replace(
        of.recovery,
        last_tree=LAST_TREE,
        names_moved=names_moved,
        **plan,  # type: ignore[arg-type]  # a field's own
    )
    return fail_over(replace(of, recovery=decided), region=HERE)


def synthesise_recovered(folder: Path, environment: Environment, *, checked: bool = False) -> cdk.App:
    app = cdk.App(
        context={**CONTEXT, "aws:cdk:enable-path-metadata": True},
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=checked,
    )
    AmplyPlatform(app, environment=environment, site=small_site(folder / "site"))
    return app


def checked(folder: Path, environment: Environment) -> cdk.App:
    """Its synthesis stops at a finding of the gate's checkers that no waiver answers."""
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415 -- takes seconds, and only the gate's worker needs it

    app = synthesise_recovered(folder, environment, checked=True)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


def read_checked(folder: Path, environment: Environment) -> Deployed:
    return read(Path(checked(folder, environment).synth().directory))["production"]


def read_recovered(folder: Path, environment: Environment) -> Deployed:
    return read(Path(synthesise_recovered(folder, environment).synth().directory))["production"]


NOT_OF_A_REGION: Mapping[str, tuple[str, ...]] = {
    "AWS::Budgets::Budget": ("Budget.BudgetName",),
    "AWS::CloudFront::CachePolicy": ("CachePolicyConfig.Name",),
    "AWS::CloudFront::Distribution": ("DistributionConfig.Aliases",),
    "AWS::CloudFront::Function": ("Name",),
    "AWS::CloudFront::OriginAccessControl": ("OriginAccessControlConfig.Name",),
    "AWS::CloudFront::ResponseHeadersPolicy": ("ResponseHeadersPolicyConfig.Name",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::OIDCProvider": ("Url",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::Route53::HostedZone": ("Name",),
    "AWS::Route53::RecordSet": ("Type", "Name"),
    "AWS::S3::Bucket": ("BucketName",),
}
"""Types whose names exist once an account or once in the world, and the properties that are the name."""


def names_of_no_region(deployed: Deployed) -> Iterator[str]:
    """Each as `TYPE name`; of several properties together. What AWS names itself is left out."""
    for resource in deployed.resources(*NOT_OF_A_REGION):
        values = [_at(resource, path) for path in NOT_OF_A_REGION[resource.type]]
        names = values[-1] if isinstance(values[-1], list) else [values[-1]]
        for name in names:
            if isinstance(name, str):
                yield " ".join([resource.type, *(str(value) for value in values[:-1]), name])


def names_in(deployed: Deployed, region: str) -> Iterator[str]:
    """What one region knows by name, each with its type: other regions may have the same."""
    for stack, manifest in deployed.manifests.items():
        if not str(manifest["environment"]).endswith(f"/{region}"):
            continue
        yield f"stack {manifest['properties']['stackName']}"
        for logical_id, body in deployed.templates[stack]["Resources"].items():
            resource = Resource(stack, logical_id, body)
            for path in NAMED_IN_A_REGION.get(resource.type, ()):
                name = _at(resource, path)
                if isinstance(name, str):
                    yield f"{resource.type} {name}"


NAMED_IN_A_REGION: Mapping[str, tuple[str, ...]] = {
    "AWS::Backup::BackupVault": ("BackupVaultName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::ECS::TaskDefinition": ("Family",),
    "AWS::Events::EventBus": ("Name",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::Synthetics::Canary": ("Name",),
}


def _at(resource: Resource, path: str) -> object:
    value: object = resource.properties
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def only(deployed: Deployed, stack: str) -> Deployed:
    return Deployed(deployed.name, {stack: deployed.templates[stack]}, {stack: deployed.manifests[stack]})


def written(deployed: Deployed, stack: str) -> Mapping[str, Any]:
    """The parameters that a stack writes, by name."""
    return {
        body["Properties"]["Name"]: body["Properties"]["Value"]
        for body in deployed.templates[stack]["Resources"].values()
        if body["Type"] == "AWS::SSM::Parameter"
    }


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """An environment before and after the loss of its region.

    Attributes:
        copies: How many buckets of copies each stack has that is taken over, by the stack.
        onward: The stack of the same kind in the third region, by the one that is taken over.
        inputs: The stacks that write down, while all is well, what coming back has to know.
    """

    home: Deployed
    back: Deployed
    copies: Mapping[str, int]
    onward: Mapping[str, str]
    inputs: Sequence[str]


def text(deployed: Deployed) -> str:
    return json.dumps(dict(deployed.templates))


def buckets_that_still_take_copies(deployed: Deployed, stack: str) -> list[str]:
    """Those of a stack into which the lost region could go on copying when it answers again."""
    refusing = {
        (policy.stack, policy.properties["Bucket"]["Ref"])
        for policy in deployed.resources("AWS::S3::BucketPolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if _refuses_copies(statement)
    }
    return [
        bucket.where
        for bucket in deployed.resources("AWS::S3::Bucket")
        if bucket.stack == f"{deployed.name}/{stack}" and (bucket.stack, bucket.logical_id) not in refusing
    ]


def _refuses_copies(statement: Mapping[str, object]) -> bool:
    refused = {"s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"}
    actions = statement["Action"]
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] == {"AWS": "*"}
        and "Condition" not in statement
        and isinstance(actions, list)
        and refused <= set(actions)
    )
