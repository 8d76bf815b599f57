"""What deployments may do in an account: enough for every resource of the templates, and never administration."""

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations.bootstrap import BOUNDARY as WRITTEN
from stacks.contracts import READ_IN_DEPLOYMENTS_TAG
from stacks.platform import BOUNDARY
from tests.infrastructure import bootstrap_policies
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.bootstrap_policies import (
    FOLDER,
    Policy,
    actions_by_type,
    allowed,
    boundary,
    execution_policies,
    lookup,
    not_deployable,
)
from tests.infrastructure.grants import granted_actions

LONGEST = 6144
"""Characters of a managed policy, white space not counted."""
MOST = 10
"""Managed policies a role carries before anyone asks for more."""
FILES = [*sorted((FOLDER / "execution").glob("*.json")), FOLDER / "boundary.json", FOLDER / "lookup.json"]


def test_every_type_can_be_deployed(deployed: Deployed) -> None:
    assert list(not_deployable(deployed, execution_policies())) == []


def test_what_nobody_has_chosen_yet_can_be_deployed_too(extended: Deployed) -> None:
    """A replica, a rotation of ours, a proxy, every endpoint."""
    assert list(not_deployable(extended, execution_policies())) == []


def test_the_days_of_an_upgrade_can_be_deployed(upgrading: Deployed) -> None:
    assert list(not_deployable(upgrading, execution_policies())) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"Transform": "AWS::SecretsManager-2020-07-23"}, "AWS::SecretsManager-2020-07-23"),
        ({"Transform": ["AWS::LanguageExtensions", "Ours"]}, "Ours"),
        (
            {"Resources": {"X": {"Type": "AWS::SQS::Queue", "Fn::Transform": {"Name": "AWS::Include"}}}},
            "AWS::Include",
        ),
    ],
)
def test_what_a_macro_would_make_is_refused(
    change: Mapping[str, Any], named: str, environments: Mapping[str, Deployed]
) -> None:
    sandbox = environments["sandbox"]
    changed = Deployed(
        sandbox.name,
        {**sandbox.templates, "queues": {**sandbox.templates["queues"], **change}},
        sandbox.manifests,
    )
    sentence = f"{named} in sandbox/queues: what a macro makes is in no template; write it out."
    assert sentence in not_deployable(changed, execution_policies())


def test_a_nested_stack_is_refused(environments: Mapping[str, Deployed]) -> None:
    """No policy lets a deployment make one: it would be made with roles that no gate has read."""
    nested = _with(environments["sandbox"], "AWS::CloudFormation::Stack")
    assert "AWS::CloudFormation::Stack in sandbox" in next(not_deployable(nested, execution_policies()))
    assert not allowed("cloudformation:CreateStack", execution_policies())


def _with(deployed: Deployed, kind: str) -> Deployed:
    templates = dict(deployed.templates) | {"queues": copy.deepcopy(dict(deployed.templates["queues"]))}
    templates["queues"]["Resources"]["New"] = {"Type": kind, "Properties": {}}
    return Deployed(deployed.name, templates, deployed.manifests)


def test_a_type_nobody_mapped_is_named(environments: Mapping[str, Deployed]) -> None:
    found = list(not_deployable(_with(environments["sandbox"], "AWS::Braket::Job"), execution_policies()))
    assert found == ["AWS::Braket::Job in sandbox: say in bootstrap/types.toml which actions it takes."]


def test_an_action_no_policy_allows_is_named(environments: Mapping[str, Deployed]) -> None:
    without_queues = [policy for policy in execution_policies() if policy.name != "compute"]
    assert (
        "AWS::SQS::Queue in sandbox: no policy of bootstrap/execution/ allows sqs:CreateQueue."
        in not_deployable(environments["sandbox"], without_queues)
    )


def test_a_reference_no_policy_lets_be_read_is_named(environments: Mapping[str, Deployed]) -> None:
    without_roles = [policy for policy in execution_policies() if policy.name != "identity"]
    assert (
        "Fn::GetStackOutput in sandbox: no policy of bootstrap/execution/ allows cloudformation:DescribeStacks."
        in not_deployable(environments["sandbox"], without_roles)
    )


def test_a_denied_action_is_not_allowed() -> None:
    denying = Policy("denying", [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}])
    assert allowed("sqs:CreateQueue", execution_policies())
    assert not allowed("sqs:CreateQueue", [*execution_policies(), denying])


@pytest.mark.parametrize("kind", sorted(actions_by_type()))
def test_what_is_mapped_is_allowed(kind: str) -> None:
    """Also for types no template holds today, so that adding one needs no second bootstrap."""
    policies = execution_policies()
    assert [action for action in actions_by_type()[kind] if not allowed(action, policies)] == []


