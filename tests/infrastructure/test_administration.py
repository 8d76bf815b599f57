"""The administration's task and the people who may run it: one task, its log, and none of the donors' secrets."""

import json
from typing import Any

from tests.infrastructure.assembly import Deployed, Resource, settings


def _operators(deployed: Deployed) -> Resource:
    (role,) = (
        role
        for role in deployed.resources("AWS::IAM::Role")
        if role.path.endswith("/administration/Operators/Resource")
    )
    return role


def _allowed(deployed: Deployed, role: Resource) -> dict[str, list[Any]]:
    """Action to resources, of every policy of a role."""
    return {
        action: resources if isinstance(resources, list) else [resources]
        for policy in deployed.resources("AWS::IAM::Policy")
        if policy.stack == role.stack and {"Ref": role.logical_id} in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        for resources in [statement["Resource"]]
    }


def test_operators_may_run_this_one_task_and_read_its_log(deployed: Deployed) -> None:
    role = _operators(deployed)
    (task,) = (
        task
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == f"{deployed.name}-admin"
    )
    (log,) = (
        group
        for group in deployed.resources("AWS::Logs::LogGroup")
        if group.stack.endswith("/administration")
    )
    allowed = _allowed(deployed, role)

    assert set(allowed) == {
        "ecs:DescribeTasks",
        "ecs:RunTask",
        "iam:PassRole",
        "logs:GetLogEvents",
        "ssm:GetParameter",
    }
    assert allowed["ecs:RunTask"] == [{"Ref": task.logical_id}]
    assert allowed["logs:GetLogEvents"] == [{"Fn::GetAtt": [log.logical_id, "Arn"]}]
    roles = [task.properties[role] for role in ("TaskRoleArn", "ExecutionRoleArn")]
    assert sorted(allowed["iam:PassRole"], key=str) == sorted(roles, key=str)
    assert len(allowed["ssm:GetParameter"]) == 5


def test_who_is_an_operator_is_for_the_account_to_say(deployed: Deployed) -> None:
    (statement,) = _operators(deployed).properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert f":iam::{settings(deployed).account}:root" in json.dumps(statement["Principal"])


def test_the_task_opens_no_commitment_and_sends_nothing(deployed: Deployed) -> None:
    """Whoever overrides its command has all it has."""
    (task,) = (
        task
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == f"{deployed.name}-admin"
    )
    (container,) = task.properties["ContainerDefinitions"]
    (role,) = (
        role
        for role in deployed.resources("AWS::IAM::Role")
        if role.path.endswith("/administration/AdminRole/Resource")
    )

    assert [secret["Name"] for secret in container["Secrets"]] == ["AMPLY_STRIPE_SECRET_KEY"]
    # Of the archive it reads the audit log alone, of the documents what organisations hand in (golden/permissions.md).
    assert set(_allowed(deployed, role)) == {
        *("kms:Decrypt", "rds-db:connect", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"),
    }
