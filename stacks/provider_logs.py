"""Log groups for CDK's custom-resource functions, removed with their stack.

By themselves they write to `/aws/lambda/…`, which Lambda makes when they first run: kept for ever, in no template, and
still there when the stack is gone.
"""

from typing import cast

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from stacks.stack import AmplyStack

BROUGHT_ALONG = ("Custom::VpcRestrictDefaultSG", "Custom::S3AutoDeleteObjects")
"""What the library makes once a stack that needs it; an invariant notices one that is missing here."""


def keep_logs_of_providers(stack: AmplyStack) -> None:
    """For a stack that is complete: a log for each provider in it."""
    for kind in BROUGHT_ALONG:
        if provider := stack.node.try_find_child(f"{kind}CustomResourceProvider"):
            _keep_log(stack, provider, kind.removeprefix("Custom::"))


def _keep_log(stack: AmplyStack, provider: IConstruct, name: str) -> None:
    handler, role = (cast(CfnResource, provider.node.find_child(part)) for part in ("Handler", "Role"))
    keeping = stack.log_keeping
    log = logs.LogGroup(
        stack, f"{name}Log", retention=keeping.retention, removal_policy=keeping.removal_policy
    )
    handler.add_property_override("LoggingConfig", {"LogGroup": log.log_group_name})
    # AWS's own policy may make any group: what Lambda writes last would make this one again after its stack.
    role.add_property_deletion_override("ManagedPolicyArns")
    writing = iam.CfnPolicy(
        stack,
        f"{name}Writing",
        policy_name=f"{name}Writing",
        policy_document=iam.PolicyDocument(statements=[may_write(log)]),
        roles=[role.ref],
    )
    handler.add_resource_dependency(writing)


def may_write(log: logs.LogGroup) -> iam.PolicyStatement:
    """Into a group that is there, and nowhere else."""
    return iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
    )
