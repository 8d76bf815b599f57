"""S3 replication to another region, with a role of minimal permissions.

Deletions are not copied: whoever removes an object here has not removed it there. Only what is written after a rule
exists is copied; for older objects see docs/runbooks/restore.md.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.durability import ObjectLock
from constructs_lib.waiver import Waiver, waive_once_resolved
from stacks.permissions import allow_objects, as_written
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

READING = (
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
)


@dataclass(frozen=True, kw_only=True)
class ReplicatedBucket:
    """A bucket, and the key its objects are encrypted with; None means S3's own."""

    bucket: s3.Bucket
    key: kms.Key | None

    @property
    def resource(self) -> s3.CfnBucket:
        """Its ARN can be told to another region as it is; the bucket's own needs a name chosen in advance."""
        child = self.bucket.node.default_child
        if not isinstance(child, s3.CfnBucket):
            raise TypeError(f"{self.bucket.node.path} is not made of one bucket.")
        return child


def keep(
    stack: AmplyStack,
    construct_id: str,
    *,
    request_logs: s3.Bucket,
    key: kms.Key | None = None,
    object_lock: ObjectLock | None = None,
    lifecycle: Sequence[s3.LifecycleRule] = (),
) -> ReplicatedBucket:
    """Create a bucket that is replicated, or holds replicas."""
    bucket = PrivateBucket(
        stack,
        construct_id,
        durability=stack.settings.durability,
        request_logs=request_logs,
        key=key,
        object_lock=object_lock,
        lifecycle=lifecycle,
    )
    return ReplicatedBucket(bucket=bucket, key=key)


class Replication(Construct):
    """One role for all buckets of a stack; `copy` adds a bucket."""

    def __init__(self, scope: Construct, construct_id: str, *, account: str) -> None:
        super().__init__(scope, construct_id)
        principal = iam.ServicePrincipal(
            "s3.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
        )
        self.role = iam.Role(self, "Role", assumed_by=principal)

    def copy(
        self,
        here: ReplicatedBucket,
        there: ReplicatedBucket,
        *,
        below: Sequence[str] = ("",),
        measured: bool = False,
    ) -> None:
        """Copy each new object of `here` whose name begins so, with its lock and tags, and encrypt it `there` with the key kept there.

        `measured`: S3 counts what it could not copy, as `failures` asks for it.
        """
        for prefix in below:
            allow_objects(self.role, here.bucket, prefix, READING)
        self._allow([here.bucket.bucket_arn], "s3:GetReplicationConfiguration")
        target = there.resource.attr_arn
        self._allow([f"{target}/*"], "s3:ReplicateObject", "s3:ReplicateTags")
        waive_once_resolved(
            self.role,
            lambda: f"AwsSolutions-IAM5[Resource::{as_written(self.role, target)}/*]",
            ALL_OF_A_BUCKET,
        )
        if here.key:
            self._allow_key(here.key, cdk.Stack.of(here.bucket).region, "kms:Decrypt")
        if there.key:
            self._allow_key(
                there.key, cdk.Stack.of(there.bucket).region, "kms:Encrypt", "kms:GenerateDataKey"
            )
        here.resource.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=self.role.role_arn,
            rules=[
                _rule(here, there, prefix, priority=number, measured=measured)
                for number, prefix in enumerate(below, start=1)
            ],
        )

    def _allow(self, resources: list[str], *actions: str) -> None:
        self.role.add_to_principal_policy(iam.PolicyStatement(actions=list(actions), resources=resources))

    def _allow_key(self, key: kms.Key, region: str, *actions: str) -> None:
        """Through S3 alone: the role reads and writes objects, and nothing else the key encrypts."""
        statement = iam.PolicyStatement(actions=list(actions), resources=[key.key_arn])
        statement.add_condition("StringEquals", {"kms:ViaService": f"s3.{region}.amazonaws.com"})
        self.role.add_to_principal_policy(statement)


def take_no_more(*copies: ReplicatedBucket) -> None:
    """Refuse what S3 still copies into these, once they are the originals: the region that was lost goes on where it stopped when it
    answers again. Nobody else has these actions.
    """
    for kept in copies:
        kept.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="WhatWasLostCopiesNoMore",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
                resources=[kept.bucket.arn_for_objects("*")],
            )
        )


def failures(here: ReplicatedBucket, there: ReplicatedBucket, prefix: str) -> cloudwatch.Metric:
    """Replication failures, measured in the region of `here`; missing data if nothing was to be replicated.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/repl-metrics.html
    """
    return cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name="OperationsFailedReplication",
        dimensions_map={
            "SourceBucket": here.resource.ref,
            "DestinationBucket": there.resource.ref,
            "RuleId": rule_id(prefix),
        },
        statistic="Sum",
    )


def rule_id(prefix: str) -> str:
    """Id of the replication rule for a prefix."""
    return prefix.rstrip("/") or "everything"


def _rule(
    here: ReplicatedBucket, there: ReplicatedBucket, prefix: str, *, priority: int, measured: bool
) -> s3.CfnBucket.ReplicationRuleProperty:
    rule = s3.CfnBucket
    encrypted = rule.SseKmsEncryptedObjectsProperty(status="Enabled")
    return rule.ReplicationRuleProperty(
        id=rule_id(prefix),
        status="Enabled",
        priority=priority,
        filter=rule.ReplicationRuleFilterProperty(prefix=prefix),
        delete_marker_replication=rule.DeleteMarkerReplicationProperty(status="Disabled"),
        source_selection_criteria=(
            rule.SourceSelectionCriteriaProperty(sse_kms_encrypted_objects=encrypted) if here.key else None
        ),
        destination=rule.ReplicationDestinationProperty(
            bucket=there.resource.attr_arn,
            metrics=rule.MetricsProperty(status="Enabled") if measured else None,
            encryption_configuration=(
                rule.EncryptionConfigurationProperty(replica_kms_key_id=there.key.key_arn)
                if there.key
                else None
            ),
        ),
    )


ALL_OF_A_BUCKET = Waiver(
    reason="A copy of a bucket is a copy of every object in it; the role can write there and delete nothing.",
    until=NEXT_REVIEW,
)
