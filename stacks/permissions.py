"""IAM statements without wildcard actions, for use where parts are composed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from constructs_lib.waiver import Waiver, waive, waive_once_resolved
from stacks.waivers import NEXT_REVIEW

ONLY_WHAT_IS_NOT_THERE: Mapping[str, Any] = {"Null": {"s3:if-none-match": "false"}}
"""A condition of s3:PutObject. Without `If-None-Match` S3 refuses the write, so that nothing is ever replaced.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
"""


def allow_objects(
    role: iam.IRole,
    bucket: s3.IBucket,
    prefix: str,
    actions: Sequence[str],
    *,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Object actions below `prefix`, and listing there: without it S3 answers 403 for what is not there."""
    allow_on_objects(role, bucket, f"{prefix}*", actions, conditions=conditions)
    listing = iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn])
    if prefix:
        listing.add_condition("StringLike", {"s3:prefix": f"{prefix}*"})
    role.add_to_principal_policy(listing)


def allow_on_objects(
    role: iam.IRole,
    bucket: s3.IBucket,
    pattern: str,
    actions: Sequence[str],
    *,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Actions on the objects whose names match `pattern`, in which `*` stands for anything, slashes too."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=list(actions),
            resources=[bucket.arn_for_objects(pattern)],
            conditions=conditions,
        )
    )
    waive_once_resolved(
        role,
        lambda: f"AwsSolutions-IAM5[Resource::{as_written(role, bucket.bucket_arn)}/{pattern}]",
        MANY_OBJECTS,
    )


def allow_envelope_keys(role: iam.IRole, key: kms.IKey) -> None:
    """Making the keys of personal data and opening them, each for a scope that is named: never anything else with this key."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key.key_arn],
            conditions={"Null": {"kms:EncryptionContext:amply:scope": "false"}},
        )
    )


def allow_opening_what_organizations_said(role: iam.IRole, key: kms.IKey) -> None:
    """Opening the keys of organisations' own data, and those of nobody else; it makes none."""
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt"],
            resources=[key.key_arn],
            conditions={"StringLike": {"kms:EncryptionContext:amply:scope": "organization:*"}},
        )
    )


def allow_key(role: iam.IRole, key: kms.IKey, actions: Sequence[str]) -> None:
    """Use of a bucket's encryption key, granted in the role's policy."""
    role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=[key.key_arn]))


def allow_spans(scope: Construct, construct_id: str, role: iam.IRole) -> None:
    """Write spans through X-Ray's OTLP endpoint.

    AWS names the first action for the endpoint (AWSXrayWriteOnlyPolicy), the reference of its actions the other two;
    people who left out any of them report a 403. A policy of its own, so that the waiver covers nothing else.
    """
    writing = iam.Policy(scope, construct_id, roles=[role])
    writing.add_statements(
        iam.PolicyStatement(
            actions=["xray:PutTraceSegments", "xray:PutSpans", "xray:PutSpansForIndexing"], resources=["*"]
        )
    )
    waive(writing, "AwsSolutions-IAM5[Resource::*]", SPANS_HAVE_NO_ARN)


def as_written(construct: IConstruct, arn: str) -> str:
    """An ARN the way the policy checker quotes it from the construct's template."""
    written = cdk.Stack.of(construct).resolve(arn)
    if isinstance(written, dict) and "Fn::GetAtt" in written:
        return f"<{'.'.join(written['Fn::GetAtt'])}>"
    return json.dumps(written, separators=(",", ":"))


SPANS_HAVE_NO_ARN = Waiver(
    reason="X-Ray knows no resource to write spans to but *; the actions write and cannot read.",
    until=NEXT_REVIEW,
)
MANY_OBJECTS = Waiver(
    reason="Objects are named as they come; the prefix is as narrow as a policy can say it.",
    until=NEXT_REVIEW,
)
