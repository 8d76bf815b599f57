"""The S3 buckets: signed archive, public files, donors' documents, expiring files, and access logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from stacks.contracts import Parameter
from stacks.environment import Environment
from stacks.keys import Keys
from stacks.permissions import allow_objects, allow_on_objects
from stacks.replica import Replica
from stacks.replication import ReplicatedBucket, Replication, keep
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import (
    HANDED_IN,
    KEY_TREES,
    MEDIA,
    MEDIA_FILES,
    PUBLIC_LOG,
    documents,
    forget,
)

STAYS_HERE: Mapping[str, str] = {
    "storage/AccessLogs": "who asked for what in this region; the second has its own",
    "storage/Exports": "made from the database on request; they lapse after 7 days",
    "edge/Site": "built from the sources and deployed with them",
    "replica/AccessLogs": "who asked for what where the copies are, also once they are copies no more",
}
"""Buckets that are not copied to the second region, by stack and construct, and why."""


@dataclass(frozen=True, kw_only=True)
class KeptBuckets:
    """Buckets that are copied to the second region."""

    archive: ReplicatedBucket
    public: ReplicatedBucket
    documents: ReplicatedBucket
    media: ReplicatedBucket
    key_trees: ReplicatedBucket


class Storage(AmplyStack):
    """Public data has S3-managed keys, so that CloudFront needs no grant on our key.

    After the loss of a region `former` holds what were its copies: those buckets are used as they are, and copied on by
    their own stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        keys: Keys,
        replica: Replica | None,
        former: Replica | None,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: buckets", holds_data=True
        )
        durability = environment.durability
        self.access_logs = self._make_access_logs()
        kept = former or self._make_kept(keys)
        self.archive, self.public = kept.archive.bucket, kept.public.bucket
        self.documents, self.media = kept.documents.bucket, kept.media.bucket
        self._documents_key = kept.documents.key
        self.key_trees = kept.key_trees.bucket
        # Whoever has a signed form may post it, from whatever page: the form is what lets them, and no cookie goes along.
        self.documents.add_cors_rule(
            allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], allowed_headers=["*"], max_age=3600
        )
        self.exports = PrivateBucket(
            self,
            "Exports",
            durability=durability,
            request_logs=self.access_logs,
            key=keys.data,
            lifecycle=[forget("exports", days=7)],
        )
        self._let_cloudfront_read(self.public, "log/*", sid="ServeTheLog")
        self._let_cloudfront_read(self.media, f"{MEDIA}*", sid="ServeMedia")
        self.publish(Parameter.MEDIA_BUCKET, self.media.bucket_name)
        if durability.kept_backups:
            self._tell_changes(self.documents)
        if replica:
            self._copy(kept, replica)
        self.publish(Parameter.PUBLIC_BUCKET, self.public.bucket_name)
        self.publish(Parameter.ARCHIVE_BUCKET, self.archive.bucket_name)
        self.publish(Parameter.DOCUMENTS_BUCKET, self.documents.bucket_name)
        self.publish(Parameter.KEY_TREE_BUCKET, self.key_trees.bucket_name)

    def allow_handed_in(
        self, role: iam.IRole, actions: Sequence[str], *, below: str = HANDED_IN, lists: bool = False
    ) -> None:
        """Actions on what organisations upload, and what they need of the key that it is encrypted with."""
        if lists:
            allow_objects(role, self.documents, below, actions)
        else:
            allow_on_objects(role, self.documents, f"{below}*", actions)
        uses = [
            *(["kms:Decrypt"] if "s3:GetObject" in actions else []),
            *(["kms:GenerateDataKey"] if "s3:PutObject" in actions else []),
        ]
        if uses and self._documents_key:
            role.add_to_principal_policy(
                iam.PolicyStatement(actions=uses, resources=[self._documents_key.key_arn])
            )

    def _make_kept(self, keys: Keys) -> KeptBuckets:
        archive = keep(
            self, "Archive", request_logs=self.access_logs, object_lock=self.settings.durability.object_lock
        )
        public = keep(self, "Public", request_logs=self.access_logs, lifecycle=PUBLIC_LOG)
        papers = keep(self, "Documents", request_logs=self.access_logs, key=keys.data, lifecycle=documents())
        return KeptBuckets(
            archive=archive,
            public=public,
            documents=papers,
            media=keep(self, "Media", request_logs=self.access_logs, lifecycle=[MEDIA_FILES]),
            # What stands in it is encrypted before it comes here, by the key of personal data.
            key_trees=keep(self, "KeyTrees", request_logs=self.access_logs, lifecycle=KEY_TREES),
        )

    def _make_access_logs(self) -> PrivateBucket:
        bucket = PrivateBucket(
            self,
            "AccessLogs",
            durability=self.settings.durability,
            request_logs=None,
            lifecycle=[forget("access-logs", days=400)],
        )
        # Said once for the account: the buckets of other stacks log here, and naming them would tie a knot.
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TakeRequestLogs",
                principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects("s3/*")],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return bucket

    def _let_cloudfront_read(self, bucket: s3.Bucket, objects: str, *, sid: str) -> None:
        """Any distribution of this account: the edge stands above this stack, so it cannot be named here."""
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(objects)],
                conditions={
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{self.partition}:cloudfront::{self.account}:distribution/*"
                    }
                },
            )
        )

    def _tell_changes(self, bucket: s3.Bucket) -> None:
        """AWS Backup learns from events what to copy next; it would switch them on itself, outside the template."""
        resource = s3.CfnBucket
        ReplicatedBucket(
            bucket=bucket, key=None
        ).resource.notification_configuration = resource.NotificationConfigurationProperty(
            event_bridge_configuration=resource.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def _copy(self, kept: KeptBuckets | Replica, replica: Replica) -> None:
        replication = Replication(self, "Replication", account=self.account)
        replication.copy(kept.archive, replica.archive)
        replication.copy(kept.public, replica.public)
        replication.copy(kept.documents, replica.documents)
        replication.copy(kept.media, replica.media)
        replication.copy(kept.key_trees, replica.key_trees)