def test_no_service_is_allowed_that_no_type_needs() -> None:
    needed = {action.partition(":")[0] for actions in actions_by_type().values() for action in actions}
    granted = {
        action.partition(":")[0]
        for policy in execution_policies()
        for statement in policy.statements
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }
    assert granted == needed


def test_no_type_is_mapped_that_nothing_makes(environments: Mapping[str, Deployed]) -> None:
    """What is mapped is allowed: a type that left the app takes its rights along."""
    made = {resource.type for deployed in environments.values() for resource in deployed.resources()}
    chosen = {*bootstrap_policies.rooms()["chosen"], *bootstrap_policies.rooms()["references"]}
    assert set(actions_by_type()) - made == chosen


def test_no_type_is_mapped_for_a_choice_that_no_longer_makes_it(
    extended: Deployed, lake_at_home: Deployed
) -> None:
    made = {resource.type for deployed in (extended, lake_at_home) for resource in deployed.resources()}
    assert set(bootstrap_policies.rooms()["chosen"]) - made == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_policy_fits(file: Path) -> None:
    text = json.dumps(json.loads(file.read_text()), separators=(",", ":"))
    filled = text.replace("${ACCOUNT}", "1" * 12).replace("${ENVIRONMENT}", "production")
    assert len(filled) <= LONGEST
    assert "${" not in filled


def test_a_role_can_carry_all_of_them() -> None:
    assert len(execution_policies()) <= MOST


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:DeleteRolePermissionsBoundary",
        "ec2:RunInstances",
        "s3:DeleteObject",
        "s3:PutObject",
        "s3:BypassGovernanceRetention",
        "kms:Sign",
        "sts:AssumeRole",
        "organizations:LeaveOrganization",
        "logs:GetLogEvents",
        "xray:BatchGetTraces",
        "rds:DeleteDBSnapshot",
        "backup:DeleteRecoveryPoint",
    ],
)
def test_deployments_are_no_administrators(action: str) -> None:
    assert not allowed(action, execution_policies())


def test_deployments_reach_into_tables_whose_replicas_they_fill_and_no_others() -> None:
    """DynamoDB asks for these where a replica is made; what is done with tables themselves holds of all of them."""
    in_items = re.compile(r"dynamodb:(\*|Batch|(Get|Put|Update|Delete)Item|Query|Scan|PartiQL)")
    reaching = [
        statement
        for policy in execution_policies()
        for statement in policy.statements
        if any(in_items.match(action) for action in statement["Action"])
    ]
    assert [statement["Resource"] for statement in reaching] == [
        "arn:aws:dynamodb:*:${ACCOUNT}:table/${ENVIRONMENT}-controlplane-*"
    ]


HOLD_DATA = {
    "dynamodb:GetItem",
    "s3:GetObject",
    "secretsmanager:GetRandomPassword",
    "secretsmanager:GetSecretValue",
}
"""Reading actions that deployments have and that tell what a thing holds, not how it is set."""
READS = re.compile(r"[\w-]+:(Describe|Get|List)\w*|apigateway:GET|budgets:ViewBudget")


@pytest.mark.parametrize("kind", sorted(actions_by_type()))
def test_whoever_looks_for_drift_may_read_how_each_type_is_set(kind: str) -> None:
    reading = {action for action in actions_by_type()[kind] if READS.fullmatch(action)} - HOLD_DATA
    assert sorted(action for action in reading if not lookup().allows(action)) == []


def test_whoever_looks_may_ask_nothing_of_services_that_no_type_needs() -> None:
    """But for stacks themselves and for what they cost."""
    needed = {action.partition(":")[0] for actions in actions_by_type().values() for action in actions}
    granted = {
        action.partition(":")[0] for statement in lookup().statements for action in statement["Action"]
    }
    assert granted - needed == {"ce", "freetier"}


@pytest.mark.parametrize(
    "action",
    [
        *sorted(HOLD_DATA),
        "backup:GetRecoveryPointRestoreMetadata",
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
        "dynamodb:Query",
        "dynamodb:Scan",
        "ec2:GetPasswordData",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "ecs:ExecuteCommand",
        "iam:PassRole",
        "kms:Decrypt",
        "kms:Sign",
        "lambda:InvokeFunction",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:GetLogRecord",
        "logs:GetQueryResults",
        "logs:StartLiveTail",
        "logs:StartQuery",
        "logs:Unmask",
        "rds-data:ExecuteStatement",
        "rds:DownloadCompleteDBLogFile",
        "rds:DownloadDBLogFilePortion",
        "s3:GetObjectVersion",
        "secretsmanager:BatchGetSecretValue",
        "ses:GetMessageInsights",
        "ses:GetSuppressedDestination",
        "ses:ListSuppressedDestinations",
        "sqs:ReceiveMessage",
        "ssm:GetParameterHistory",
        "ssm:GetParametersByPath",
        "sts:AssumeRole",
        "synthetics:GetCanaryRuns",
        "wafv2:GetSampledRequests",
        "xray:GetTraceSummaries",
    ],
)
def test_whoever_looks_sees_nothing_that_things_hold(action: str) -> None:
    """ReadOnlyAccess, which the CDK's own bootstrap gives this role, allows most of these."""
    assert not lookup().allows(action)


