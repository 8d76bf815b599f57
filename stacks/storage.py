"""The buckets: what is signed for ever, what anyone may read, what belongs to donors, and who asked for it."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from stacks.contracts import Parameter
from stacks.environment import Environment
from stacks.keys import Keys
from stacks.replica import Replica
from stacks.replication import Kept, Replication
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import PUBLIC_LOG, documents, forget

STAYS_HERE: Mapping[str, str] = {
    "storage/AccessLogs": "who asked for what in this region; the second has its own",
    "storage/Exports": "made from the database on request; they lapse after 30 days",
    "edge/Site": "built from the sources and deployed with them",
}
"""Buckets that are not copied to the second region, by stack and construct, and why."""


class Storage(AmplyStack):
    """Public data is encrypted with S3's own keys: CloudFront reads it without a grant on ours."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        keys: Keys,
        replica: Replica | None,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: buckets", holds_data=True
        )
        durability = environment.durability
        self.access_logs = self._make_access_logs()
        self.archive = PrivateBucket(
            self,
            "Archive",
            durability=durability,
            request_logs=self.access_logs,
            object_lock=durability.object_lock,
        )
        self.public = PrivateBucket(
            self,
            "Public",
            durability=durability,
            request_logs=self.access_logs,
            lifecycle=PUBLIC_LOG,
        )
        self.documents = PrivateBucket(
            self,
            "Documents",
            durability=durability,
            request_logs=self.access_logs,
            key=keys.data,
            lifecycle=documents(),
        )
        self.exports = PrivateBucket(
            self,
            "Exports",
            durability=durability,
            request_logs=self.access_logs,
            key=keys.data,
            lifecycle=[forget("exports", days=30)],
        )
        self.media = PrivateBucket(self, "Media", durability=durability, request_logs=self.access_logs)
        self._let_cloudfront_read(self.public, "log/*", sid="ServeTheLog")
        self._let_cloudfront_read(self.media, "media/*", sid="ServeMedia")
        self.publish(Parameter.MEDIA_BUCKET, self.media.bucket_name)
        if durability.kept_backups:
            self._tell_changes(self.documents)
        if replica:
            self._copy_to(replica, keys)
        self.publish(Parameter.PUBLIC_BUCKET, self.public.bucket_name)
        self.publish(Parameter.ARCHIVE_BUCKET, self.archive.bucket_name)

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

    def _let_cloudfront_read(self, bucket: PrivateBucket, objects: str, *, sid: str) -> None:
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

    def _tell_changes(self, bucket: PrivateBucket) -> None:
        """AWS Backup learns from events what to copy next; it would switch them on itself, outside the template."""
        resource = s3.CfnBucket
        Kept(
            bucket=bucket, key=None
        ).resource.notification_configuration = resource.NotificationConfigurationProperty(
            event_bridge_configuration=resource.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def _copy_to(self, replica: Replica, keys: Keys) -> None:
        replication = Replication(self, "Replication", account=self.account)
        replication.copy(Kept(bucket=self.archive, key=None), replica.archive)
        replication.copy(Kept(bucket=self.public, key=None), replica.public)
        replication.copy(Kept(bucket=self.documents, key=keys.data), replica.documents)
        replication.copy(Kept(bucket=self.media, key=None), replica.media)