def test_whoever_looks_reads_parameters_of_ours_and_gateways_without_their_keys() -> None:
    """Actions that would read more, were they allowed on everything."""
    limited = {
        action: set(statement["Resource"])
        for statement in lookup().statements
        for action in statement["Action"]
        if statement["Resource"] != "*"
    }
    published = {
        f"arn:aws:ssm:*:${{ACCOUNT}}:parameter/{path}/*"
        for path in ("amply/${ENVIRONMENT}", "cdk-bootstrap/hnb659fds")
    }
    assert limited["ssm:GetParameter"] == limited["ssm:GetParameters"] == published
    assert not any("apikeys" in one or one.endswith("::/*") for one in limited["apigateway:GET"])
    assert all("${ENVIRONMENT}-*" in one or "oidc-provider" in one for one in limited["iam:GetRole"])


@pytest.mark.parametrize("statement", lookup().statements, ids=lambda statement: statement["Sid"])
def test_whoever_looks_changes_nothing(statement: Mapping[str, Any]) -> None:
    """Detecting drift makes CloudFormation compare, which changes nothing in the account."""
    verbs = ("Describe", "Detect", "Get", "List", "View", "BatchDescribe", "GET")
    names = [action.partition(":")[2] for action in statement["Action"]]
    assert [name for name in names if not name.startswith(verbs)] == []


def _identity() -> list[Mapping[str, Any]]:
    (identity,) = (policy for policy in execution_policies() if policy.name == "identity")
    return list(identity.statements)


def test_a_role_is_made_within_the_boundary_or_not_at_all() -> None:
    """Otherwise whoever deploys could give a function every permission, and then be that function."""
    for statement in _identity():
        actions = {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"} & set(statement["Action"])
        if statement["Effect"] == "Allow" and actions:
            assert statement["Condition"] == {
                "StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::${{ACCOUNT}}:policy/{BOUNDARY}"}
            }


def test_roles_are_written_to_in_our_own_stacks_alone() -> None:
    """A policy that could rewrite who takes on any role could open an administrator's."""
    for statement in _identity():
        if statement["Effect"] == "Allow" and any("Role" in action for action in statement["Action"]):
            assert statement["Resource"] in {
                "arn:aws:iam::${ACCOUNT}:role/${ENVIRONMENT}-*",
                "arn:aws:iam::${ACCOUNT}:role/aws-service-role/*",
                "arn:aws:iam::${ACCOUNT}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/*",
            }


def test_a_deployment_reads_the_secrets_that_a_template_resolves_and_no_others() -> None:
    """Which those are, `secrets_are_read_by_whom_they_are_for` holds in every template."""
    holding = {
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:BatchGetSecretValue",
    }
    found = [
        statement
        for policy in execution_policies()
        for statement in policy.statements
        if any(Policy("", [statement]).allows(action) for action in holding)
    ]
    tagged = {f"aws:ResourceTag/{READ_IN_DEPLOYMENTS_TAG}": ["${ENVIRONMENT}", "${ENVIRONMENT}-*"]}
    assert [statement["Condition"] for statement in found] == [{"StringLike": tagged}]


def test_what_was_bootstrapped_cannot_be_rewritten_by_a_deployment() -> None:
    (guarded,) = (statement for statement in _identity() if statement["Sid"] == "WhatWasBootstrappedStays")
    assert guarded["Effect"] == "Deny"
    assert set(guarded["Resource"]) == {
        "arn:aws:iam::${ACCOUNT}:policy/amply-*",
        "arn:aws:iam::${ACCOUNT}:role/cdk-hnb659fds-*",
    }
    assert {"iam:Create*", "iam:Delete*", "iam:Put*", "iam:Update*", "iam:Attach*", "iam:Detach*"} <= set(
        guarded["Action"]
    )


def test_the_boundary_leaves_every_role_what_it_was_granted(deployed: Deployed) -> None:
    limit = [boundary()]
    assert sorted(action for action in granted_actions(deployed) if not allowed(action, limit)) == []


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateUser",
        "iam:PutRolePolicy",
        "organizations:LeaveOrganization",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "s3:BypassGovernanceRetention",
    ],
)
def test_the_boundary_ends_where_it_would_do_harm(action: str) -> None:
    assert not allowed(action, [boundary()])


def test_the_boundary_is_written_under_the_name_the_stacks_give_it() -> None:
    assert WRITTEN == BOUNDARY


def test_a_policy_is_matched_without_regard_to_case() -> None:
    assert bootstrap_policies.allowed("SQS:createqueue", execution_policies())
